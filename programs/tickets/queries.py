"""Filters and order of lists of tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Case, Count, F, OrderBy, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from orgtree.models import Placement, UnitPlacement
from orgtree.models.visibility import Visibility
from programs.models import Objective, Ticket, TicketState
from programs.models.tickets import OPEN_STATES

SORTS = {
    "due": ("due_on", "Due by"),
    "title": ("title", "Opportunity or challenge"),
    "owner": ("owner__full_name", "Owner"),
    "completed": ("completed_on", "Completed on"),
    "unit": ("unit__name", "Unit"),
}
STATES = {
    "standing": "Open",
    "overdue": "Overdue",
    "done": "Done",
    "dropped": "Dropped",
    "all": "All",
}


@dataclass(frozen=True)
class TicketFilter:
    """What a list of tickets is narrowed to.

    `unit` is a slug: its own tickets, those of all below it today, and those of the people who are in it, whose unit
    may be one of another tree.
    """

    unit: str | None = None
    state: str = "standing"  # one of STATES
    search: str = ""
    search_owners: bool = True  # for the text in their names, too
    kind: str = ""
    nature: str = ""
    owner: int | None = None  # a person's id
    metric: str = ""
    objective: int | None = None
    due_on: date | None = None  # on just this day
    of_led_units: bool = False  # of units that the viewer leads, and of whoever is in one of them today


def filtered(params: TicketFilter, visibility: Visibility, *, today: date) -> QuerySet[Ticket]:
    """The tickets that the viewer may see and asks for, with unit, owner and effect."""
    tickets = Ticket.objects.within(visibility).select_related("unit", "owner", "effect")
    if params.unit is not None:
        below = UnitPlacement.objects.filter(ancestor__slug=params.unit, during__contains=today)
        members = Placement.objects.filter(ancestor__slug=params.unit, during__contains=today)
        tickets = tickets.filter(Q(unit__in=below.values("unit")) | Q(owner__in=members.values("person")))
    if params.of_led_units:
        members = Placement.objects.filter(ancestor__in=visibility.managed_ids, during__contains=today)
        tickets = tickets.filter(Q(unit__in=visibility.managed_ids) | Q(owner__in=members.values("person")))
    match params.state:
        case "standing":
            tickets = tickets.standing()
        case "overdue":
            tickets = tickets.overdue(today)
        case "done" | "dropped":
            tickets = tickets.filter(state=params.state)
    if params.search:
        of_owner = Q(owner__full_name__icontains=params.search) if params.search_owners else Q()
        tickets = tickets.filter(Q(title__icontains=params.search) | Q(resolution__icontains=params.search) | of_owner)
    exact = {"kind": params.kind, "nature": params.nature, "metric": params.metric}
    tickets = tickets.filter(**{name: value for name, value in exact.items() if value})
    if params.due_on is not None:
        tickets = tickets.filter(due_on=params.due_on)
    if params.owner is not None:
        tickets = tickets.filter(owner=params.owner)
    if params.objective is not None:
        tickets = tickets.filter(objective__in=Objective.objects.within(visibility).filter(pk=params.objective))
    return tickets


def ordered(tickets: QuerySet[Ticket], sort: str, *, descending: bool) -> QuerySet[Ticket]:
    """By one of SORTS; what somebody still has to do stands before the rest where it is by due date."""
    column = F(SORTS[sort][0])
    order: list[OrderBy | Case | str] = [
        column.desc(nulls_last=True) if descending else column.asc(nulls_last=True),
        "pk",
    ]
    if sort == "due":
        order.insert(0, Case(When(state__in=OPEN_STATES, then=Value(0)), default=Value(1)))
    return tickets.order_by(*order)


def first_of_each_day(tickets: QuerySet[Ticket], number: int) -> QuerySet[Ticket]:
    """By due date: of each day so many, what is to do first, with `of_day`, how many there are."""
    ended = Case(When(state__in=OPEN_STATES, then=Value(0)), default=Value(1))
    numbered = tickets.annotate(
        place=Window(RowNumber(), partition_by=F("due_on"), order_by=[ended, F("pk").asc()]),
        of_day=Window(Count("pk"), partition_by=F("due_on")),
    )
    return numbered.filter(place__lte=number).order_by("due_on", "place")


BOARD_STATES = (TicketState.OPEN, TicketState.IN_PROGRESS, TicketState.DONE, TicketState.DROPPED)
