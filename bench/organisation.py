"""Plans a generated organisation of any size: people, three trees, and two years of moves.

It does not use the database: `write_organisation` (organisation_rows.py) stores a plan, and tests compare the services'
results with the plan.  The same size and day make the same plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate, pairwise
from random import Random

UNITS_LEVELS = (0.001, 0.005, 0.02, 0.06, 0.15, 0.264, 0.5)  # share of the hand-built tree's units on each level
PEOPLE_PER_MANAGER = 40
MANAGERS_PER_MANAGER = 4
PEOPLE_PER_TEAM = 30
DAYS_BEFORE = 3 * 365  # the time before the window in which the first people were hired

# Of all people, within the window.
JOINED, LEFT, MOVED_TEAM, MOVED_BY_HAND, NEW_MANAGER, PROMOTED = 0.15, 0.06, 0.12, 0.10, 0.08, 0.10
RETURNED = 0.2  # share of people who left
MOVED_UNITS = 0.08  # share of the hand-built tree's units below the third level

FIRST_NAMES = (
    *("Acacia", "Alder", "Anise", "Arum", "Aspen", "Aster", "Basil", "Betony", "Birch", "Bracken", "Briar", "Bryony"),
    *("Burdock", "Calla", "Campion", "Cassia", "Cedar", "Cicely", "Clover", "Comfrey", "Coral", "Cosmos", "Dahlia"),
    *("Daphne", "Elder", "Erica", "Fennel", "Fern", "Flax", "Hazel", "Heather", "Hyssop", "Iris", "Ivy", "Juniper"),
    *("Larch", "Laurel", "Linden", "Lupin", "Maple", "Marjoram", "Myrtle", "Olive", "Rowan", "Sorrel", "Tansy"),
)
NAME_BEGINNINGS = (
    *("Amber", "Ash", "Black", "Bright", "Clear", "Cold", "Copper", "East", "Fair", "Fallow", "Far", "Frost", "Glen"),
    *("Grey", "High", "Hollow", "Low", "Merri", "North", "Oaken", "Quick", "Silver", "South", "Stone", "West", "Wild"),
)
NAME_ENDINGS = ("brook", "combe", "croft", "dale", "field", "ford", "hurst", "ley", "mere", "stead", "ton", "wick")
SITES = ("Alderport", "Brackenmouth", "Cloverhaven", "Dunmere", "Elmstead", "Fernwick", "Greyford", "Heatherby")
DEPARTMENTS = (
    *("Billing", "Catalogue", "Delivery", "Foundations", "Identity"),
    *("Mobile", "Payments", "Reporting", "Search", "Warehouse"),
)
ROLES = ("Engineer", "Senior engineer", "Staff engineer", "Designer", "Analyst")
UNIT_NAMES = ("Organisation", "Division", "Area", "Group", "Product line", "Crew", "Squad")


@dataclass(frozen=True)
class OrganisationSize:
    """The number of people, of units of the hand-built tree, and of weeks with moves."""

    people: int
    units: int
    weeks: int

    def __str__(self) -> str:
        return f"{self.people:,} people, {self.units:,} units in {len(UNITS_LEVELS)} levels and two trees beside"


@dataclass(frozen=True, slots=True)
class Days:
    """Half-open; None: since ever, for ever."""

    since: date | None
    until: date | None

    def __contains__(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)

    def __str__(self) -> str:
        """The days in the notation of PostgreSQL's daterange."""
        return f"[{self.since or ''},{self.until or ''})"


@dataclass(frozen=True, slots=True)
class Held:
    """A value held on these days: of an attribute, or the number of a manager or unit."""

    value: str | int
    days: Days


@dataclass(slots=True)
class PlannedPerson:
    number: int
    full_name: str
    email: str
    employments: list[Days]
    managers: list[Held] = field(default_factory=list)
    units: list[Held] = field(default_factory=list)  # units of the hand-built tree
    attributes: dict[str, list[Held]] = field(default_factory=dict)

    def is_there_on(self, day: date) -> bool:
        return any(day in days for days in self.employments)


@dataclass(slots=True)
class PlannedUnit:
    """A unit of the hand-built tree; the root's place has no parent."""

    number: int
    name: str
    level: int
    leader: int
    parents: list[Held] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlannedOrganisation:
    people: Sequence[PlannedPerson]
    units: Sequence[PlannedUnit]
    managers: int  # the people with lower numbers manage somebody


def plan_organisation(size: OrganisationSize, *, today: date) -> PlannedOrganisation:
    """The organisation with the moves of the weeks up to today."""
    return _Planning(size, today).plan()


def held_on(history: Sequence[Held], day: date) -> str | int | None:
    """The value held on the day; None if there is none."""
    return next((held.value for held in history if day in held.days), None)


class _Planning:
    def __init__(self, size: OrganisationSize, today: date) -> None:
        self._size = size
        self._today = today
        self._begin = today - timedelta(weeks=size.weeks)
        self._rng = Random(f"{size.people}/{size.units}/{size.weeks}")  # noqa: S311 - a bench, not a secret
        self._manager_count = max(1, size.people // PEOPLE_PER_MANAGER)
        self._teams = max(2, size.people // PEOPLE_PER_TEAM)

    def plan(self) -> PlannedOrganisation:
        units = list(self._units())
        lowest = [unit.number for unit in units if unit.level == units[-1].level]
        people = [self._person(number, lowest) for number in range(self._size.people)]
        return PlannedOrganisation(people, units, self._manager_count)

    def _units(self) -> Iterator[PlannedUnit]:
        above: range | None = None
        for level, numbers in enumerate(numbers_by_level(self._size.units)):
            for position, number in enumerate(numbers):
                parents = [Held(above[position % len(above)], Days(None, None))] if above else []
                if level > 2 and above and len(above) > 1 and self._happens(MOVED_UNITS):
                    other = above[(position + self._rng.randrange(1, len(above))) % len(above)]
                    parents = _changed(parents, other, self._day())
                name = f"{UNIT_NAMES[level]} {position + 1}" if above else UNIT_NAMES[0]
                yield PlannedUnit(number, name, level, leader=number % self._manager_count, parents=parents)
            above = numbers

    def _person(self, number: int, lowest_units: Sequence[int]) -> PlannedPerson:
        if number < self._manager_count:  # hired before the others and never leave, so that everybody has a manager
            employments = [Days(self._begin - timedelta(days=DAYS_BEFORE), None)]
        else:
            employments = self._employments()
        full_name = full_name_of(number)
        person = PlannedPerson(number, full_name, f"{full_name.lower().replace(' ', '.')}@example.com", employments)
        hired = employments[0].since
        if number:
            person.managers = [Held(self._manager_of(number), Days(hired, None))]
        person.units = [Held(lowest_units[number % len(lowest_units)], Days(hired, None))]
        team = self._team(number % self._teams)
        role = ROLES[self._rng.randrange(len(ROLES))]
        person.attributes = {name: [Held(value, Days(hired, None))] for name, value in (*team.items(), ("role", role))}
        self._move(person, lowest_units)
        return person

    def _employments(self) -> list[Days]:
        before = self._begin - timedelta(days=self._rng.randrange(1, DAYS_BEFORE))
        hired = self._day() if self._happens(JOINED) else before
        left = max(self._day(), hired + timedelta(days=30))
        if not self._happens(LEFT) or left >= self._today:
            return [Days(hired, None)]
        back = left + timedelta(days=self._rng.randrange(60, 300))
        if not self._happens(RETURNED) or back >= self._today:
            return [Days(hired, left)]
        return [Days(hired, left), Days(back, None)]

    def _move(self, person: PlannedPerson, lowest_units: Sequence[int]) -> None:
        """The moves that fall into the person's first stretch or later; one before the hiring is none."""
        if person.number >= self._manager_count and self._happens(NEW_MANAGER):
            person.managers = _changed(person.managers, self._rng.choice(self._lowest_managers()), self._day())
        if self._happens(MOVED_BY_HAND):
            person.units = _changed(person.units, self._rng.choice(lowest_units), self._day())
        if self._happens(MOVED_TEAM):
            day = self._day()
            for name, value in self._team(self._rng.randrange(self._teams)).items():
                person.attributes[name] = _changed(person.attributes[name], value, day)
        if self._happens(PROMOTED):
            person.attributes["role"] = _changed(person.attributes["role"], ROLES[1], self._day())

    def _manager_of(self, number: int) -> int:
        if number < self._manager_count:
            return (number - 1) // MANAGERS_PER_MANAGER
        lowest = self._lowest_managers()
        return lowest[number % len(lowest)]

    def _lowest_managers(self) -> range:
        """The numbers of managers who manage no managers."""
        return range((self._manager_count - 2) // MANAGERS_PER_MANAGER + 1, self._manager_count)

    def _team(self, team: int) -> dict[str, str]:
        """Site, department and team, in the order of the tree's levels."""
        of_department, department = divmod(team, len(DEPARTMENTS))
        return {
            "site": SITES[(team + of_department) % len(SITES)],
            "department": DEPARTMENTS[department],
            "team": f"{DEPARTMENTS[department]} {of_department + 1}",
        }

    def _happens(self, chance: float) -> bool:
        return self._rng.random() < chance

    def _day(self) -> date:
        """A day of the window before today."""
        return self._begin + timedelta(days=self._rng.randrange(7 * self._size.weeks))


def level_widths(units: int) -> list[int]:
    """The number of units on each level: one at the top, at least one on each, and `units` in total."""
    widths = [max(1, round(share * units)) for share in UNITS_LEVELS[:-1]]
    widths[0] = 1
    lowest = units - sum(widths)
    if lowest < 1:
        raise ValueError(f"{units} units are too few for {len(UNITS_LEVELS)} levels.")
    return [*widths, lowest]


def numbers_by_level(units: int) -> list[range]:
    """The numbers of the hand-built tree's units, from the root down."""
    ends = list(accumulate(level_widths(units), initial=0))
    return [range(first, after) for first, after in pairwise(ends)]


def full_name_of(number: int) -> str:
    """A made-up name; no two numbers below 14,000 or so share one."""
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    rest = number // len(FIRST_NAMES)
    beginning = NAME_BEGINNINGS[rest % len(NAME_BEGINNINGS)]
    rest //= len(NAME_BEGINNINGS)
    further = f" {rest // len(NAME_ENDINGS) + 1}" if rest >= len(NAME_ENDINGS) else ""
    return f"{first} {beginning}{NAME_ENDINGS[rest % len(NAME_ENDINGS)]}{further}"


def _changed(history: list[Held], value: str | int, day: date) -> list[Held]:
    """The history with another value from the day on; unchanged where it is the same or began only later."""
    *before, last = history
    if last.value == value or (last.days.since is not None and day <= last.days.since):
        return history
    return [*before, Held(last.value, Days(last.days.since, day)), Held(value, Days(day, None))]
