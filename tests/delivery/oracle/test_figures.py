"""Every delivery metric by week, whole window, unit and statistic: SQL agrees with slow counting in Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache, partial
from itertools import product
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pytest_django.fixtures import Settings

from insights.catalogue.registry import get, metrics
from insights.engine.read import read_series
from insights.query.query import Dimension, Granularity, MetricValue, Query, Scope, Statistic, Window
from tests.columns.states import column_states
from tests.delivery.oracle.calendar import ZONE_NAME, day_of, weeks_of
from tests.delivery.oracle.figures import Counted, Expected, Question
from tests.delivery.oracle.metrics import COUNTS, OF_OWNERS, OF_PEOPLE, Counting, PerDeveloperAndWeek, Spread, Truth
from tests.delivery.oracle.organisation import REPOSITORIES, UNITS
from tests.delivery.oracle.pull_requests import time_of
from tests.delivery.oracle.world import World, random_world, tell
from tests.org import Org
from tests.seeds import seeds
from tests.telemetry.raw_rows import days_cut_in

SEEDS = seeds()
METRICS = {**OF_PEOPLE, **OF_OWNERS}
ExpectedOf = Callable[..., Expected]
# The moment of its first record is since when a source tells.
FIRST_MOMENT = {"pull-requests": "created_at", "deployments": "finished_at", "incidents": "started_at"}


@pytest.fixture(params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def world(seed: int, org: Org, settings: Settings) -> Iterator[World]:
    world = random_world(seed)
    settings.ORGANISATION_TIME_ZONE = ZoneInfo(ZONE_NAME)
    with time_machine.travel(world.dates.now, tick=False), days_cut_in(ZONE_NAME):
        tell(world, org, random.Random(seed))
        yield world


def test_the_oracle_knows_all_metrics_of_deployments_incidents_and_reviews() -> None:
    """Tests in ../pull_requests and ../work_items cover more metrics of pull requests and work items."""
    known = {metric.key for metric in metrics()}
    whole = {key for key in known if key.partition(".")[0] in ("dora", "delivery", "incident", "review", "ci")}
    assert whole <= METRICS.keys() <= known


def test_figures_are_those_of_the_oracle(world: World, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The world is told once for all: that takes longer than to compare it.  However much of the columns is built."""
    monkeypatch.setattr("insights.columns.build.MOST_ROWS", 60)
    truth = Truth(world)
    expected = cache(partial(_expected, truth))  # facts stay as they are, whatever is built of them
    for state in column_states(random.Random(seed)):
        differ = [*_values_that_differ(truth, expected), *_segments_that_differ(truth, expected, seed)]
        assert not differ, "\n".join([f"{state}, and {len(differ)} figures differ:", *differ[:12]])


def _values_that_differ(truth: Truth, expected_of: ExpectedOf) -> Iterator[str]:
    world = truth.world
    queries = [
        Query(key, world.dates.window, Granularity.WEEK, Scope(unit), statistic=statistic)
        for unit in (None, *UNITS)
        for key, counting in METRICS.items()
        for statistic in (get(key).statistics if isinstance(counting, Spread) else (None,))
    ]
    for query, answer in zip(queries, read_series(queries), strict=True):
        assert [figure.window for figure in answer.series] == list(weeks_of(world.dates.window))
        for figure in (*answer.total, *answer.series):
            expected = expected_of(query.key, query.scope.unit, figure.window, statistic=query.statistic)
            if not _agree(figure, expected, truth, query):
                yield f"{query.key} {query.scope.unit} {query.statistic} {figure}, not {expected}"


SEGMENTS = (
    *(Dimension.ASSISTANCE, Dimension.AGENT, Dimension.WORK_TYPE),
    *(Dimension.REPOSITORY, Dimension.SERVICE, Dimension.SIZE_CLASS),
)
"""What is split by lines of people, and by commits, is not told apart here."""


def _segments_that_differ(truth: Truth, expected_of: ExpectedOf, seed: int) -> Iterator[str]:
    """Each metric by each dimension that it can be split by, of the organisation and of one of its units."""
    queries = [
        Query(metric.key, truth.world.dates.window, Granularity.MONTH, Scope(unit), segments=(dimension,))
        for metric in metrics()
        if metric.key in METRICS and not isinstance(METRICS[metric.key], PerDeveloperAndWeek)
        for dimension in SEGMENTS
        if dimension in metric.segments
        for unit in (None, UNITS[seed % len(UNITS)])
    ]
    for query, answer in zip(queries, read_series(queries), strict=True):
        [dimension] = query.segments
        values_of = truth.segments.of(query.key, dimension)
        figures = [*answer.total, *answer.series]  # of a bucket without anything one that is of no segment
        by_segment = {(figure.window, figure.segment[dimension.value]): figure for figure in figures if figure.segment}
        there_are = {value for fact in truth.counting(query.key) for value in values_of(fact)}
        for window, value in product(
            {figure.window for figure in figures}, there_are | {value for _, value in by_segment}
        ):
            expected = expected_of(query.key, query.scope.unit, window, segment=(dimension, value))
            if not _agree_in_segment(by_segment.get((window, value)), expected):
                figure = by_segment.get((window, value))
                yield f"{query.key} {query.scope.unit} {window} {value}: {figure}, not {expected}"


def _is_of(values_of: Callable[[Counted], tuple[str, ...]], value: str, counted: Counted) -> bool:
    return value in values_of(counted)


def _agree_in_segment(figure: MetricValue | None, expected: Expected) -> bool:
    """Whether both agree; an empty segment may have no figure, or a figure of 0."""
    if figure is None or not (figure.sample_size or figure.left_out):
        return (expected.sample_size, expected.left_out) == (0, 0)
    if (figure.sample_size, figure.left_out) != (expected.sample_size, expected.left_out):
        return False
    return bool(figure.value == pytest.approx(expected.value))


def _expected(
    truth: Truth,
    key: str,
    unit: str | None,
    window: Window,
    *,
    statistic: Statistic | None = None,
    segment: tuple[Dimension, str] | None = None,
) -> Expected:
    if key == "incident.count_per_deployment" and window.end <= _first_day(truth.world, "incidents"):
        return Expected(None, 0)  # what is not known is not none
    counting: Counting = METRICS[key]
    question = _question(truth.world, key, unit, window)
    if segment:
        dimension, value = segment
        question = replace(question, is_split_off=partial(_is_of, truth.segments.of(key, dimension), value))
    return counting.expected(truth, question, statistic or Statistic.MEDIAN)


def _question(world: World, key: str, unit: str | None, window: Window) -> Question:
    units_on = world.organisation.owners_of if key in OF_OWNERS else world.organisation.units_of

    def is_there(person: str | None, day: date) -> bool:
        of_agents = person in REPOSITORIES
        return unit is None or unit in (world.organisation.owners_of if of_agents else units_on)(person, day)

    return Question(window, world.dates.today, is_there)


def _agree(figure: MetricValue, expected: Expected, truth: Truth, query: Query) -> bool:
    if (figure.sample_size, figure.left_out) != (expected.sample_size, expected.left_out):
        return False
    if figure.window.start > truth.world.dates.today or (
        not expected.value and not _is_connected(truth, query, figure)
    ):
        return figure.value is None and bool(figure.reason)
    return bool(figure.value == pytest.approx(expected.value))


def _is_connected(truth: Truth, query: Query, figure: MetricValue) -> bool:
    """Whether a count of nothing is 0: its source tells since before the window's end, and the unit owns anything."""
    world = truth.world
    if query.key not in COUNTS:
        return True
    since = [_first_day(world, COUNTS[query.key])]
    if query.scope.unit and query.key in OF_OWNERS:
        ever = [date.min, *world.dates.days()]
        since.append(world.organisation.first_owning(query.scope.unit, ever) or date.max)
    return figure.window.end > max(since)


def _first_day(world: World, kind: str) -> date:
    return day_of(min(at for record in world.records[kind] if (at := time_of(record, FIRST_MOMENT[kind]))))
