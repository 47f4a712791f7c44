"""Creates the meetings of series, half a year ahead, and updates them when the rule changes."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.authorship import changes_by
from insights.query import windows
from programs.meetings.services.recurrence import Occurrence, moments, occurrences
from programs.models import Meeting, MeetingParticipant, MeetingSeries, MeetingState
from programs.models.meetings import LONGEST_TEXT
from programs.teams.fields import exists_today

MONTHS_AHEAD = 6
NOT_ON_SCHEDULE = "The schedule was changed."


def make_meetings_ahead() -> int:
    """Adds the missing meetings of all series; returns the number of series.

    Each series has its own transaction, so that the next run completes an interrupted one.
    """
    today = windows.local_today()
    until = _horizon(today)
    behind = MeetingSeries.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=today), Q(made_until=None) | Q(made_until__lt=until)
    )
    keys = list(behind.values_list("pk", flat=True))
    for pk in keys:
        with transaction.atomic(), changes_by(None):
            series = behind.select_for_update(skip_locked=True).filter(pk=pk).first()
            if series is not None:
                plan_meetings(series)
    return len(keys)


def plan_meetings(series: MeetingSeries) -> None:
    """Creates missing meetings of the rule, moves coming ones to the rule's times, and cancels those that it no longer
    has.  Meetings changed by hand stay, unless the rule no longer has their period at all.

    Runs in a transaction that has locked the series.  Past meetings are created only for a new series; a unit that is
    no longer in any Org Tree gets no further ones.
    """
    now, is_new = timezone.now(), series.made_until is None
    until = _horizon(windows.local_today())
    wanted = {occurrence.period.start: occurrence for occurrence in occurrences(series, until=until)}
    known = {meeting.period_start: meeting for meeting in series.meetings.all()}
    for start, meeting in known.items():
        if meeting.starts_at > now:
            _follow(series, meeting, wanted.get(start), now)
    if series.unit is None or exists_today(series.unit):
        missing = [occurrence for start, occurrence in wanted.items() if start not in known]
        _make(series, missing, now, past=is_new)
    _set_participants(series, now)
    series.made_until = until
    series.save(update_fields=["made_until"])


def _horizon(today: date) -> date:
    """The same day six months later, or the last day of that month if it is shorter."""
    year, month = divmod(today.year * 12 + today.month - 1 + MONTHS_AHEAD, 12)
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def _make(series: MeetingSeries, missing: Iterable[Occurrence], now: datetime, *, past: bool) -> None:
    """Adds the missing meetings; those in the past only if `past` is true."""
    made = []
    for occurrence in missing:
        if occurrence.day is None:
            continue
        starts_at, ends_at = moments(series, occurrence.day)
        if past or starts_at > now:
            made.append(
                Meeting(
                    series=series,
                    period_start=occurrence.period.start,
                    period_end=occurrence.period.end,
                    rule_day=occurrence.rule_day,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    changed_at=now,
                )
            )
    Meeting.objects.bulk_create(made)
    people = list(series.participants.values_list("pk", flat=True))
    MeetingParticipant.objects.bulk_create(
        MeetingParticipant(meeting=meeting, person_id=person) for meeting in made for person in people
    )


def _follow(series: MeetingSeries, meeting: Meeting, occurrence: Occurrence | None, now: datetime) -> None:
    """Moves a coming meeting to the rule's time, or cancels it if the rule no longer has it (None)."""
    if occurrence is None or (occurrence.day is None and not meeting.is_exception):
        why = occurrence.holiday if occurrence else NOT_ON_SCHEDULE
        state, times = MeetingState.CANCELLED, (meeting.starts_at, meeting.ends_at)
    elif meeting.is_exception or occurrence.day is None:
        return
    else:
        state, why, times = MeetingState.PLANNED, "", moments(series, occurrence.day)
    if meeting.state == state and (state == MeetingState.CANCELLED or (meeting.starts_at, meeting.ends_at) == times):
        return
    meeting.state, meeting.cancelled_why = state, why[:LONGEST_TEXT]
    meeting.starts_at, meeting.ends_at = times
    meeting.is_exception = False
    meeting.rule_day = occurrence.rule_day if occurrence else meeting.rule_day
    meeting.sequence += 1
    meeting.moved_in, meeting.changed_at = meeting.sequence, now
    meeting.save()


def _set_participants(series: MeetingSeries, now: datetime) -> None:
    """Sets the participants of future meetings to those of the series; past meetings keep theirs."""
    people = set(series.participants.values_list("pk", flat=True))
    coming = series.meetings.filter(starts_at__gt=now, state=MeetingState.PLANNED).prefetch_related("participants")
    for meeting in coming:
        known = {participant.person_id: participant for participant in meeting.participants.all()}
        removed = [one for one in known.values() if one.removed_at is None and one.person_id not in people]
        back = [one for one in known.values() if one.removed_at is not None and one.person_id in people]
        new = [MeetingParticipant(meeting=meeting, person_id=person) for person in people - known.keys()]
        if not (removed or back or new):
            continue
        meeting.sequence += 1
        meeting.changed_at = now
        meeting.save(update_fields=["sequence", "changed_at"])
        for participant in (*removed, *back, *new):
            participant.changed_in = meeting.sequence
            participant.removed_at = now if participant in removed else None
        MeetingParticipant.objects.bulk_update((*removed, *back), ["changed_in", "removed_at"])
        MeetingParticipant.objects.bulk_create(new)
