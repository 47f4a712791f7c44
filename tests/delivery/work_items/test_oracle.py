"""Every metric of work items and pipelines, counted a second time in Python from random histories, on both paths."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
import time_machine

from insights.catalogue.registry import get
from insights.columns.refresh import refresh
from insights.engine.read import read_series
from insights.query.query import Dimension, Granularity, MetricValue, Query, Scope, Window
from tests.columns.forgotten import forgotten_by_refresh
from tests.delivery.work_items.oracle import ITEMS, RUNS, WORK_TYPES, Computed, Question, World, random_world
from tests.delivery.work_items.tracker import Tracker, answer
from tests.org import Org
from tests.seeds import seeds

NOW = datetime(2026, 5, 6, 15, 30, tzinfo=UTC)  # a Wednesday
TODAY = NOW.date()
FIRST = date(2026, 2, 24)
WINDOWS = (
    Window(date(2026, 3, 2), date(2026, 4, 6)),
    Window(date(2026, 4, 15), date(2026, 5, 18)),  # to date, and a week that has not come
)
SPREAD = {"issue.lead_time", "issue.cycle_time", "wip.age", "backlog.age", "ci.duration", "ci.queue_time"}
MOVED_ON = date(2026, 3, 25)

pytestmark = pytest.mark.django_db

SEEDS = seeds()


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(params=SEEDS)
def world(request: pytest.FixtureRequest, org: Org) -> World:
    org.tree("Teams")
    for unit in ("red", "blue"):
        org.unit(unit.title(), below="teams")
    org.join("ada", "red")
    org.join("ben", "red")
    org.move("ben", from_="red", to="blue", on=MOVED_ON)
    org.people({"full_name": "Cy", "email": "cy@example.com"})  # of no unit
    tracker = Tracker()
    world, drafts = random_world(request.param, FIRST, TODAY, tracker)
    for start in range(0, len(drafts), 25):
        tracker.tell(*drafts[start : start + 25])
    for person, unit, first_day, end_day in (
        ("ada", "red", date.min, date.max),
        ("ben", "red", date.min, MOVED_ON),
        ("ben", "blue", MOVED_ON, date.max),
    ):
        world.placements += [(f"{person}@example.com", tree, first_day, end_day) for tree in (unit, "teams")]
    return world


def _compare(computed: MetricValue, expected: Computed, what: object) -> None:
    if expected.value is None or computed.value is None:
        # A count of nothing is 0 or no data, by whether a source is connected: not the oracle's business.
        assert (computed.value or 0) == (expected.value or 0), what
    else:
        assert computed.value == pytest.approx(expected.value), what
    assert (computed.sample_size, computed.left_out) == (expected.sample, expected.left_out), what


@pytest.mark.parametrize("path", ["facts", "columns"])
def test_values_are_those_of_the_oracle(world: World, path: str) -> None:
    if path == "columns":
        refresh()
    queries = [
        Query(key, window, granularity, Scope(unit))
        for window in WINDOWS
        for unit in (None, "teams", "red", "blue")
        for key in {**ITEMS, **({} if unit else RUNS)}
        for granularity in (Granularity.WEEK, Granularity.MONTH, *(() if unit else (Granularity.DAY,)))
    ]
    for query, computed in zip(queries, read_series(queries), strict=True):
        key, unit = query.key, query.scope.unit
        for figure in (*computed.total, *computed.series):
            expected = {**ITEMS, **RUNS}[key](world, Question(figure.window, TODAY, unit))
            _compare(figure, expected, (key, unit, figure.window))


def test_statistics_are_those_of_the_oracle(world: World) -> None:
    for window in WINDOWS:
        for key, metric in ITEMS.items():
            for statistic in get(key).statistics if key in SPREAD else ():
                for figure in answer(key, window, unit="teams", statistic=statistic).series:
                    expected = metric(world, Question(figure.window, TODAY, "teams")).statistic(statistic)
                    assert figure.value == (None if expected is None else pytest.approx(expected)), (key, figure.window)


def test_segments_are_those_of_the_oracle_and_make_up_the_whole(world: World) -> None:
    for window in WINDOWS:
        for key in ("issue.cycle_time", "wip.count", "wip.age", "backlog.health"):
            computed = answer(key, window, unit="red", by=Dimension.WORK_TYPE)
            figures = [*computed.total, *computed.series]
            # Of a bucket without anything there is one figure, of no segment.
            of_segments = {(figure.window, figure.segment.get("work_type")): figure for figure in figures}
            assert {work_type for _, work_type in of_segments} <= {None, *WORK_TYPES.values()}
            for bucket, work_type in product({figure.window for figure in figures}, WORK_TYPES.values()):
                question = Question(bucket, TODAY, "red", work_type)
                expected = ITEMS[key](world, question)
                if figure := of_segments.get((bucket, work_type)):
                    _compare(figure, expected, (key, question))
                else:
                    assert (expected.sample, expected.left_out) == (0, 0), (key, question)
            whole = answer(key, window, unit="red").total[0]
            assert sum(figure.sample_size for figure in computed.total) == whole.sample_size


def test_the_outbox_names_all_that_changed(world: World) -> None:
    """Moves later than most of the history among it."""
    assert forgotten_by_refresh() == []
    later = random_world(99, TODAY - timedelta(days=20), TODAY, Tracker.known())[1]
    Tracker.known().tell(*later[:40])
    assert forgotten_by_refresh() == []
