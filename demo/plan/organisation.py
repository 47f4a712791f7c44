"""The demo's people as an admin would load them, file by file, and the tree that is built by hand.

people.csv describes the beginning of the year and the time before.  Later changes are in files of a few rows, each to
be imported as of its day: people move, a whole team moves to another department, somebody leaves, somebody returns.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from demo.plan.people import CHECKOUT, DATA, LOGISTICS, MOBILE, PEOPLE, PLATFORM, SEARCH, TOOLING, DemoPerson
from demo.plan.year import DemoYear

_PEOPLE_FILE = Path(__file__).with_name("people.csv")

STOREFRONT, FOUNDATIONS = "Storefront", "Foundations"
DEPARTMENT_LEVELS = ("department", "team", "site")
# Who manages which unit of the tree by department, team and site.
LEADERS = {
    STOREFRONT: "Dale Director",
    FOUNDATIONS: "Della Director",
    CHECKOUT: "Maya Manager",
    SEARCH: "Sorrel Testwell",
    MOBILE: "Willow Example",
    PLATFORM: "Robin Specimen",
    DATA: "Fennel Fictus",
    TOOLING: "Quill Placeholder",
    LOGISTICS: "Aspen Fictus",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of these columns of these people's rows from the first day of the last `weeks` weeks on."""

    weeks: int
    tells: str
    who: Sequence[str]  # full names
    columns: Mapping[str, str]


def _team(name: str) -> tuple[str, ...]:
    return tuple(person.full_name for person in PEOPLE if person.team == name)


CHANGES: tuple[Change, ...] = (
    Change(
        weeks=20,
        tells="Juniper Sample moves from Checkout to Search, and reports to Sorrel Testwell.",
        who=("Juniper Sample",),
        columns={"team": SEARCH, "manager_email": "sorrel.testwell@example.com"},
    ),
    Change(
        weeks=16,
        tells="Wren Example becomes a senior engineer.",
        who=("Wren Example",),
        columns={"role": "Senior engineer"},
    ),
    Change(
        weeks=14,
        tells="Marigold Imagined moves from Platform to Data, and reports to Fennel Fictus.",
        who=("Marigold Imagined",),
        columns={"team": DATA, "manager_email": "fennel.fictus@example.com"},
    ),
    Change(
        weeks=10,
        tells="The whole Tooling team moves from Foundations to Storefront …",
        who=_team(TOOLING),
        columns={"department": STOREFRONT},
    ),
    Change(
        weeks=10,
        tells="… and its manager reports to Dale Director.",
        who=("Quill Placeholder",),
        columns={"manager_email": "dale.director@example.com"},
    ),
)


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """A CSV file in UTF-8, to be imported as of a day; None: its content has always held."""

    effective: date | None
    content: bytes


def people_files(year: DemoYear) -> list[PeopleFile]:
    """The file of the year's beginning, and one for each day on which something changed, in order of time."""
    left_out = {person.full_name for person in PEOPLE} - {person.full_name for person in year.people}
    with _PEOPLE_FILE.open(encoding="utf-8", newline="") as file:
        read = [row for row in csv.DictReader(file) if row["full_name"] not in left_out]
    rows = {row["full_name"]: {**row, "start": "", "end": ""} for row in read}
    files = [PeopleFile(None, _csv(rows.values()))]
    columns: dict[date, dict[str, dict[str, str]]] = {}
    for day, full_name, changed in _changes_by_day(year):
        columns.setdefault(day, {}).setdefault(full_name, {}).update(changed)
    for day, changes in sorted(columns.items()):
        for full_name, changed in changes.items():
            rows[full_name].update(changed)
        files.append(PeopleFile(day, _csv(rows[full_name] for full_name in changes)))
    return files


def team_on(person: DemoPerson, day: date, year: DemoYear) -> str:
    """The team in which the person works on the day."""
    team = person.team
    for change in CHANGES:
        if person.full_name in change.who and day >= year.first_day_of(change.weeks):
            team = change.columns.get("team", team)
    return team


def _changes_by_day(year: DemoYear) -> Iterable[tuple[date, str, Mapping[str, str]]]:
    names = {person.email: person.full_name for person in year.people}
    for change in CHANGES:
        for full_name in change.who:
            if full_name in names.values():
                yield year.first_day_of(change.weeks), full_name, change.columns
    for email, away in year.away().items():
        yield away.since, names[email], {"end": away.since.isoformat()}
        if away.until is not None:
            yield away.until, names[email], {"start": away.until.isoformat(), "end": ""}


def _csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    written = io.StringIO()
    rows = list(rows)
    writer = csv.DictWriter(written, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue().encode()


@dataclass(frozen=True, slots=True)
class HandBuiltUnit:
    """A unit of the tree that is built by hand; all people of these teams were put into it when the year began."""

    name: str
    teams: Sequence[str] = ()
    children: Sequence[HandBuiltUnit] = field(default_factory=tuple)


HAND_BUILT = HandBuiltUnit(
    "Value streams",
    children=(
        HandBuiltUnit(
            "Shoppers", children=(HandBuiltUnit("Find", teams=(SEARCH,)), HandBuiltUnit("Buy", teams=(CHECKOUT,)))
        ),
        HandBuiltUnit(
            "Partners", children=(HandBuiltUnit("Stock and orders", teams=(DATA,)), HandBuiltUnit("Apps", (MOBILE,)))
        ),
        HandBuiltUnit("Enablers", teams=(PLATFORM, TOOLING)),
        HandBuiltUnit("Deliver", teams=(LOGISTICS,)),
    ),
)


@dataclass(frozen=True, slots=True)
class HandMove:
    """A unit, or a person by full name, that is put into another unit."""

    weeks: int  # before the end, as of a change
    moved: str
    to: str


HAND_MOVED_UNIT = HandMove(weeks=24, moved="Apps", to="Shoppers")
HAND_MOVED_PERSON = HandMove(weeks=12, moved="Tansy Specimen", to="Buy")
