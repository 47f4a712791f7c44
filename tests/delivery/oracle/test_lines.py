"""Developers' output on each line of a comparison: SQL agrees with slow counting, one person after the other.

The agents of each pull request are taken as given here (tests/code/attribution tests that).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from insights.columns.refresh import refresh
from insights.engine.comparison import read_comparisons
from insights.engine.contributions import read_rows
from insights.engine.read import read_series, read_totals
from insights.query import windows
from insights.query.query import Dimension, Freshness, Granularity, MetricValue, Query, Scope, Window
from tests.delivery.oracle.agents import AGENTS, StoredWorld
from tests.delivery.oracle.figures import Counted, Question
from tests.delivery.oracle.metrics import Truth
from tests.delivery.oracle.organisation import EMPLOYED, OUTSIDE, UNITS

WITHOUT = "Non-AI"
KEYS = ("pr.merged_per_developer", "work.delivered_per_developer")
SPLITS: Sequence[tuple[Dimension, ...]] = ((), (Dimension.ASSISTANCE,), (Dimension.AGENT,))
SCOPES = tuple(Scope(unit) for unit in (None, *UNITS))


class Lines:
    """Slow counting: who is on which line on which days, and what counts on it."""

    def __init__(self, stored_world: StoredWorld) -> None:
        self.stored_world = stored_world
        self.truth = Truth(stored_world.world)
        self.sessions = [Counted(agent, day, person) for agent, person, day in stored_world.sessions]
        self.merged = [
            (pull_request, set(stored_world.agents[pull_request.name]) or {WITHOUT})
            for pull_request in self.truth.pull_requests.merged_where("is_merged")
        ]
        self.facts = {
            "pr.merged_per_developer": self.merged,
            "work.delivered_per_developer": [
                (item, self._lines_of_item(item.name)) for item in self.truth.items.done()
            ],
        }

    def _lines_of_item(self, key: str) -> set[str]:
        """Those of all its pull requests; one without any is on a line that is not known."""
        pull_requests = self.truth.pull_requests.all
        linked = [
            pull_request
            for pull_request in pull_requests
            if pull_request.counts and key in pull_request.record.get("work_items", ())
        ]
        agents = {agent for pull_request in linked for agent in self.stored_world.agents[pull_request.id]}
        return agents or ({WITHOUT} if linked else {"unknown"})

    def developers(self, question: Question, lines: set[str] | None) -> set[str]:
        """People active on any of the lines in these days; on any line at all if None."""
        return {person for person in (*EMPLOYED, OUTSIDE) if self._is_on(person, question, lines)}

    def _is_on(self, person: str, question: Question, lines: set[str] | None) -> bool:
        def theirs(counted: Iterable[Counted]) -> list[Counted]:
            return [fact for fact in question.of(counted) if fact.credited_to == person]

        agents = {their.name for their in theirs(self.sessions)}
        on = set(agents)
        for fact, of_pull_request in self.merged:
            if theirs([fact]):
                on |= of_pull_request
        if theirs(self.truth.active) and not agents:
            on.add(WITHOUT)
        return bool(on if lines is None else on & lines)


def expected(lines: Lines, query: Query, window: Window, line: str | None) -> tuple[float | None, int, int]:
    """The value, the number of facts, and that of different developers."""
    units_of, unit = lines.stored_world.world.organisation.units_of, query.scope.unit

    def is_there(person: str | None, day: date) -> bool:
        return unit is None or unit in units_of(person, day)

    def at(of: Window) -> Question:
        return Question(of, lines.stored_world.world.dates.today, is_there)

    agents = None if line is None else set(AGENTS) if line == "AI" else {line}
    facts = [fact for fact, on in lines.facts[query.key] if at(window).of([fact]) and (not agents or on & agents)]
    buckets = [bucket.clipped for bucket in windows.buckets(window, query.granularity)]
    developers = sum(len(lines.developers(at(bucket), agents)) for bucket in buckets)
    value = len(facts) / developers if developers else None
    return value, len(facts), len(lines.developers(at(window), agents))


def queries_of(stored_world: StoredWorld) -> list[Query]:
    return [
        Query(key, stored_world.world.dates.window, granularity, scope, segments=split)
        for key in KEYS
        for granularity in (Granularity.WEEK, Granularity.MONTH)
        for scope in SCOPES
        for split in SPLITS
    ]


def agrees(figure: MetricValue, value: float | None, facts: int, people: int) -> bool:
    if (figure.sample_size, figure.people) != (facts, people):
        return False
    if not value:  # nothing is 0 from when on its source tells, and no data before
        return not figure.value and (figure.value is None or value == 0)
    return bool(figure.value == pytest.approx(value))


def test_values_facts_and_developers_are_those_of_slow_counting(stored_world: StoredWorld) -> None:
    lines, queries = Lines(stored_world), queries_of(stored_world)
    differ, seen = [], set()
    for query, answer in zip(queries, read_series(queries), strict=True):
        for figure in (*answer.total, *answer.series):
            line = next(iter(figure.segment.values()), None)
            if query.segments and line is None:
                continue  # nothing was found on any line
            agents = expected(lines, query, figure.window, line)
            if not agrees(figure, *agents):
                differ.append(f"{query.key} {query.granularity} {query.scope.unit} {line} {figure}, not {agents}")
            seen.add(line)
    assert not differ, "\n".join([f"{len(differ)} figures differ:", *differ[:12]])
    assert {None, "AI", WITHOUT, *AGENTS} <= seen


def test_totals_rows_and_built_figures_are_the_same(stored_world: StoredWorld) -> None:
    queries = queries_of(stored_world)
    from_facts = read_series(queries)
    totals = read_totals(queries)
    assert [total.total for total in totals] == [fact.total for fact in from_facts]
    assert not any(total.series for total in totals)
    for query, answer in zip(queries, from_facts, strict=True):
        for figure in answer.total:
            facets = {Dimension(name): (value,) for name, value in figure.segment.items()}
            rows = read_rows(replace(query, segments=(), facets=facets), size=1000).rows
            above, below = (sum(row[name] for row in rows) for name in ("contribution", "denominator"))
            assert (above, below) == (figure.numerator or 0, figure.denominator or 0), (query, figure)
    refresh()
    built = read_series(queries, freshness=Freshness.OF_PAGES)
    assert [(answer.total, answer.series) for answer in built] == [(fact.total, fact.series) for fact in from_facts]


def test_the_parts_of_the_work_add_up_to_all_of_it(stored_world: StoredWorld) -> None:
    for key in KEYS:
        whole, parts = read_totals(
            [
                Query(key, stored_world.world.dates.window, facets=facets, segments=segments)
                for facets, segments in (({}, ()), ({}, (Dimension.WORK_TYPE,)))
            ]
        )
        assert sum(figure.value or 0 for figure in parts.total) == pytest.approx(whole.total[0].value)


def test_comparisons_are_those_of_slow_counting(stored_world: StoredWorld) -> None:
    """Both groups have the values of their lines, and it is known how much is of nobody known."""
    lines = Lines(stored_world)
    compared = 0
    for key, scope, line in product(KEYS, SCOPES, ("AI", *AGENTS)):
        query = Query(key, stored_world.world.dates.window, Granularity.WEEK, scope)
        [comparison] = read_comparisons([query], line)
        groups = [counted_of_known(lines, query, name) for name in (line, WITHOUT)]
        for group, (facts_of, developers, in_buckets) in zip(
            (comparison.first, comparison.second), groups, strict=True
        ):
            facts = facts_of.total()
            contributors = sum(1 for person in (*EMPLOYED, OUTSIDE) if facts_of[person])
            context = (key, scope.unit, line)
            assert (group.facts, group.developers, group.contributors) == (facts, developers, contributors), context
            assert group.value == (pytest.approx(facts / in_buckets) if in_buckets else None), context
            compared += facts
        assert comparison.unmatched == sum(facts_of[None] for facts_of, _, _ in groups), (key, scope.unit, line)
    assert compared > 100


def counted_of_known(lines: Lines, query: Query, line: str) -> tuple[Counter[str | None], int, int]:
    """Facts by whose they are (None: nobody known), developers on the line, and the same summed over the buckets."""
    units_of, unit = lines.stored_world.world.organisation.units_of, query.scope.unit

    def at(of: Window) -> Question:
        return Question(
            of, lines.stored_world.world.dates.today, lambda person, day: unit is None or unit in units_of(person, day)
        )

    agents = set(AGENTS) if line == "AI" else {line}
    facts = Counter(
        fact.credited_to if fact.credited_to in (*EMPLOYED, OUTSIDE) else None
        for fact, on in lines.facts[query.key]
        if on & agents and at(query.window).of([fact])
    )
    buckets = [bucket.clipped for bucket in windows.buckets(query.window, query.granularity)]
    on_line = [lines.developers(at(bucket), agents) for bucket in buckets]
    return facts, len(set().union(*on_line)), sum(map(len, on_line))
