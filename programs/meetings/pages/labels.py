"""Labels of meetings and of their series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from insights.query import windows
from insights.ui import wording
from insights.ui.scope_bar import EVERYBODY
from insights.ui.tiles import Link
from orgtree.models import Person
from programs.meetings.services.records import MeetingRecord
from programs.meetings.services.recurrence import countries
from programs.models import Meeting, MeetingSeries, OnHoliday, Place, Rule, Weekday

NO_HOLIDAYS = "Not respected: the schedule names no country."


@dataclass(frozen=True)
class MeetingLine:
    """A meeting as lists print it."""

    url: str
    title: str
    day: str
    when: str
    zone: str
    about: str
    unit: str
    is_cancelled: bool
    note: str  # why it is not on the day by its rule
    record: Link | None
    is_signed: bool


@dataclass(frozen=True)
class ParticipantLine:
    name: str
    note: str  # why they get no invitation


def meeting_lines(meetings: Iterable[Meeting], records: Mapping[int, MeetingRecord]) -> list[MeetingLine]:
    """In their order.  Meetings come with their series and its unit."""
    return [_line(meeting, records.get(meeting.pk)) for meeting in meetings]


def _line(meeting: Meeting, record: MeetingRecord | None) -> MeetingLine:
    series = meeting.series
    return MeetingLine(
        url=reverse("meeting", args=[meeting.pk]),
        title=series.title,
        day=wording.day(meeting.local_day),
        when=wording.period(meeting.starts_at, meeting.ends_at, series.zone),
        zone=series.time_zone,
        about=period_words(meeting),
        unit=series.unit.name if series.unit else EVERYBODY,
        is_cancelled=meeting.is_cancelled,
        note=moved_words(meeting),
        record=Link(record.title, record.url) if record else None,
        is_signed=record is not None and record.is_signed,
    )


def period_words(meeting: Meeting) -> str:
    """June 2026, or 2026-Q2."""
    if meeting.series.is_quarterly:
        return windows.quarter_name(meeting.period_start)
    return f"{meeting.period_start:%B %Y}"


def moved_words(meeting: Meeting) -> str:
    """Why it is not on the day by its rule; empty where it is."""
    if meeting.local_day == meeting.rule_day:
        return "Time changed" if meeting.is_exception and not meeting.is_cancelled else ""
    return f"Moved from {wording.day(meeting.rule_day)}"


def rule_words(series: MeetingSeries) -> str:
    """Such as “First Tuesday of the month, 10:00–11:00 (Europe/Berlin)”."""
    months = "the month" if series.every_months == 1 else f"every {_ordinal(series.every_months)} month"
    weekday = Weekday(series.weekday).label if series.weekday is not None else ""
    if series.rule == Rule.DAY:
        day = f"Day {series.day} of {months}"
    elif series.rule == Rule.WEEKDAY:
        day = f"{Place(series.place or 1).label} {weekday} of {months}"
    else:
        day = f"{weekday} of week {series.week} after the quarter's end"
    hours, minutes = divmod(series.begins.hour * 60 + series.begins.minute + series.minutes, 60)
    return f"{day}, {series.begins:%H:%M}–{hours % 24:02}:{minutes:02} ({series.time_zone})"


def _ordinal(number: int) -> str:
    return f"{number}{ {2: 'nd', 3: 'rd'}.get(number, 'th') }"


def holiday_words(series: MeetingSeries) -> str:
    if not series.country:
        return NO_HOLIDAYS
    name = countries().get(series.country)
    if name is None:
        return f"Not respected: no holidays of “{series.country}” are known any more."
    where = f"{name} ({series.subdivision})" if series.subdivision else name
    becomes = "moved to the next working day" if series.on_holiday == OnHoliday.MOVE else "skipped"
    return f"On a public holiday of {where} the meeting is {becomes}."


def participant_lines(people: Iterable[Person]) -> list[ParticipantLine]:
    """By name; who left or has no account gets no invitation."""
    listed = sorted(people, key=lambda person: person.full_name)
    keys = [person.pk for person in listed]
    here = set(Person.objects.there_on(windows.local_today()).filter(pk__in=keys).values_list("pk", flat=True))
    with_account = _with_account(listed)
    return [
        ParticipantLine(
            person.full_name,
            "has left" if person.pk not in here else "" if person.pk in with_account else "no account, not invited",
        )
        for person in listed
    ]


def _with_account(people: Iterable[Person]) -> set[int]:
    """As invitations find accounts: the linked one, else one with the person's address."""
    addresses = {person.email.lower(): person.pk for person in people if person.email and person.user_id is None}
    linked = {person.user_id: person.pk for person in people if person.user_id is not None}
    accounts = User.objects.filter(is_active=True).annotate(address=Lower("email"))
    found = accounts.filter(Q(pk__in=linked) | Q(address__in=addresses)).values_list("pk", "address")
    return {linked[pk] if pk in linked else addresses[address] for pk, address in found}
