"""Meetings as calendar objects: RFC 5545, with the methods of RFC 5546.

Times are in UTC: each calendar shows them in its reader's time zone, and no time zone definition can be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.urls import reverse
from icalendar import Calendar, Event, vCalAddress

from orgtree.models import Person
from programs.models import Meeting, MessageKind, Notice
from programs.reminders.services.channels import CalendarObject

UNQUOTABLE = re.compile(r"[\x00-\x1f\x7f\"]")  # no parameter holds these, not even in quotes (RFC 5545, 3.2)
PRODUCT = "-//Headway//Meetings//EN"
REFRESHED_EVERY = timedelta(hours=1)  # the interval suggested to calendar programs


def calendar_object(notice: Notice) -> CalendarObject | None:
    """The calendar object of an invitation or cancellation, equal for every attempt to send it; None for other
    notices.
    """
    meeting = notice.meeting
    if meeting is None or notice.kind not in (MessageKind.MEETING_INVITATION, MessageKind.MEETING_CANCELLED):
        return None
    if notice.kind == MessageKind.MEETING_INVITATION:
        people = Person.objects.filter(pk__in=meeting.participants.invited().values("person")).order_by("full_name")
        return CalendarObject("REQUEST", _calendar("REQUEST", [_event(meeting, attendees=people)]))
    # A person removed from a meeting that still takes place gets its cancellation, too.
    event = _event(meeting, is_cancelled=True)
    event.add("attendee", _address(notice.account.email, notice.account.get_full_name()))
    return CalendarObject("CANCEL", _calendar("CANCEL", [event]))


def calendar_file(meetings: Sequence[Meeting], *, name: str) -> bytes:
    """A calendar file of meetings; it names no people.  Meetings come with their series and its unit."""
    return _calendar("PUBLISH", [_event(meeting) for meeting in meetings], name=name)


def _calendar(method: str, events: Iterable[Event], *, name: str = "") -> bytes:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    if name:
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", REFRESHED_EVERY, parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", "PT1H")  # the same for programs older than RFC 7986
    for event in events:
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _event(meeting: Meeting, *, attendees: Iterable[Person] = (), is_cancelled: bool | None = None) -> Event:
    """The event; `is_cancelled` overrides the meeting's state for a single recipient."""
    url = settings.BASE_URL + reverse("meeting", args=[meeting.pk])
    event = Event()
    event.add("uid", str(meeting.uid))
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", meeting.changed_at)
    event.add("last-modified", meeting.changed_at)
    event.add("dtstart", meeting.starts_at.astimezone(UTC))
    event.add("dtend", meeting.ends_at.astimezone(UTC))
    event.add("summary", meeting.series.title)
    event.add("description", f"{url}\nHeadway does not read answers to this invitation.")
    event.add("url", url)
    if meeting.series.location:
        event.add("location", meeting.series.location)
    cancelled = meeting.is_cancelled if is_cancelled is None else is_cancelled
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    sender, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    event.add("organizer", _address(address, sender or "Headway"))
    for person in attendees:
        if person.email:
            event.add("attendee", _address(person.email, person.full_name))
    return event


def _address(address: str, name: str) -> vCalAddress:
    made = vCalAddress(f"mailto:{address}")
    if name := " ".join(UNQUOTABLE.sub(" ", name).split()):
        made.params["cn"] = name
    return made
