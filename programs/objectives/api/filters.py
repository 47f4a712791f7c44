"""Request parameters of lists of objectives, and of the quarter for which one writes."""

from __future__ import annotations

from datetime import date

from rest_framework.request import Request

from core.api.paging import page_parameters
from core.api.parameters import only
from core.list_filters import filter_parameters
from core.write_errors import FieldError
from insights.query import windows
from orgtree.access.access import access_of
from programs.models import Quarter
from programs.objectives.queries.filters import ObjectiveFilters, quarter_of_day
from programs.requests.fields import day

OBJECTIVE_PARAMETERS = filter_parameters(ObjectiveFilters)
LIST_PARAMETERS = [*OBJECTIVE_PARAMETERS, *page_parameters("Objectives")]


def requested_objectives(request: Request, *others: str) -> ObjectiveFilters:
    """`others` are parameters beside those of the filters.  Raises BadRequest; the filters raise FieldError."""
    only(request, *ObjectiveFilters.base_filters, *others)
    return ObjectiveFilters(request.query_params, access_of(request.user), today=windows.local_today())


def day_to_write_for(word: object) -> date:
    """A day of the quarter that is named, or today.  Raises FieldError for one that is far from today."""
    today = windows.local_today()
    day_shown = day("quarter", word) or today
    if abs(day_shown.year - today.year) > 1:
        raise FieldError("quarter", "Objectives are written for quarters of last year, this one and the next.")
    return day_shown


def quarter_shown(word: str) -> Quarter | None:
    """The quarter with that day; asking makes none."""
    return quarter_of_day(day("quarter", word) or windows.local_today())
