"""Schedules, changes and ends series; moves and cancels single meetings.

Managers do so for their units, executives and admins for all.  The history (django-pghistory) records each change with
its account; participants are notified in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.write_errors import ConflictError, FieldError, MayNotWriteError, checked_text
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.meetings.services.fields import series_fields
from programs.meetings.services.planning import plan_meetings
from programs.meetings.services.reminding import tell_of_changes
from programs.models import Meeting, MeetingSeries, MeetingState
from programs.models.meetings import LAST_DAY, LONGEST_TEXT
from programs.requests.visible import account_of

LONGEST_MEETING = timedelta(hours=12)


def schedule(access: Access, given: Mapping[str, Any]) -> MeetingSeries:
    """Stores a new series and creates its meetings; `given` has the fields of the API.

    Raises FieldError, MayNotWriteError.
    """
    account = account_of(access)
    fields = series_fields(access, given)
    participants = fields.pop("participants", ())
    with changes_by(account):
        series = MeetingSeries.objects.create(**fields, written_by=account)
        series.participants.set(participants)
        plan_meetings(series)
        tell_of_changes(series)
    return series


def change_series(access: Access, series: MeetingSeries, given: Mapping[str, Any], *, of_version: int) -> MeetingSeries:
    """Stores the given fields; coming meetings follow, except those changed by hand.

    Values equal to the stored ones are no change.  Raises FieldError, MayNotWriteError, and ConflictError, storing
    nothing, if the series has changed since `of_version`.
    """
    _check_may_schedule(access, series.unit)
    with changes_by(account_of(access)):
        stored = MeetingSeries.objects.select_for_update().get(pk=series.pk)
        fields = series_fields(access, given, stored)
        invited = set(stored.participants.all())
        participants = set(fields.pop("participants", invited))
        conflict = "Somebody changed this schedule in the meantime."
        if take_fields(stored, fields, of_version, conflict, also=participants != invited):
            stored.save()
            stored.participants.set(participants)
            plan_meetings(stored)
            tell_of_changes(stored)
    return stored


def end_series(access: Access, series: MeetingSeries) -> MeetingSeries:
    """Makes today the last day of the series and cancels its coming meetings.  One that has ended stays as it is."""
    today = windows.local_today()
    if series.ends_on is not None and series.ends_on <= today:
        return series
    last = today if series.starts_on <= today else today - timedelta(days=1)
    ended = {"ends_on": last, "starts_on": min(series.starts_on, last)}
    return change_series(access, series, ended, of_version=series.version)


def move(access: Access, meeting: Meeting, starts_at: datetime, ends_at: datetime, *, of_sequence: int) -> Meeting:
    """Reschedules the meeting; a cancelled one is reinstated.

    Raises FieldError, MayNotWriteError, and ConflictError if it has changed since `of_sequence`.
    """
    with changes_by(account_of(access)):
        stored = _locked(access, meeting)
        if (stored.starts_at, stored.ends_at) == (starts_at, ends_at) and not stored.is_cancelled:
            return stored
        _check_sequence(stored, of_sequence)
        if not timezone.now() < starts_at < datetime(LAST_DAY.year, 1, 1, tzinfo=UTC):
            raise FieldError("starts_at", f"It must start after now and before {LAST_DAY.year}.")
        if not timedelta(0) < ends_at - starts_at <= LONGEST_MEETING:
            raise FieldError("ends_at", "It must end after it starts, at most 12 hours later.")
        stored.starts_at, stored.ends_at = starts_at, ends_at
        stored.state, stored.cancelled_why = MeetingState.PLANNED, ""
        return _changed_by_hand(stored)


def cancel(access: Access, meeting: Meeting, why: str, *, of_sequence: int) -> Meeting:
    """Cancels the meeting; a cancelled one stays as it is.  Raises like `move`."""
    with changes_by(account_of(access)):
        stored = _locked(access, meeting)
        if stored.is_cancelled:
            return stored
        _check_sequence(stored, of_sequence)
        if stored.ends_at <= timezone.now():
            raise FieldError("", "It is over, and can no longer be cancelled.")
        stored.state = MeetingState.CANCELLED
        stored.cancelled_why = checked_text("reason", why, LONGEST_TEXT)
        return _changed_by_hand(stored)


def _check_may_schedule(access: Access, unit: Unit | None) -> None:
    if not access.visibility.leads(unit.pk if unit else None):
        whose = unit.name if unit else "the whole organisation"
        who = "its managers, executives and admins" if unit else "executives and admins"
        raise MayNotWriteError(f"Meetings of {whose} are scheduled by {who}.")


def _locked(access: Access, meeting: Meeting) -> Meeting:
    """The meeting, locked after its series: the same order as in planning."""
    series = MeetingSeries.objects.select_for_update().get(pk=meeting.series_id)
    _check_may_schedule(access, series.unit)
    return Meeting.objects.select_related("series__unit").get(pk=meeting.pk)


def _check_sequence(stored: Meeting, sequence: int) -> None:
    if stored.sequence != sequence:
        raise ConflictError("Somebody changed this meeting in the meantime.", stored)


def _changed_by_hand(meeting: Meeting) -> Meeting:
    meeting.is_exception = True
    meeting.sequence += 1
    meeting.moved_in = meeting.sequence
    meeting.changed_at = timezone.now()
    meeting.save()
    tell_of_changes(meeting.series)
    return meeting
