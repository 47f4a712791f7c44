"""Scans in memory tell what the statements do: of any metric, split, filter and scope, and of units side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from unittest import mock

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from insights.metrics.query import Dimension, Figure, MetricQuery, Scope, SeriesAnswer, Window
from insights.metrics.read import AskedBeside, SideBySide, Together, read_together
from insights.metrics.registry import metrics
from insights.metrics.scan import scan
from insights.metrics.scan_in_memory import scan_in_memory
from insights.metrics.shared_scans import forget_scans
from orgtree.models import Unit
from tests.linking.histories import REPOSITORIES
from tests.metrics.facts import create_world
from tests.metrics.kept import keep_weeks
from tests.metrics.moving_deliveries import UNITS, deliver
from tests.metrics.organisations import TREE, add_organisation
from tests.org import Org
from tests.seeds import SOAKED, seeds

NOW = datetime(2026, 4, 15, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
WINDOW = Window(TODAY - timedelta(days=58), TODAY - timedelta(days=2))  # no cell is of it
Facets = Mapping[Dimension, tuple[str, ...]]
Pairs = Callable[[Sequence[Scope], Sequence[Facets]], Iterable[tuple[Scope, Facets]]]
# Each scope and each filter in one page; in `make soak` each scope with each filter.
SEEDS = [(1, zip), *(pytest.param(seed, product, marks=pytest.mark.soak) for seed in range(1, 1 + SOAKED))]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize(("seed", "pairs"), SEEDS)
def test_of_deliveries_whose_people_and_owners_move(seed: int, pairs: Pairs, org: Org) -> None:
    deliver(org, seed)
    facets: list[Facets] = [{Dimension.REPOSITORY: REPOSITORIES}, {Dimension.SIZE_CLASS: ("XS", "S")}, {}]
    check_both_ways(pairs([Scope(), Scope("red"), Scope(unassigned="teams")], facets), UNITS)


@pytest.mark.parametrize(("seed", "pairs"), SEEDS)
def test_of_telemetry_and_commits_of_people_with_attributes(seed: int, pairs: Pairs) -> None:
    days = [TODAY - timedelta(days=n) for n in range(59, -1, -1)]
    add_organisation(create_world(seed, days=days), seed, days)
    scopes = [Scope(), Scope("a"), Scope(where={"site": ("Pune", "Oslo")})]
    facets: list[Facets] = [{Dimension.MODEL: ("opus", "sonnet")}, {}, {Dimension.AGENT: ("codex",)}]
    check_both_ways(pairs(scopes, facets), ("a", "a1", "b"))


@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize("deliveries", [False, True])
def test_whoever_is_in_no_unit_among_everybody(seed: int, org: Org, *, deliveries: bool) -> None:
    """A page that reads everybody's rows finds among them those of people who were in no unit of the tree that day."""
    days = [TODAY - timedelta(days=n) for n in range(59, -1, -1)]
    tree = "teams" if deliveries else TREE
    if deliveries:
        deliver(org, seed)
    else:
        add_organisation(create_world(seed, days=days), seed, days)
    told_of_everybody = 0
    for where in [{}] if deliveries else [{"site": ("Pune", "Oslo")}]:
        asked = [metric for metric in metrics() if Dimension.AGENT in metric.facets or deliveries]
        facets = {} if deliveries else {Dimension.AGENT: ("codex", "claude_code")}
        everybody = [MetricQuery(each.key, WINDOW, scope=Scope(where=where), facets=facets) for each in asked]
        unassigned = [replace(query, scope=Scope(unassigned=tree, where=where)) for query in everybody]
        expected = told(read_page(AskedBeside(totals=unassigned), many_rows=sys.maxsize))
        with mock.patch("insights.metrics.shared_scans.WORTH_KEEPING_SECONDS", 0):
            read_page(AskedBeside(totals=everybody, unassigned=unassigned), many_rows=0)
            with (
                mock.patch("insights.metrics.scan_in_memory.MANY_ROWS", sys.maxsize),
                CaptureQueriesContext(connection) as own,
            ):
                assert told(read_together(totals=unassigned, beside=AskedBeside)) == expected
            forget_scans()
            with (
                mock.patch("insights.metrics.scan_in_memory.MANY_ROWS", sys.maxsize),
                CaptureQueriesContext(connection) as alone,
            ):
                read_together(totals=unassigned, beside=AskedBeside)
        told_of_everybody += len(alone) - len(own)
    assert told_of_everybody >= 3


def test_more_combinations_than_numbers_are_left_to_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    create_world(1, days=[TODAY - timedelta(days=n) for n in range(59, -1, -1)])
    page = AskedBeside([MetricQuery("ai.active_developers", WINDOW)])
    expected = told(read_page(page, many_rows=sys.maxsize))
    monkeypatch.setattr("insights.formulas.cell_distinct_counts.LARGEST_CODE", 1)
    with mock.patch("insights.metrics.scan_in_memory.MANY_ROWS", 0):
        assert told(read_together(series=page.series)) == expected


def check_both_ways(pairs: Iterable[tuple[Scope, Facets]], units: Sequence[str]) -> None:
    pages = [_page(scope, chosen, units) for scope, chosen in pairs]
    by_statements = [told(read_page(page, many_rows=sys.maxsize)) for page in pages]
    assert [told(read_page(page, many_rows=0)) for page in pages] == by_statements
    assert keep_weeks()
    assert [told(read_page(page, many_rows=0)) for page in pages] == by_statements, "of weeks that are kept"


def _page(scope: Scope, facets: Facets, units: Sequence[str]) -> AskedBeside:
    asked = [metric for metric in metrics() if {*facets} <= {*metric.facets}]
    series = [MetricQuery(metric.key, WINDOW, scope=scope, facets=facets) for metric in asked]
    split = [
        MetricQuery(metric.key, WINDOW, scope=scope, facets=facets, segments=(segment,))
        for metric in asked
        for segment in metric.segments
    ]
    ids = [Unit.objects.get(slug=slug).pk for slug in units]
    return AskedBeside(series, split, [] if scope.unit or scope.unassigned else [SideBySide(series, ids)])


def read_page(page: AskedBeside, *, many_rows: int) -> Together:
    forget_scans()
    with (
        mock.patch("insights.metrics.scan_in_memory.MANY_ROWS", many_rows),
        mock.patch("insights.metrics.shared_scans.scan", wraps=scan) as by_statement,
        mock.patch("insights.metrics.shared_scans.scan_in_memory", wraps=scan_in_memory) as in_memory,
    ):
        found = read_together(series=page.series, totals=page.totals, units=page.units, beside=lambda: page)
    assert in_memory.call_count > by_statement.call_count if many_rows == 0 else not in_memory.called
    return found


def told(found: Together) -> list[object]:
    of_units = [answer for units in found.units for _, answers in sorted(units.items()) for answer in answers]
    return [told_by(answer) for answer in (*found.series, *found.totals, *of_units)]


def told_by(answer: SeriesAnswer) -> object:
    figures = [_compared(figure) for figure in (*answer.total, *answer.series)]
    return (answer.query.key, answer.query.segments, figures, rounded(answer.unmatched))


def _compared(figure: Figure) -> object:
    """Sums of floats depend on the order in which rows are read, in their last digits."""
    return tuple(map(rounded, vars(figure).values()))


def rounded(value: object) -> object:
    if isinstance(value, Mapping):
        return sorted((key, rounded(each)) for key, each in value.items())
    return float(f"{value:.9g}") if isinstance(value, float) else value
