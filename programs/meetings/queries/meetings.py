"""Queries that link meetings to reviews and QBRs, find the next one, and filter lists."""

from __future__ import annotations

from datetime import date, datetime

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from core.list_filters import ViewerFilters, YesFilter
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.models import Meeting, MeetingKind, MeetingParticipant, MeetingSeries, MeetingState
from programs.requests.visible import UnitFilter, check_is_of_account

WHEN = {"upcoming": "Upcoming", "past": "Past"}


def next_meeting(kind: MeetingKind, unit: Unit | None, after: datetime) -> Meeting | None:
    """The first meeting planned after that moment; without a unit, of the whole organisation."""
    of_kind = Meeting.objects.planned().filter(series__kind=kind, series__unit=unit, starts_at__gt=after)
    return of_kind.select_related("series__unit").first()


def meeting_about(kind: MeetingKind, unit: Unit | None, start: date, end: date) -> Meeting | None:
    """The first meeting about the period [start, end); planned ones come before cancelled ones."""
    about = Meeting.objects.filter(series__kind=kind, series__unit=unit, period_start=start, period_end=end)
    return about.select_related("series__unit").order_by("-state", "starts_at").first()


class MeetingFilters(ViewerFilters):
    """The meetings that the viewer may see and that match the filters, with series and unit; upcoming ones are in time
    order, others latest first.
    """

    unit = UnitFilter(field_name="series__unit", help_text="Slug: its meetings, and those of units below it.")
    when = django_filters.ChoiceFilter(
        label="When", method="at_a_time", choices=list(WHEN.items()), help_text="Default: all."
    )
    kind = django_filters.ChoiceFilter(
        label="Kind",
        empty_label="All",
        field_name="series__kind",
        choices=[(MeetingKind.REVIEW.value, "Reviews"), (MeetingKind.QBR.value, "QBRs")],
    )
    mine = YesFilter(method="of_viewer", help_text="Meetings that you take part in.")
    state = django_filters.ChoiceFilter(choices=MeetingState.choices)
    starts_after = django_filters.IsoDateTimeFilter(
        field_name="starts_at", lookup_expr="gte", help_text="ISO 8601, inclusive."
    )
    starts_before = django_filters.IsoDateTimeFilter(
        field_name="starts_at", lookup_expr="lt", help_text="ISO 8601, exclusive."
    )

    def visible(self, access: Access) -> QuerySet[Meeting]:
        return Meeting.objects.within(access.visibility).select_related("series__unit")

    @property
    def qs(self) -> QuerySet[Meeting]:
        """The filtered meetings.  Raises FieldError, UnknownUnitError."""
        order = ("starts_at", "pk") if self.chosen["when"] == "upcoming" else ("-starts_at", "-pk")
        return super().qs.order_by(*order)

    def of_viewer(self, meetings: QuerySet[Meeting], _name: str, _yes: str) -> QuerySet[Meeting]:
        takes_part = MeetingParticipant.objects.invited().filter(
            meeting=OuterRef("pk"), person=self.access.visibility.person_id
        )
        return meetings.filter(Exists(takes_part))

    def at_a_time(self, meetings: QuerySet[Meeting], _name: str, when: str) -> QuerySet[Meeting]:
        now = timezone.now()
        return meetings.filter(ends_at__lte=now) if when == "past" else meetings.filter(ends_at__gt=now)


class SeriesFilters(ViewerFilters):
    """The schedules that the viewer may change, with unit and participants."""

    def visible(self, access: Access) -> QuerySet[MeetingSeries]:
        check_is_of_account(access)
        series = MeetingSeries.objects.within(access.visibility).select_related("unit")
        return series.prefetch_related("participants").order_by("pk")
