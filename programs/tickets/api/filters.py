"""Request parameters of lists of tickets."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api.parameters import whole_number
from insights.query import windows
from insights.query.errors import QueryError
from orgtree.access.access import Access
from programs.models import BottleneckKind, Nature, Ticket
from programs.requests.fields import boolean_parameter, day, parameter
from programs.requests.visible import check_is_of_account
from programs.tickets.queries import SORTS, STATES, TicketFilter, filtered, ordered

TICKET_PARAMETERS = [
    OpenApiParameter("unit", str, description="Slug: its tickets, those below it and those of its people."),
    OpenApiParameter("teams", str, enum=["yes"], description="Of units that you manage, and of the people in them."),
    OpenApiParameter("state", str, enum=list(STATES), description="Without it: all."),
    OpenApiParameter("kind", str, enum=BottleneckKind.values),
    OpenApiParameter("nature", str, enum=Nature.values),
    OpenApiParameter("owner", str, description="E-mail address."),
    OpenApiParameter("metric", str, description="The metric that they are to move."),
    OpenApiParameter("objective", int, description="Number of an objective."),
    OpenApiParameter("due", str, description="Due on just this day, 2026-09-30."),
    OpenApiParameter("q", str, description="Text in title, resolution or the owner's name."),
    OpenApiParameter("sort", str, enum=[*SORTS, *(f"-{name}" for name in SORTS)]),
]


def requested_tickets(request: Request, access: Access) -> QuerySet[Ticket]:
    """In the order that is asked for, with unit, owner and effect.  Raises QueryError."""
    sort = parameter(request, "sort") or "due"
    if sort.removeprefix("-") not in SORTS:
        raise QueryError("sort", f"Sort by {', '.join(SORTS)}, with a - before it for the other direction.")
    params = replace(_filter(request), search_owners=access.is_of_account)
    tickets = filtered(params, access.visibility, today=windows.local_today())
    if owner := parameter(request, "owner"):
        check_is_of_account(access)
        tickets = tickets.filter(owner__email__iexact=owner)
    return ordered(tickets, sort.removeprefix("-"), descending=sort.startswith("-"))


def _filter(request: Request) -> TicketFilter:
    for name, known in (("state", STATES), ("kind", BottleneckKind.values), ("nature", Nature.values)):
        value = parameter(request, name)
        if value and value not in known:
            raise QueryError(name, f"One of: {', '.join(known)}.")
    objective = parameter(request, "objective")
    return TicketFilter(
        unit=parameter(request, "unit") or None,
        state=parameter(request, "state") or "all",
        search=parameter(request, "q"),
        kind=parameter(request, "kind"),
        nature=parameter(request, "nature"),
        metric=parameter(request, "metric"),
        objective=whole_number(request, "objective", 1, 2**31 - 1) if objective else None,
        due_on=day("due", parameter(request, "due")),
        of_led_units=boolean_parameter(request, "teams"),
    )
