"""The document of a capitalisation period, and which of its figures a viewer may see.

The document holds time and AI spend by person, as ids; nobody is shown them by person.  Figures of initiatives are
hidden if too few people are behind them, or behind a figure that they could be subtracted from, by the rules of the day
on which they are read (docs/access.md).  AI spend is hidden for every initiative that few people worked on, so that
nobody learns whether they used an agent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

from insights.engine.contributors import NOBODY, People, people_of
from insights.privacy.suppression import Atom, Cell, Minimum, Pattern, grid, suppressed
from insights.privacy.withhold import minimum_of
from integrations.delivery.allocation.initiative_time import NONE
from orgtree.access.access import Access
from programs.capitalisation.services.eligibility import WorkState
from programs.closing.services.frozen import FrozenContent, FrozenDays
from programs.models import FrozenDocument

ALL, LISTED = "all", "listed"  # rows of all people-time, and of all listed initiatives together
Row = int | str
Segment = Pattern  # a month and a state of work; None for all of them
ELIGIBLE: Segment = (None, WorkState.ELIGIBLE.value)
WHOLE: Segment = (None, None)


@dataclass(frozen=True)
class FrozenEvidence:
    """An initiative and its evidence; work on [eligible_from, eligible_to) was eligible."""

    id: int
    kind: str
    name: str
    reference: str
    authorised_on: date | None
    authorised_by: str
    funded_on: date | None
    probable_since: date | None
    probable_by: str
    probable_because: str
    uncertainty: str
    uncertainty_resolved_on: date | None
    ready_on: date | None
    eligible_from: date | None
    eligible_to: date | None


class FrozenTime(NamedTuple):
    """A person's days of work in a month (its first day) on an initiative, in a state of work."""

    initiative: int
    person: int
    month: date
    state: str
    days: float


class FrozenSpend(NamedTuple):
    """US dollars of agents, in the same way; without a person if nobody is matched."""

    initiative: int
    person: int | None
    month: date
    state: str
    dollars: float


@dataclass(frozen=True)
class FrozenRule:
    """An allocation rule: its category with its kind, its unit's slug and its conditions."""

    category: str
    kind: str
    unit: str
    rank: int
    conditions: dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class PeriodReport:
    """Everything that is approved and frozen."""

    period: FrozenDays
    standard: str
    hours_a_day: float
    currency: str
    hourly_rate: float | None
    dollar_rate: float | None
    initiatives: tuple[FrozenEvidence, ...]
    time: tuple[FrozenTime, ...]
    spend: tuple[FrozenSpend, ...]
    rules: tuple[FrozenRule, ...]


@dataclass(frozen=True, kw_only=True)
class FrozenPeriod(FrozenContent):
    """`approved_by` and `frozen_by` are account ids."""

    kind: str = FrozenDocument.Kind.CAPITALISATION.value
    report: PeriodReport
    approved_at: datetime
    approved_by: int | None
    frozen_at: datetime
    frozen_by: int | None


@dataclass(frozen=True)
class Figure:
    """A sum, and the number of people behind it; `hidden` if the viewer may see neither."""

    value: float
    people: int
    hidden: bool = False


HIDDEN = Figure(0.0, 0, hidden=True)
SAME = 1e-6  # amounts that differ by less are equal


class _Part(NamedTuple):
    row: int
    person: int | None
    segment: tuple[str, str]
    value: float


@dataclass(frozen=True)
class Sums:
    """Sums of one measure by initiative, month and state, as a viewer may see them."""

    parts: Sequence[_Part]
    minimum: Minimum | None  # None: no minimum
    never: frozenset[int] = frozenset()  # initiatives for which even the presence of a value is hidden

    @cached_property
    def _atoms(self) -> Mapping[tuple[int, tuple[str, str]], tuple[float, People]]:
        values: dict[tuple[int, tuple[str, str]], float] = defaultdict(float)
        people: dict[tuple[int, tuple[str, str]], set[int]] = defaultdict(set)
        for part in self.parts:
            values[part.row, part.segment] += part.value
            if part.person is not None:
                people[part.row, part.segment].add(part.person)
        return {atom: (value, people_of(people[atom])) for atom, value in values.items()}

    @cached_property
    def _rows(self) -> Mapping[Row, frozenset[int]]:
        numbers = {row for row, _ in self._atoms}
        listed = frozenset(numbers - {NONE})
        return {**{row: frozenset({row}) for row in numbers}, LISTED: listed, ALL: frozenset(numbers)}

    @cached_property
    def _hidden(self) -> frozenset[Cell]:
        if self.minimum is None:
            return frozenset()
        people: dict[Atom, People] = {atom: them for atom, (_, them) in self._atoms.items()}
        numbers = [row for row in self._rows if isinstance(row, int) and row != NONE]
        wholes: list[tuple[Row, Sequence[Row]]] = [(LISTED, numbers), (ALL, [LISTED, NONE])]
        present = [(whole, [part for part in parts if self._rows.get(part)]) for whole, parts in wholes]
        rows = {row: made_of for row, made_of in self._rows.items() if made_of}
        cells = grid(rows, [(whole, parts) for whole, parts in present if whole in rows], people)
        never = {cell for cell in cells.atoms if cell[0] in self.never}
        return frozenset(suppressed(cells, self.minimum, never)) | never

    def figure(self, row: Row, segment: Segment) -> Figure:
        if row in self.never or (row, segment) in self._hidden:
            return HIDDEN
        value, people = 0.0, NOBODY
        for (number, (month, state)), (amount, them) in self._atoms.items():
            if number in self._rows.get(row, ()) and segment[0] in (None, month) and segment[1] in (None, state):
                value, people = value + amount, people | them
        return Figure(value, people.bit_count())

    def is_of_few(self, row: int) -> bool:
        """Whether few people, or none, worked on an initiative."""
        minimum = self.minimum
        people = people_of(part.person for part in self.parts if part.row == row and part.person is not None)
        return minimum is not None and not minimum.is_enough(people)

    def segments_of(self, row: Row) -> list[tuple[str, str]]:
        """The row's months and states, in order."""
        states = list(WorkState)
        found = {segment for number, segment in self._atoms if number == row}
        return sorted(found, key=lambda segment: (segment[0], states.index(WorkState(segment[1]))))

    def amounts_by_person(self, row: Row, segment: Segment) -> Mapping[int | None, float]:
        amounts: dict[int | None, float] = defaultdict(float)
        for part in self.parts:
            month, state = part.segment
            if part.row in self._rows.get(row, ()) and segment[0] in (None, month) and segment[1] in (None, state):
                amounts[part.person] += part.value
        return amounts


@dataclass(frozen=True)
class Shown:
    """A report as a viewer may see it: days of people-time, and US dollars of AI spend."""

    report: PeriodReport
    days: Sums
    dollars: Sums

    def hours(self, days: float) -> float:
        return days * self.report.hours_a_day

    @property
    def has_rate(self) -> bool:
        return self.report.hourly_rate is not None

    def cost(self, row: Row, segment: Segment) -> float | None:
        """The cost of time and AI spend in the report's currency; None without rates, or if a part of it is hidden."""
        days, dollars = self.days.figure(row, segment), self.dollars.figure(row, segment)
        of_time, of_spend = self.report.hourly_rate, self.report.dollar_rate
        if of_time is None or days.hidden or dollars.hidden or (dollars.value and of_spend is None):
            return None
        return self.hours(days.value) * of_time + dollars.value * (of_spend or 0.0)


def shown_to(access: Access, report: PeriodReport) -> Shown:
    time = [_Part(row.initiative, row.person, (row.month.isoformat(), row.state), row.days) for row in report.time]
    spend = [_Part(row.initiative, row.person, (row.month.isoformat(), row.state), row.dollars) for row in report.spend]
    if access.shows_small_groups:
        return Shown(report, Sums(time, None), Sums(spend, None))
    days = Sums(time, Minimum(access.minimum_group_size))
    few = frozenset(one.id for one in report.initiatives if days.is_of_few(one.id))
    return Shown(report, days, Sums(spend, minimum_of(access), never=few))


def restated(before: Sums, after: Sums, rows: Iterable[Row], segment: Segment) -> Mapping[Row, Figure]:
    """Today's figures of the rows that changed; hidden if few people are behind the change, or if it follows from
    others.

    The last of the rows is the sum of the others.
    """
    found: dict[Row, Figure] = {}
    changed: dict[Row, set[int | None]] = {}
    *parts, whole = rows
    for row in (*parts, whole):
        then, now = before.amounts_by_person(row, segment), after.amounts_by_person(row, segment)
        people = {one for one in {*then, *now} if abs(then.get(one, 0.0) - now.get(one, 0.0)) > SAME}
        if people:
            changed[row], found[row] = people, after.figure(row, segment)
    minimum = after.minimum
    if minimum is None:
        return found

    def is_few(people: Iterable[int | None]) -> bool:
        return minimum.is_few(people_of(one for one in people if one is not None))

    for row, people in changed.items():
        if is_few(people) or before.figure(row, segment).hidden:
            found[row] = HIDDEN
    lost = {one for row in parts if found.get(row) == HIDDEN for one in changed[row]}
    if whole in found and lost and is_few(lost):
        found[whole] = HIDDEN
    return found
