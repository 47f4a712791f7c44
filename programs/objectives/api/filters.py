"""Request parameters of lists of objectives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api.paging import page_parameters, requested_slice
from core.api.parameters import only, whole_number
from insights.query import windows
from insights.query.errors import QueryError
from orgtree.access.access import Access
from programs.models import Objective, ObjectiveStatus, Quarter
from programs.objectives.queries.objectives import ObjectiveFilter, filtered
from programs.requests.fields import boolean_parameter, day, parameter
from programs.requests.visible import check_is_of_account

OBJECTIVE_PARAMETERS = [
    OpenApiParameter("quarter", str, description="A day in it, 2026-08-01; without it this quarter."),
    OpenApiParameter("unit", str, description="Slug: its objectives and those of all below it."),
    OpenApiParameter("teams", str, enum=["yes"], description="Of units that you manage."),
    OpenApiParameter("standing", str, enum=ObjectiveStatus.values),
    OpenApiParameter("owner", str, description="E-mail address."),
    OpenApiParameter("parent", int, description="Those that serve the objective with this number."),
    OpenApiParameter("q", str, description="Text in title, the unit's or the owner's name."),
    OpenApiParameter("drafts", str, enum=["yes"], description="Drafts that one may see, and nothing else."),
    OpenApiParameter("dropped", str, enum=["yes"], description="Those that were given up, too."),
]
LIST_PARAMETERS = [*OBJECTIVE_PARAMETERS, *page_parameters("Objectives")]


def objective_list_params(request: Request) -> tuple[ObjectiveFilter | None, slice]:
    """What a list of LIST_PARAMETERS is narrowed to, and its page.  Raises QueryError, BadRequest."""
    only(request, *(name.name for name in LIST_PARAMETERS))
    page = requested_slice(request)
    return objective_filter(request), page


def objective_filter(request: Request) -> ObjectiveFilter | None:
    """None where the quarter is none yet: asking makes none.  Raises QueryError."""
    status = parameter(request, "standing")
    if status and status not in ObjectiveStatus.values:
        raise QueryError("standing", f"One of: {', '.join(ObjectiveStatus.values)}.")
    drafts, dropped, led = (boolean_parameter(request, name) for name in ("drafts", "dropped", "teams"))
    quarter = quarter_shown(parameter(request, "quarter"))
    if quarter is None:
        return None
    return ObjectiveFilter(
        quarter,
        unit=parameter(request, "unit") or None,
        standing=status,
        search=parameter(request, "q"),
        drafts=drafts,
        dropped=dropped,
        led=led,
    )


def requested_objectives(request: Request, params: ObjectiveFilter, access: Access) -> QuerySet[Objective]:
    """With quarter, unit, owner and measure.  Raises QueryError."""
    objectives = filtered(replace(params, search_owners=access.is_of_account), access, today=windows.local_today())
    if owner := parameter(request, "owner"):
        check_is_of_account(access)
        objectives = objectives.filter(owner__email__iexact=owner)
    if parameter(request, "parent"):
        named = whole_number(request, "parent", 1, 2**31 - 1)
        objectives = objectives.filter(parent__in=Objective.objects.within(access.visibility).filter(pk=named))
    return objectives


def day_to_write_for(word: object) -> date:
    """A day of the quarter that is named, or today.  Raises QueryError for one that is far from today."""
    today = windows.local_today()
    day_shown = day("quarter", word) or today
    if abs(day_shown.year - today.year) > 1:
        raise QueryError("quarter", "Objectives are written for quarters of last year, this one and the next.")
    return day_shown


def quarter_shown(word: str) -> Quarter | None:
    """The quarter with that day; asking makes none."""
    day_shown = day("quarter", word) or windows.local_today()
    return Quarter.objects.filter(start__lte=day_shown, end__gt=day_shown).first()
