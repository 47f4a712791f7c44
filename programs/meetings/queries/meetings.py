"""Which meeting belongs to a review or a QBR, and which is next."""

from __future__ import annotations

from datetime import date, datetime

from orgtree.models import Unit
from programs.models import Meeting, MeetingKind


def next_meeting(kind: MeetingKind, unit: Unit | None, after: datetime) -> Meeting | None:
    """The first that is planned after that moment; of the whole organisation without a unit."""
    of_kind = Meeting.objects.planned().filter(series__kind=kind, series__unit=unit, starts_at__gt=after)
    return of_kind.select_related("series__unit").first()


def meeting_about(kind: MeetingKind, unit: Unit | None, start: date, end: date) -> Meeting | None:
    """The one about the period [start, end), planned before cancelled, the first of several."""
    about = Meeting.objects.filter(series__kind=kind, series__unit=unit, period_start=start, period_end=end)
    return about.select_related("series__unit").order_by("-state", "starts_at").first()
