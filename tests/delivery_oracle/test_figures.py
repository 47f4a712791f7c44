"""Every delivery metric by week, whole window, unit and statistic: SQL agrees with slow counting in Python."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pytest_django.fixtures import Settings

from insights.metrics.query import Figure, Granularity, MetricQuery, Scope, Statistic, Window
from insights.metrics.read import read_series
from insights.metrics.registry import metrics
from tests.delivery_oracle.calendar import ZONE_NAME, day_of, weeks_of
from tests.delivery_oracle.figures import Asked, Expected
from tests.delivery_oracle.metrics import COUNTS, OF_OWNERS, OF_PEOPLE, Counting, Spread, Truth
from tests.delivery_oracle.organisation import UNITS
from tests.delivery_oracle.pull_requests import time_of
from tests.delivery_oracle.world import World, random_world, tell
from tests.org import Org
from tests.telemetry.raw_rows import days_cut_in

SEEDS = [1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 120))]
METRICS = {**OF_PEOPLE, **OF_OWNERS}
# The moment of its first record is since when a source tells.
FIRST_MOMENT = {"pull-requests": "created_at", "deployments": "finished_at", "incidents": "started_at"}


@pytest.fixture(params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def world(seed: int, org: Org, settings: Settings) -> Iterator[World]:
    world = random_world(seed)
    settings.ORGANISATION_TIME_ZONE = ZoneInfo(ZONE_NAME)
    with time_machine.travel(world.span.now, tick=False), days_cut_in(ZONE_NAME):
        tell(world, org, random.Random(seed))
        yield world


def test_the_oracle_knows_all_metrics_of_deployments_incidents_and_reviews() -> None:
    """Of pull requests, items and pipelines tests/pulls and tests/work count some more."""
    known = {metric.key for metric in metrics()}
    whole = {key for key in known if key.partition(".")[0] in ("dora", "delivery", "incident", "review", "ci")}
    assert whole <= METRICS.keys() <= known


def test_values_are_those_of_the_oracle(world: World) -> None:
    truth = Truth(world)
    queries = [
        MetricQuery(key, world.span.window, Granularity.WEEK, Scope(unit), statistic=statistic)
        for unit in (None, *UNITS)
        for key, counting in METRICS.items()
        for statistic in (Statistic if isinstance(counting, Spread) else (None,))
    ]
    differ: list[str] = []
    for query, answer in zip(queries, read_series(queries), strict=True):
        assert [each.window for each in answer.series] == list(weeks_of(world.span.window))
        for figure in (*answer.total, *answer.series):
            expected = _expected(truth, query, figure.window)
            if not _agree(figure, expected, truth, query):
                differ.append(f"{query.key} {query.scope.unit} {query.statistic} {figure}, not {expected}")
    assert not differ, "\n".join([f"{len(differ)} figures differ:", *differ[:12]])


def _expected(truth: Truth, query: MetricQuery, window: Window) -> Expected:
    counting: Counting = METRICS[query.key]
    statistic = query.statistic or Statistic.MEDIAN
    return counting.expected(truth, _asked(truth.world, query, window), statistic)


def _asked(world: World, query: MetricQuery, window: Window) -> Asked:
    units_on = world.organisation.owners_of if query.key in OF_OWNERS else world.organisation.units_of
    unit = query.scope.unit

    def is_there(whose: str | None, day: date) -> bool:
        return unit is None or unit in units_on(whose, day)

    return Asked(window, world.span.today, is_there)


def _agree(figure: Figure, expected: Expected, truth: Truth, query: MetricQuery) -> bool:
    if (figure.sample_size, figure.left_out) != (expected.sample_size, expected.left_out):
        return False
    if figure.window.start > truth.world.span.today or (not expected.value and not _is_connected(truth, query, figure)):
        return figure.value is None and bool(figure.reason)
    return bool(figure.value == pytest.approx(expected.value))


def _is_connected(truth: Truth, query: MetricQuery, figure: Figure) -> bool:
    """Whether a count of nothing is 0: its source tells since before the window's end, and the unit owns anything."""
    world = truth.world
    if query.key not in COUNTS:
        return True
    kind = COUNTS[query.key]
    moments = [at for each in world.records[kind] if (at := time_of(each, FIRST_MOMENT[kind]))]
    since = [day_of(min(moments))]
    if query.scope.unit and query.key in OF_OWNERS:
        ever = [date.min, *world.span.days()]
        since.append(world.organisation.first_owning(query.scope.unit, ever) or date.max)
    return figure.window.end > max(since)
