"""The demo's meetings: a year of monthly reviews of each team, and of QBRs of the departments and the organisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from demo.load.personas import PERSONAS
from demo.plan.organisation import FOUNDATIONS, LEADERS, STOREFRONT
from demo.plan.people import CHECKOUT, DATA, MOBILE, PLATFORM, SEARCH, email_of
from demo.plan.year import DemoYear
from insights.query.windows import local_today
from orgtree.access.access import Access, access_of
from orgtree.models import Person, Unit
from programs.meetings.services.reminding import remind_of_meetings
from programs.meetings.services.writing import cancel, move, schedule
from programs.models import Meeting, MeetingKind, MeetingSeries, Place, Rule, Weekday

A_YEAR = timedelta(days=365)
TEAMS = (CHECKOUT, SEARCH, MOBILE, PLATFORM, DATA)
EVERYBODY = ""
EXECUTIVE = "Erin Executive"
OF_STOREFRONT = (CHECKOUT, SEARCH, MOBILE)


@dataclass(frozen=True, slots=True)
class DemoSeries:
    unit: str  # a name; empty: the whole organisation
    kind: MeetingKind
    begins: time
    weekday: Weekday
    rule: Rule = Rule.WEEKDAY
    place: Place | None = Place.FIRST
    week: int | None = None
    every_months: int = 1
    time_zone: str = "Europe/Berlin"
    country: str = "DE"
    location: str = "https://meet.example.com/reviews"


def _reviews() -> Sequence[DemoSeries]:
    """Series of reviews on the first days of the month, one after another."""
    return [
        DemoSeries(team, MeetingKind.REVIEW, time(9 + number), Weekday.TUESDAY) for number, team in enumerate(TEAMS)
    ]


SERIES = (
    *_reviews(),
    DemoSeries(
        EVERYBODY, MeetingKind.QBR, time(14), Weekday.THURSDAY, Rule.QUARTER_WEEK, None, 2, 3, "Europe/London", "GB",
        "Board room",
    ),
    DemoSeries(STOREFRONT, MeetingKind.QBR, time(10), Weekday.WEDNESDAY, Rule.QUARTER_WEEK, None, 2, 3),
    DemoSeries(FOUNDATIONS, MeetingKind.QBR, time(13), Weekday.WEDNESDAY, Rule.QUARTER_WEEK, None, 2, 3),
)  # fmt: skip


def write_demo_meetings(year: DemoYear, *, today: date) -> None:
    """Schedule the demo's meetings as the executive; a second call changes nothing."""
    if year.flavour.is_quiet or MeetingSeries.objects.exists():
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access = access_of(User.objects.get(username=executive.email))
    for planned in SERIES:
        if not planned.unit or Unit.objects.filter(slug=planned.unit.lower()).exists():  # a small demo has fewer
            schedule(access, _given(planned, today))
    _change_some(access)
    remind_of_meetings()


def _given(planned: DemoSeries, today: date) -> dict[str, Any]:
    return {
        "kind": planned.kind,
        "unit": planned.unit.lower(),
        "rule": planned.rule,
        "place": planned.place,
        "weekday": planned.weekday,
        "week": planned.week,
        "every_months": planned.every_months,
        "begins": planned.begins,
        "time_zone": planned.time_zone,
        "country": planned.country,
        "location": planned.location,
        "starts_on": today - A_YEAR,
        "participants": _participants(planned),
    }


def _participants(planned: DemoSeries) -> list[str]:
    """Addresses of planned participants who are in the demo and have not left."""
    if planned.unit in TEAMS:
        director = LEADERS[STOREFRONT if planned.unit in OF_STOREFRONT else FOUNDATIONS]
        names = [LEADERS[planned.unit], director, *(["Max Member"] if planned.unit == CHECKOUT else [])]
    else:
        names = [EXECUTIVE, LEADERS[STOREFRONT], LEADERS[FOUNDATIONS], *(LEADERS[team] for team in TEAMS)]
    here = Person.objects.there_on(local_today()).filter(email__in=[email_of(name) for name in names])
    return [person.email for person in here if person.email]


def _change_some(access: Access) -> None:
    """Move Checkout's next review to a day later than planned, and cancel one of Search's."""
    for slug in ("checkout", "search"):
        coming = Meeting.objects.filter(series__unit__slug=slug, starts_at__gt=timezone.now() + timedelta(days=1))
        meeting = coming.first()
        if meeting is None:
            continue
        if slug == "search":
            cancel(access, meeting, "Half of the team is at a conference.", of_sequence=0)
        else:
            a_day = timedelta(days=1)
            move(access, meeting, meeting.starts_at + a_day, meeting.ends_at + a_day, of_sequence=0)
