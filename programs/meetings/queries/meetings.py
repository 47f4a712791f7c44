"""Queries that link meetings with reviews and QBRs, find the next one, and filter lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from core.list_filters import ListFilters, YesFilter
from insights.query import windows
from insights.query.errors import UnknownUnitError
from orgtree.models import Unit, UnitPlacement
from orgtree.models.visibility import Visibility
from programs.models import Meeting, MeetingKind, MeetingParticipant, MeetingState

WHEN = {"upcoming": "Upcoming", "past": "Past"}


def next_meeting(kind: MeetingKind, unit: Unit | None, after: datetime) -> Meeting | None:
    """The first that is planned after that moment; of the whole organisation without a unit."""
    of_kind = Meeting.objects.planned().filter(series__kind=kind, series__unit=unit, starts_at__gt=after)
    return of_kind.select_related("series__unit").first()


def meeting_about(kind: MeetingKind, unit: Unit | None, start: date, end: date) -> Meeting | None:
    """The one about the period [start, end), planned before cancelled, the first of several."""
    about = Meeting.objects.filter(series__kind=kind, series__unit=unit, period_start=start, period_end=end)
    return about.select_related("series__unit").order_by("-state", "starts_at").first()


class MeetingFilters(ListFilters):
    """The meetings that the viewer may see and asks for, with their series and its unit: of upcoming ones the next
    first, else the latest first."""

    unit = django_filters.CharFilter(method="of_unit", help_text="Slug: its meetings, and those of units below it.")
    kind = django_filters.ChoiceFilter(
        label="Kind",
        empty_label="All",
        field_name="series__kind",
        choices=[(MeetingKind.REVIEW.value, "Reviews"), (MeetingKind.QBR.value, "QBRs")],
    )
    when = django_filters.ChoiceFilter(method="at_a_time", choices=list(WHEN.items()), help_text="Without it: all.")
    mine = YesFilter(method="of_viewer", help_text="Those that you take part in.")
    state = django_filters.ChoiceFilter(choices=MeetingState.choices)
    starts_after = django_filters.IsoDateTimeFilter(
        field_name="starts_at", lookup_expr="gte", help_text="ISO 8601, inclusive."
    )
    starts_before = django_filters.IsoDateTimeFilter(
        field_name="starts_at", lookup_expr="lt", help_text="ISO 8601, exclusive."
    )

    def __init__(self, data: Mapping[str, Any], visibility: Visibility) -> None:
        super().__init__(data, Meeting.objects.within(visibility).select_related("series__unit"))
        self.visibility = visibility

    @property
    def qs(self) -> QuerySet[Meeting]:
        """Raises FieldError, UnknownUnitError."""
        order = ("starts_at", "pk") if self.chosen["when"] == "upcoming" else ("-starts_at", "-pk")
        return super().qs.order_by(*order)

    def of_unit(self, meetings: QuerySet[Meeting], _name: str, slug: str) -> QuerySet[Meeting]:
        if not Unit.objects.within(self.visibility).filter(slug=slug).exists():
            raise UnknownUnitError(slug)
        below = UnitPlacement.objects.filter(ancestor__slug=slug, during__contains=windows.local_today())
        return meetings.filter(series__unit__in=below.values("unit"))

    def of_viewer(self, meetings: QuerySet[Meeting], _name: str, _yes: str) -> QuerySet[Meeting]:
        takes_part = MeetingParticipant.objects.invited().filter(
            meeting=OuterRef("pk"), person=self.visibility.person_id
        )
        return meetings.filter(Exists(takes_part))

    def at_a_time(self, meetings: QuerySet[Meeting], _name: str, when: str) -> QuerySet[Meeting]:
        now = timezone.now()
        return meetings.filter(ends_at__lte=now) if when == "past" else meetings.filter(ends_at__gt=now)
