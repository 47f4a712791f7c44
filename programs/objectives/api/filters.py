"""Request parameters of lists of objectives, and of the quarter for which one writes."""

from __future__ import annotations

from rest_framework.request import Request

from core.api.paging import page_parameters
from core.api.parameters import only
from core.list_filters import filter_parameters
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


def quarter_shown(word: str) -> Quarter | None:
    """The quarter with that day; asking makes none."""
    return quarter_of_day(day("quarter", word) or windows.local_today())
