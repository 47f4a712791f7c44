"""Labels of meetings and of their series."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import Q
from django.db.models.functions import Lower

from insights.query import windows
from orgtree.models import Person
from programs.meetings.services.recurrence import countries
from programs.models import MeetingSeries, OnHoliday

NO_HOLIDAYS = "Not respected: the schedule names no country."


def holiday_words(series: MeetingSeries) -> str:
    if not series.country:
        return NO_HOLIDAYS
    name = countries().get(series.country)
    if name is None:
        return f"Not respected: no holidays of “{series.country}” are known any more."
    where = f"{name} ({series.subdivision})" if series.subdivision else name
    becomes = "moved to the next working day" if series.on_holiday == OnHoliday.MOVE else "skipped"
    return f"On a public holiday of {where} the meeting is {becomes}."


def participants_with_notes(people: Iterable[Person]) -> list[tuple[Person, str]]:
    """People sorted by name, with the reason if they get no invitation: they have left or have no account."""
    listed = sorted(people, key=lambda person: person.full_name)
    keys = [person.pk for person in listed]
    here = set(Person.objects.there_on(windows.local_today()).filter(pk__in=keys).values_list("pk", flat=True))
    with_account = _with_account(listed)
    return [
        (
            person,
            "has left" if person.pk not in here else "" if person.pk in with_account else "no account, not invited",
        )
        for person in listed
    ]


def _with_account(people: Iterable[Person]) -> set[int]:
    """The ids of people with an account: a linked one, or one with their address, as invitations look them up."""
    addresses = {person.email.lower(): person.pk for person in people if person.email and person.user_id is None}
    linked = {person.user_id: person.pk for person in people if person.user_id is not None}
    accounts = User.objects.filter(is_active=True).annotate(address=Lower("email"))
    found = accounts.filter(Q(pk__in=linked) | Q(address__in=addresses)).values_list("pk", "address")
    return {linked[pk] if pk in linked else addresses[address] for pk, address in found}
