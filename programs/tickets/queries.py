"""Columns, filters and order of lists of tickets, for the page's table and for the CSV file, which the import reads."""

from __future__ import annotations

from datetime import date

import django_filters
from django.db.models import Case, Count, F, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from core.columns import Columns, columns_of
from core.list_filters import NumberFilter, SortFilter, ViewerFilters, YesFilter
from orgtree.access.access import Access
from orgtree.models import Placement, UnitPlacement
from orgtree.models.visibility import Visibility
from programs.models import BottleneckKind, Nature, Objective, Ticket, TicketState
from programs.models.tickets import OPEN_STATES, TicketQuerySet
from programs.requests.visible import UnitFilter, check_is_of_account

COLUMNS = columns_of(
    Ticket,
    *("number", "nature", "title", "resolution", "kind", "unit", "owner", "starts_on", "due_on", "completed_on"),
    *("state", "dropped_why", "metric", "objective", "pull_requests", "effort", "effect"),
    labels={"number": "Number", "dropped_why": "Why it was dropped", "unit": "Unit", "effect": "Before → after"},
    sorts={
        "due": "due_on",
        "title": "title",
        "owner": "owner__full_name",
        "completed": "completed_on",
        "unit": "unit__name",
    },
)
FILE = Columns(column for column in COLUMNS if column.name != "effect")
TABLE = COLUMNS.named("title", "resolution", "owner", "due_on", "completed_on", "effect", "unit", "effort")
PAGE = COLUMNS.named("starts_on", "effort")  # on a ticket's page, unformatted, between owner and due date


STATES = {
    "standing": "Open",
    "overdue": "Overdue",
    "done": "Done",
    "dropped": "Dropped",
    "all": "All",
}
BOARD_STATES = (TicketState.OPEN, TicketState.IN_PROGRESS, TicketState.DONE, TicketState.DROPPED)
OPEN_FIRST = Case(When(state__in=OPEN_STATES, then=Value(0)), default=Value(1))


class TicketFilters(ViewerFilters):
    """The tickets that the viewer may see and that match the filters, with unit, owner and effect."""

    unit = UnitFilter(selects="of_unit", help_text="Slug: its tickets, those below it and those of its people.")
    teams = YesFilter(method="of_teams", help_text="Only units that you manage, and people in them.")
    mine = YesFilter(method="own", help_text="Yours.")
    state = django_filters.ChoiceFilter(
        label="State", method="in_state", choices=list(STATES.items()), help_text="Default: all."
    )
    nature = django_filters.ChoiceFilter(
        label="Type",
        empty_label="All",
        choices=[(Nature.OPPORTUNITY.value, "Opportunities"), (Nature.CHALLENGE.value, "Challenges")],
    )
    kind = django_filters.ChoiceFilter(label="Cause", empty_label="Any cause", choices=BottleneckKind.choices)
    effort = django_filters.ChoiceFilter(label="Effort", empty_label="Any effort", choices=Ticket.Effort.choices)
    owner = django_filters.CharFilter(method="of_owner", help_text="E-mail address.")
    metric = django_filters.CharFilter(help_text="The metric that they are to move.")
    objective = NumberFilter(method="of_objective", help_text="Number of an objective.")
    due = django_filters.DateFilter(
        field_name="due_on", input_formats=["%Y-%m-%d"], help_text="Due on just this day, 2026-09-30."
    )
    q = django_filters.CharFilter(method="with_text", help_text="Text in title, resolution or the owner's name.")
    sort = SortFilter(COLUMNS, default="due", leading={"due": OPEN_FIRST})

    def visible(self, access: Access) -> QuerySet[Ticket]:
        return Ticket.objects.within(access.visibility).select_related("unit", "owner", "effect")

    def of_unit(self, tickets: QuerySet[Ticket], slug: str) -> QuerySet[Ticket]:
        """Filters by a unit, its descendants of today, and units of the same people in other trees."""
        below = UnitPlacement.objects.filter(ancestor__slug=slug, during__contains=self.today)
        members = Placement.objects.filter(ancestor__slug=slug, during__contains=self.today)
        return tickets.filter(Q(unit__in=below.values("unit")) | Q(owner__in=members.values("person")))

    def of_teams(self, tickets: QuerySet[Ticket], _name: str, _yes: str) -> QuerySet[Ticket]:
        return tickets.filter(of_managed_units(self.access.visibility, self.today))

    def own(self, tickets: QuerySet[Ticket], _name: str, _yes: str) -> QuerySet[Ticket]:
        person = self.access.visibility.person_id
        return tickets.none() if person is None else tickets.filter(owner=person)

    def in_state(self, tickets: TicketQuerySet, _name: str, state: str) -> QuerySet[Ticket]:
        match state:
            case "standing":
                return tickets.standing()
            case "overdue":
                return tickets.overdue(self.today)
            case "all":
                return tickets
        return tickets.filter(state=state)

    def of_owner(self, tickets: QuerySet[Ticket], _name: str, address: str) -> QuerySet[Ticket]:
        check_is_of_account(self.access)
        return tickets.filter(owner__email__iexact=address)

    def of_objective(self, tickets: QuerySet[Ticket], _name: str, number: int) -> QuerySet[Ticket]:
        return tickets.filter(objective__in=Objective.objects.within(self.access.visibility).filter(pk=number))

    def with_text(self, tickets: QuerySet[Ticket], _name: str, text: str) -> QuerySet[Ticket]:
        of_owner = Q(owner__full_name__icontains=text) if self.access.is_of_account else Q()
        return tickets.filter(Q(title__icontains=text) | Q(resolution__icontains=text) | of_owner)


def of_managed_units(visibility: Visibility, today: date) -> Q:
    """Selects tickets of units that the viewer manages, and of people who are in one of them today."""
    members = Placement.objects.filter(ancestor__in=visibility.managed_ids, during__contains=today)
    return Q(unit__in=visibility.managed_ids) | Q(owner__in=members.values("person"))


def first_of_each_day(tickets: QuerySet[Ticket], number: int) -> QuerySet[Ticket]:
    """The first tickets of each due date, open ones first; `of_day` is the day's total."""
    numbered = tickets.annotate(
        place=Window(RowNumber(), partition_by=F("due_on"), order_by=[OPEN_FIRST, F("pk").asc()]),
        of_day=Window(Count("pk"), partition_by=F("due_on")),
    )
    return numbered.filter(place__lte=number).order_by("due_on", "place")
