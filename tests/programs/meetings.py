"""The language of meeting tests: a series of Platform, and its notifications."""

from __future__ import annotations

from datetime import date
from typing import Any

import time_machine
from django.utils import timezone

from orgtree.models import Unit
from programs.meetings.services.reminding import remind_of_meetings
from programs.meetings.services.writing import change_series, schedule
from programs.models import Meeting, MeetingKind, MeetingSeries, Notice, Place, Rule, Weekday
from tests.personas import MANAGER, Persona
from tests.programs.tickets import as_

NOW = "2026-06-15T08:00Z"  # a Monday


def on(day: str) -> Any:
    """At eight in the morning of that day, UTC."""
    return time_machine.travel(f"{day}T08:00Z", tick=False)


def given(**fields: Any) -> dict[str, Any]:
    """Platform's reviews on first Tuesdays, 10:00–11:00 in Berlin; a unit or its slug, people by name."""
    usual = {
        "kind": MeetingKind.REVIEW,
        "unit": "platform",
        "rule": Rule.WEEKDAY,
        "place": Place.FIRST,
        "weekday": Weekday.TUESDAY,
        "begins": "10:00",
        "time_zone": "Europe/Berlin",
        "people": ("ada", "edith"),
    }
    written = {**usual, **fields}
    if isinstance(written["unit"], Unit):
        written["unit"] = written["unit"].slug
    people = written.pop("people")
    return {**written, "participants": [f"{name}@example.com" for name in people]}


def scheduled(persona: Persona = MANAGER, **fields: Any) -> MeetingSeries:
    return schedule(as_(persona), given(**fields))


def changed(
    stored: MeetingSeries, persona: Persona = MANAGER, *, people: tuple[str, ...] | None = None, **fields: Any
) -> MeetingSeries:
    """The newest version of it with these changes."""
    newest = MeetingSeries.objects.get(pk=stored.pk)
    participants = {} if people is None else {"participants": [f"{name}@example.com" for name in people]}
    return change_series(as_(persona), newest, {**fields, **participants}, of_version=newest.version)


def coming(stored: MeetingSeries) -> list[Meeting]:
    return list(stored.meetings.filter(starts_at__gt=timezone.now(), state="planned"))


def days(stored: MeetingSeries) -> list[str]:
    return [str(meeting.local_day) for meeting in coming(stored)]


def notices(*, plan: bool = False) -> list[tuple[str, str, str, int]]:
    """Name, kind, day of the meeting, and number of the notices of meetings, each once."""
    before = set() if not plan else set(Notice.objects.values_list("pk", flat=True))
    if plan:
        remind_of_meetings()
    found = Notice.objects.exclude(meeting=None).exclude(pk__in=before).select_related("account", "meeting__series")
    return sorted(
        (
            notice.account.get_username().partition("@")[0],
            notice.kind.removeprefix("meeting_"),
            str(notice.meeting.local_day) if notice.meeting else "",
            notice.number,
        )
        for notice in found
    )


def day(text: str) -> date:
    return date.fromisoformat(text)
