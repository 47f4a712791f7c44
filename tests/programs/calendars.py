"""Calendar objects as two parsers read them that know nothing of each other, and that have to agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import vobject  # type: ignore[import-untyped]
from icalendar import Calendar

Event = Mapping[str, str]


def events_in(text: str) -> tuple[str, list[Event]]:
    """The method, and the events."""
    found = _of_icalendar(text)
    assert found == _of_vobject(text)
    return found


def _of_icalendar(text: str) -> tuple[str, list[Event]]:
    calendar: Any = Calendar.from_ical(text)
    events = calendar.walk("VEVENT")
    assert not [event.errors for event in events if event.errors]
    return str(calendar["METHOD"]), [
        {
            "uid": str(event["UID"]),
            "sequence": str(event["SEQUENCE"]),
            "status": str(event["STATUS"]),
            "summary": str(event["SUMMARY"]),
            "start": event["DTSTART"].dt.isoformat(),
            "end": event["DTEND"].dt.isoformat(),
            "location": str(event.get("LOCATION", "")),
            "organizer": str(event["ORGANIZER"]),
            "attendees": _joined(event.get("ATTENDEE", [])),
        }
        for event in events
    ]


def _of_vobject(text: str) -> tuple[str, list[Event]]:
    calendar = vobject.readOne(text)
    return calendar.method.value, [
        {
            "uid": event.uid.value,
            "sequence": event.sequence.value,
            "status": event.status.value,
            "summary": event.summary.value,
            "start": event.dtstart.value.isoformat(),
            "end": event.dtend.value.isoformat(),
            "location": event.location.value if hasattr(event, "location") else "",
            "organizer": event.organizer.value,
            "attendees": _joined([one.value for one in event.contents.get("attendee", [])]),
        }
        for event in calendar.contents.get("vevent", [])
    ]


def _joined(attendees: Any) -> str:
    return ", ".join(sorted(str(one) for one in (attendees if isinstance(attendees, list) else [attendees])))
