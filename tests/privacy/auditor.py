"""An attacker who adds and subtracts what is shown, and a judge who knows every fact behind it.

Knows nothing of insights/privacy/: it has the facts of a World, says for each shown value which of them it sums, and
looks for a combination of values in which the facts of one to four people are left.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from insights.query.query import Answer, Dimension, MetricValue, Scope, Window
from tests.engine.facts import World
from tests.engine.oracle import Selection, ai_shares

FEW = 4
MOST_PARTS = 10  # of which all sums are tried
MOST_DIFFERENCES = 200  # that are looked at for a group of people
Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]  # of values
People = frozenset[int]


@dataclass(frozen=True)
class Fact:
    """An amount that a value can sum: whose, of which day, and the names that filters and splits pick it by."""

    person: int | None
    day: date
    amount: float
    names: Mapping[Dimension, Collection[str]]


@dataclass(frozen=True)
class Shown:
    """A number that a viewer saw: the sum of a measure's facts."""

    measure: str
    scope: Scope
    window: Window
    facets: Mapping[Dimension, tuple[str, ...]]
    segment: Mapping[str, str]
    value: float

    def picks(self, fact: Fact) -> bool:
        return all(
            {*fact.names[name]} & {*values} for name, values in self.facets.items() if name in fact.names
        ) and all(value in fact.names[Dimension(name)] for name, value in self.segment.items() if name in fact.names)


@dataclass(frozen=True)
class Leak:
    people: People
    measure: str
    values: Sequence[Shown] = ()


class Auditor:
    def __init__(self, world: World) -> None:
        self.facts = _facts(world)
        self._world = world
        self._units: dict[tuple[int | None, date], set[str]] = defaultdict(set)
        for person, unit, start, end in world.placements:
            for day in {fact.day for facts in self.facts.values() for fact in facts}:
                if start <= day and (end is None or day < end):
                    self._units[person, day].add(unit)
        self._rows: dict[str, npt.NDArray[np.int8]] = {}

    def shown(self, answer: Answer, unit: str | None = None) -> list[Shown]:
        """The numbers of an answer that are sums; checked against the facts."""
        query = answer.query
        scope = Scope(unit, where=query.scope.where) if unit else query.scope
        return [
            Shown(measure, scope, figure.window, query.facets, figure.segment, value)
            for figure in (*answer.total, *answer.series)
            if not figure.withheld
            for measure, value in _sums(query.key, figure)
            if value
        ]

    def row(self, shown: Shown) -> npt.NDArray[np.int8]:
        """The indicator of the measure's facts that the value sums."""
        key = repr(shown)
        if key not in self._rows:
            facts = self.facts[shown.measure]
            row = np.array([self._in(shown, fact) and shown.picks(fact) for fact in facts], np.int8)
            amounts = np.array([fact.amount for fact in facts])
            assert abs(row @ amounts - shown.value) <= 1e-6 * abs(shown.value) + row.sum() + 1, (shown, row @ amounts)
            self._rows[key] = row
        return self._rows[key]

    def _in(self, shown: Shown, fact: Fact) -> bool:
        scope, day, units = shown.scope, fact.day, self._units[fact.person, fact.day]
        if not shown.window.start <= day < shown.window.end or (scope.unit is not None and scope.unit not in units):
            return False
        if scope.unassigned is not None and units & {*self._world.units[scope.unassigned]}:
            return False
        return all(
            any(
                who == fact.person and slug == name and value in values and start <= day and (end is None or day < end)
                for who, slug, value, start, end in self._world.attributes
            )
            and not (fact.person in self._world.left and day >= self._world.left[fact.person])
            for name, values in scope.where.items()
        )

    def leaks(self, values: Iterable[Shown]) -> list[Leak]:
        """The groups of few people of whom some linear combination of all these values tells alone, one per measure."""
        return [
            Leak(some, measure, self._needed(measure, of_measure, some))
            for measure, of_measure, some in self._leaking(values)
        ]

    def is_leaking(self, values: Iterable[Shown]) -> bool:
        """Whether there is any leak; the values that one needs are not looked for."""
        return any(True for _ in self._leaking(values))

    def _leaking(self, values: Iterable[Shown]) -> Iterator[tuple[str, Sequence[Shown], People]]:
        for measure, of_measure in _by_measure(values).items():
            people, matrix = self._classes(measure, of_measure)
            unseen = _null_space(matrix)
            everybody = frozenset[int]().union(*people)
            groups = {
                *(frozenset(some) for number in (1, 2) for some in combinations(sorted(everybody), number)),
                *(some for some in people if 0 < len(some) <= FEW),
                *_small_supports(matrix, people),
            }
            for some in sorted(groups, key=lambda some: (len(some), sorted(some))):
                if _tells_of(unseen, people, some):
                    yield measure, of_measure, some
                    break

    def _needed(self, measure: str, values: Sequence[Shown], people: People) -> Sequence[Shown]:
        """The fewest of these values that still tell of these people alone."""
        for value in values if len(values) > 1 else ():
            rest = [other for other in values if other is not value]
            whose, matrix = self._classes(measure, rest)
            if _tells_of(_null_space(matrix), whose, people):
                return self._needed(measure, rest, people)
        return values

    def leaks_of_four(self, values: Iterable[Shown]) -> Iterator[Leak]:
        """The few people of whom alone a sum or difference of up to four of these values tells, one group per measure.

        Two sums of two are compared by what they have of everybody else, as one number that mixes all unknowns.
        """
        for measure, of_measure in _by_measure(values).items():
            people, matrix = self._classes(measure, of_measure)
            matrix = np.vstack([matrix, np.zeros(matrix.shape[1])])
            mix = np.random.default_rng(1).random(matrix.shape[1])
            matrix[:, [not some for some in people]] = 0  # what belongs to nobody does not protect anybody
            first, second = np.triu_indices(len(matrix))
            pairs = [(first, second, 1), (first, second, -1), (second, first, -1)]
            for some in _groups_of_few(people):
                inside = np.array([bool(part) and part <= some for part in people])
                outside, of_group = matrix @ (mix * ~inside), matrix @ (mix * inside)
                rest = np.concatenate([outside[a] + sign * outside[b] for a, b, sign in pairs])
                what = np.concatenate([of_group[a] + sign * of_group[b] for a, b, sign in pairs])
                order = np.lexsort((what, rest.round(7)))
                rest, what = rest[order].round(7), what[order]
                equal = np.flatnonzero((np.diff(rest) == 0) & (np.abs(np.diff(what)) > 1e-6))[:MOST_DIFFERENCES]
                if any(_is_of(some, people, left) for left in _differences(matrix, pairs, order, equal)):
                    yield Leak(some, measure)
                    break

    def _classes(self, measure: str, values: Sequence[Shown]) -> tuple[Sequence[People], Matrix]:
        """Facts that the same values contain are one unknown: whose it is, and which values contain it."""
        rows = np.array([self.row(value) for value in values])
        columns, number = np.unique(rows, axis=1, return_inverse=True)
        people: list[set[int]] = [set() for _ in range(columns.shape[1])]
        for fact, position in zip(self.facts[measure], number.ravel(), strict=True):
            if fact.person is not None:
                people[position].add(fact.person)
        seen = np.flatnonzero(columns.any(axis=0))
        return [frozenset(people[position]) for position in seen], columns[:, seen].astype(float)


def _groups_of_few(people: Sequence[People]) -> Sequence[People]:
    """Each person, and the few people of one unknown, or of two."""
    parts = {part for part in people if 0 < len(part) <= FEW}
    groups = {frozenset({person}) for person in frozenset[int]().union(*people)} | parts
    groups |= {one | other for one, other in combinations(parts, 2) if len(one | other) <= FEW}
    return sorted(groups, key=lambda some: (len(some), sorted(some)))


def _differences(
    matrix: Matrix, pairs: Sequence[tuple[Places, Places, int]], order: Places, places: Iterable[int]
) -> Iterator[Matrix]:
    """What the pairs at these places have more than the next ones, by unknown."""

    def combined(number: int) -> Matrix:
        kind, position = divmod(int(number), len(pairs[0][0]))
        one, other, sign = pairs[kind]
        found: Matrix = matrix[one[position]] + sign * matrix[other[position]]
        return found

    for place in places:
        yield combined(order[place]) - combined(order[place + 1])


def _is_of(some: People, people: Sequence[People], left: Matrix) -> bool:
    """Whether a combination is the figure of these people: any of one, of several a sum of what all of them did."""
    parts = [part for part, weight in zip(people, left, strict=True) if part and abs(weight) > 1e-6]
    is_sum = bool((left > -1e-6).all() or (left < 1e-6).all())
    return frozenset[int]().union(*parts) == some and (len(some) == 1 or is_sum)


def _by_measure(values: Iterable[Shown]) -> Mapping[str, Sequence[Shown]]:
    by_measure: dict[str, dict[str, Shown]] = defaultdict(dict)
    for value in values:
        by_measure[value.measure][repr(value)] = value
    return {measure: [*found.values()] for measure, found in by_measure.items()}


def _null_space(matrix: Matrix) -> Matrix:
    _, sizes, rows = np.linalg.svd(matrix)
    return rows[int((sizes > 1e-8).sum()) :]


def _tells_of(unseen: Matrix, people: Sequence[People], some: People) -> bool:
    """Whether shown values determine a figure of these people alone.

    Of one person that is any combination; of several, a sum: what two did less what a third did is nobody's figure.
    What belongs to nobody may be part of it.
    """
    inside = [number for number, part in enumerate(people) if part and part <= some]
    changing = _beside(unseen[:, [number for number, part in enumerate(people) if not part]], unseen[:, inside])
    if not inside or len(inside) == np.linalg.matrix_rank(changing, tol=1e-7):
        return False
    if len(some) == 1:
        return True
    sums = np.array([*product((0.0, 1.0), repeat=min(len(inside), MOST_PARTS))])[1:]
    determined = (abs(changing[:, :MOST_PARTS] @ sums.T) < 1e-6).all(axis=0)
    told = [frozenset[int]().union(*(people[inside[n]] for n in np.flatnonzero(row))) for row in sums[determined]]
    return some in told


def _beside(given: Matrix, columns: Matrix) -> Matrix:
    """The columns without what any of those given could make up for."""
    vectors, sizes, _ = np.linalg.svd(given, full_matrices=False)
    span = vectors[:, sizes > 1e-8]
    return columns - span @ (span.T @ columns)


def _small_supports(matrix: Matrix, people: Sequence[People], tries: int = 6) -> set[People]:
    """Groups of few people that rows have after elimination: in several orders, the unknowns of most people first."""
    draw, found = random.Random(1), set()
    for _ in range(tries):
        order = sorted(range(len(people)), key=lambda n: -len(people[n]) * draw.random())
        rest, done = matrix[:, order].copy(), 0
        for column in range(rest.shape[1]):
            if done == len(rest):
                break
            pivot = done + int(np.abs(rest[done:, column]).argmax())
            if abs(rest[pivot, column]) < 1e-8:
                continue
            rest[[done, pivot]] = rest[[pivot, done]]
            rest[done] /= rest[done, column]
            factors = rest[:, column].copy()
            factors[done] = 0
            rest -= np.outer(factors, rest[done])
            done += 1
        for row in rest[:done]:
            some = frozenset[int]().union(*(people[order[n]] for n in np.flatnonzero(np.abs(row) > 1e-7)))
            if 0 < len(some) <= FEW:
                found.add(some)
    return found


def _sums(key: str, figure: MetricValue) -> Iterable[tuple[str, float | None]]:
    """The sums among the numbers of a figure, by measure."""
    return {
        "ai.error_rate": [("ai.tool_failures", figure.numerator), ("ai.tool_calls", figure.denominator)],
        "ai.committed_code_share": [("ai.lines_committed", figure.numerator)],
        "ai.spend_per_developer": [("ai.spend", figure.numerator)],
    }.get(key, [(key, figure.value)])


def _facts(world: World) -> Mapping[str, Sequence[Fact]]:
    found: dict[str, list[Fact]] = defaultdict(list)
    for session in world.sessions:
        used = {row.model for row in session.days if sum(row.tokens.values())}
        lines, most = session.shipped, max(session.shipped.values(), default=0)
        home = next((name for name, number in lines.items() if number == most), "unknown")
        of_session = {Dimension.AGENT: {session.agent}, Dimension.MODEL: used}
        names: Mapping[Dimension, Collection[str]] = {**of_session, Dimension.REPOSITORY: {home}}
        found["ai.sessions"].append(Fact(session.person, session.day, 1, names))
        for row in session.days:
            for repository, part in (lines or {"unknown": 1}).items():
                share = part / sum(lines.values()) if lines else 1.0
                names = {Dimension.AGENT: {session.agent}, Dimension.MODEL: {row.model or "unknown"}}
                of_row = {**names, Dimension.REPOSITORY: {repository}}
                for measure, amount in (("ai.tokens", sum(row.tokens.values())), ("ai.spend", float(row.spend or 0))):
                    found[measure].append(Fact(session.person, row.day, amount * share, of_row))
            for tool, (calls, failures, _) in row.calls.items():
                names = {**of_session, Dimension.TOOL: {tool}}
                found["ai.tool_calls"].append(Fact(session.person, row.day, calls, names))
                found["ai.tool_failures"].append(Fact(session.person, row.day, failures, names))
    ever = Selection(Window(date.min, date.max), world.sessions[0].ended)
    for commit, _, of_agent in ai_shares(world, ever):
        names = {Dimension.AGENT: {of_agent.agent}, Dimension.MODEL: {of_agent.model or "unknown"}}
        names |= {Dimension.REPOSITORY: {commit.repository}}
        found["ai.lines_committed"].append(Fact(commit.person, commit.day, of_agent.lines, names))
    return {measure: [fact for fact in facts if fact.amount] for measure, facts in found.items()}
