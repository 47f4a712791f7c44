"""The units of people, and the owners of things: they change by day, and so do the parents of units."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tests.delivery.oracle.calendar import DateRange
from tests.org import Org

ROOT = "teams"
UNITS = (ROOT, "red", "blue", "small")
EMPLOYED = ("ada", "ben", "cy", "dee", "eve")
OUTSIDE = "flo"  # known, and in no unit
SECOND_LOGIN = {"ada-work": "ada"}
UPDATER = "renovate[bot]"  # its messages name everybody who worked on what it updates
BOTS = ("lint[bot]", UPDATER)
CODING_AGENT = "copilot-swe-agent[bot]"

SHOP, SEARCH, TOOLS = "acme/shop", "acme/search", "acme/tools"
REPOSITORIES = (SHOP, SEARCH, TOOLS)
SERVICES: Mapping[str, str] = {"cart": SHOP, "mail": SHOP, "portal": ""}
"""Service → the repository that it follows; nobody ever says where the portal comes from."""

DatedValues = Sequence[tuple[date, str | None]]
"""From which day on what holds, the earliest first."""


def address(person: str) -> str:
    return f"{person}@example.com"


def person_of(name: str) -> str | None:
    """The person of a login or an address; None for bots and empty names."""
    login = name.removesuffix("@example.com")
    login = SECOND_LOGIN.get(login, login)
    return login if login in (*EMPLOYED, OUTSIDE) else None


@dataclass(frozen=True)
class Organisation:
    """`parent_of_small` says below which unit the unit `small` stands; all else of the tree stays."""

    members: Mapping[str, DatedValues]
    left: Mapping[str, date]  # the first day on which somebody no longer works here
    owners: Mapping[str, DatedValues]
    parent_of_small: DatedValues

    def units_of(self, person: str | None, day: date) -> Sequence[str]:
        """The unit of somebody on that day, and those above it."""
        if person is None or day >= self.left.get(person, date.max):
            return ()
        return self._path(_on(self.members.get(person, ()), day), day)

    def owners_of(self, owned: str | None, day: date) -> Sequence[str]:
        """The unit that owns a repository or service on that day, and those above it.

        A service without an owner of its own that day has that of its repository.
        """
        if owned is None:
            return ()
        unit = _on(self.owners.get(owned, ()), day)
        if unit is None and owned in SERVICES:
            return self.owners_of(SERVICES[owned] or None, day)
        return self._path(unit, day)

    def first_owning(self, unit: str, days: Sequence[date]) -> date | None:
        """The first of the days on which a unit, or one below it, owns anything."""
        everything = (*REPOSITORIES, *SERVICES)
        return next((day for day in days if any(unit in self.owners_of(name, day) for name in everything)), None)

    def _path(self, unit: str | None, day: date) -> Sequence[str]:
        path: list[str] = []
        while unit is not None:
            path.append(unit)
            above = {"red": ROOT, "blue": ROOT, ROOT: None}
            unit = _on(self.parent_of_small, day) if unit == "small" else above[unit]
        return path


def _on(dated_values: DatedValues, day: date) -> str | None:
    return next((value for start, value in reversed(dated_values) if start <= day), None)


def random_organisation(chance: random.Random, dates: DateRange) -> Organisation:
    """People move and one leaves; a repository changes hands, a service gets an owner of its own; a unit moves."""
    days = dates.days()

    def moving(values: Sequence[str]) -> DatedValues:
        first, second = chance.sample(values, 2)
        borders = sorted(chance.sample(days, chance.randrange(3)))
        return list(zip((date.min, *borders), (first, second, first), strict=False))

    below = ("red", "blue", "small")
    leaver = chance.choice(EMPLOYED)
    return Organisation(
        members={person: moving(below) for person in EMPLOYED},
        left={leaver: chance.choice(days)},
        owners={
            SHOP: moving(below),
            SEARCH: [(chance.choice(days), chance.choice(below))],  # nobody's before
            "cart": [(chance.choice(days), chance.choice(below))],
        },
        parent_of_small=[(date.min, "red"), (chance.choice(days), "blue")],
    )


def tell_people(org: Org, organisation: Organisation) -> None:
    """The people, their units, and their moves."""
    org.tree(ROOT.title())
    for unit in ("Red", "Blue"):
        org.unit(unit, below=ROOT)
    org.unit("Small", below="red")
    org.people(
        *(
            {
                "full_name": person.title(),
                "email": address(person),
                "identities": ";".join(login for login, owner in SECOND_LOGIN.items() if owner == person),
                "end": str(organisation.left.get(person, "")),
            }
            for person in (*EMPLOYED, OUTSIDE)
        )
    )
    for person, dated_values in organisation.members.items():
        for start, below in dated_values:
            if below is not None:
                org.join(person, below, on=None if start == date.min else start)
    (_, (moved_on, parent)) = organisation.parent_of_small
    assert parent is not None
    org.move_unit("small", to=parent, on=moved_on)


def tell_owners(org: Org, organisation: Organisation) -> None:
    """Store the owners of things, which must be known first."""
    for owned, dated_values in organisation.owners.items():
        for start, unit in dated_values:
            if unit is not None:
                org.own(owned, unit, from_=None if start == date.min else start)
