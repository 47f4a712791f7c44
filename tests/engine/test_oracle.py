"""Every metric, counted a second time in Python from random facts, from PostgreSQL and from columns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine

from insights.catalogue.registry import get, metrics
from insights.columns.refresh import refresh
from insights.columns.stale import mark_for_recompute
from insights.engine.read import read_series
from insights.query import windows
from insights.query.query import Dimension, Granularity, Query, Scope, Statistic, Window
from integrations.models import AgentSessionDay, FactFamily
from tests.engine import oracle
from tests.engine.facts import World, create_world
from tests.engine.oracle import ORACLE, Selection
from tests.seeds import seeds
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)  # a Wednesday
TODAY = NOW.date()
DAYS = [TODAY - timedelta(days=n) for n in range(59, -1, -1)]
WINDOWS = (
    Window(date(2026, 1, 20), date(2026, 3, 19)),
    Window(date(2026, 2, 1), date(2026, 3, 1)),
    Window(date(2026, 3, 16), date(2026, 3, 30)),  # to date, and a week that has not come
)
SCOPES = (None, "root", "red", "blue")

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


SEEDS = seeds()


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest, stored_once: StoreOnce) -> Iterator[World]:
    with stored_once(lambda: create_world(request.param, days=DAYS), at=NOW) as world:
        yield world


# The families of a World's facts; those of delivery have oracles of their own (tests/delivery/oracle, pulls, work).
OF_A_WORLD = {FactFamily.AI, FactFamily.ENROLMENT, FactFamily.CODE}


def test_the_oracle_knows_every_metric_but_those_that_are_always_split() -> None:
    known = {metric.key for metric in metrics() if metric.families <= OF_A_WORLD}
    # Who reviews or finishes items is active, too; everybody, and what is known of single requests, stand in no world.
    of_more_than_a_world = {"commit.frequency", "ai.adoption_of_everybody", "ai.cost_difference"}
    of_more_than_a_world |= {"ai.cache_hour_surcharge", "ai.requests_without_session", "ai.spend_by_part"}
    of_more_than_a_world.add("ai.tokens_in_both_channels")  # worlds have events alone
    assert known - of_more_than_a_world == {*ORACLE, "ai.active_share_by_agent", "ai.committed_breakdown"}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("unit", SCOPES)
def test_totals_and_points_are_those_of_the_oracle(world: World, window: Window, unit: str | None) -> None:
    queries = [
        Query(key, window, granularity, Scope(unit))
        for key in ORACLE
        for granularity in (Granularity.WEEK, Granularity.MONTH)
    ]
    since = oracle.telemetry_since(world, unit, DAYS)
    for query, answer in zip(queries, read_series(queries), strict=True):
        for figure in (*answer.total, *answer.series):
            selection = Selection(figure.window, NOW, unit)
            periods = windows.periods(figure.window, query.granularity, today=TODAY)
            value, numerator, denominator = oracle.expected(world, query.key, selection, periods=periods)
            always_known = query.key.startswith("commit.") or query.key in oracle.OF_REPOSITORIES
            early = not always_known and (since is None or figure.window.end <= since)
            if figure.window.start > TODAY or early:
                assert figure.value is None, (query.key, figure)
                assert figure.reason, (query.key, figure)
                continue
            assert figure.value == pytest.approx(value), (query.key, figure)
            if figure.value is not None and numerator is not None:
                assert (figure.numerator, figure.denominator) == pytest.approx((numerator, denominator)), query.key


@pytest.mark.parametrize(
    ("agents", "models"), [(("codex",), ()), ((), ("opus",)), (("codex", "gemini"), ("homegrown", "sonnet"))]
)
def test_facets_are_and_between_and_or_within(world: World, agents: tuple[str, ...], models: tuple[str, ...]) -> None:
    window = WINDOWS[0]
    facets = {d: v for d, v in ((Dimension.AGENT, agents), (Dimension.MODEL, models)) if v}
    queries = [Query(key, window, facets=facets) for key in ORACLE if {*facets} <= {*get(key).facets}]
    periods = windows.periods(window, Granularity.WEEK, today=TODAY)
    for query, answer in zip(queries, read_series(queries), strict=True):
        selection = Selection(window, NOW, agents=agents, models=models)
        value, _, _ = oracle.expected(world, query.key, selection, periods=periods)
        assert answer.total[0].value == pytest.approx(value), query.key


@pytest.mark.parametrize("unit", SCOPES)
def test_segments_are_those_of_the_oracle_and_sum_to_the_total(world: World, unit: str | None) -> None:
    window = WINDOWS[0]
    for key, segment in oracle.SEGMENTS:
        queries = [
            Query(key, window, scope=Scope(unit), segments=(Dimension(segment),)),
            Query(key, window, scope=Scope(unit)),
        ]
        split, whole = read_series(queries)
        values = {figure.segment[segment]: figure.value for figure in split.total if figure.value is not None}
        assert values == pytest.approx(dict(oracle.by_segment(world, key, Selection(window, NOW, unit), segment))), key
        assert sum(value or 0 for value in values.values()) == pytest.approx(whole.total[0].value or 0), key


@pytest.mark.parametrize("unit", SCOPES)
def test_the_agents_of_active_developers_sum_to_a_hundred(world: World, unit: str | None) -> None:
    query = Query("ai.active_share_by_agent", WINDOWS[0], scope=Scope(unit))
    [answer] = read_series([query])
    values = {figure.segment["agent"]: figure.value for figure in answer.total if figure.segment}
    assert values == pytest.approx(dict(oracle.shares(world, Selection(WINDOWS[0], NOW, unit))))
    assert sum(value or 0 for value in values.values()) == pytest.approx(100)
    for bucket in {figure.window for figure in answer.series}:
        points = [figure.value for figure in answer.series if figure.window == bucket and figure.value is not None]
        assert not points or sum(points) == pytest.approx(100)


@pytest.mark.parametrize("statistic", [s for s in Statistic if s not in (Statistic.MEAN, Statistic.TRIMMED_MEAN)])
def test_percentiles_interpolate_linearly(world: World, statistic: Statistic) -> None:
    query = Query("ai.session_duration", WINDOWS[0], statistic=statistic)
    [answer] = read_series([query])
    for figure in (*answer.total, *answer.series):
        expected = oracle.percentile(world, Selection(figure.window, NOW), statistic)
        assert figure.value == pytest.approx(expected)


@pytest.mark.parametrize("unit", SCOPES)
def test_people_and_sample_sizes_are_those_of_the_oracle(world: World, unit: str | None) -> None:
    [answer] = read_series([Query("ai.sessions", WINDOWS[0], scope=Scope(unit))])
    for figure in (*answer.total, *answer.series):
        sessions = oracle.sessions(world, Selection(figure.window, NOW, unit))
        assert figure.sample_size == len(sessions)
        assert figure.people == len({session.person for session in sessions if session.person is not None})


def test_the_order_in_which_facts_came_is_irrelevant(world: World) -> None:
    queries = [Query(key, WINDOWS[0]) for key in ORACLE]
    before = [(answer.total, answer.series) for answer in read_series(queries)]
    rows = list(AgentSessionDay.objects.order_by("-id"))
    AgentSessionDay.objects.all().delete()
    AgentSessionDay.objects.bulk_create(rows)
    assert [(answer.total, answer.series) for answer in read_series(queries)] == before


@pytest.mark.parametrize("unit", ["red", *(pytest.param(u, marks=pytest.mark.soak) for u in (None, "root", "blue"))])
def test_built_columns_hold_what_the_facts_say(world: World, unit: str | None) -> None:
    """With rows of PostgreSQL, of files, and of half of each."""
    queries = [
        Query(metric.key, window, granularity, Scope(unit), segments=segments)
        for metric in metrics()
        for segments in ((), *((segment,) for segment in metric.segments))
        for window in (windows.trailing(4), windows.trailing(12), windows.quarter_of(TODAY))
        for granularity in (Granularity.WEEK, Granularity.MONTH)
    ]

    def figures() -> list[Any]:
        return [(answer.query, answer.total, answer.series, answer.unmatched) for answer in read_series(queries)]

    from_facts = figures()
    refresh(math.inf)
    assert figures() == from_facts
    with mock.patch("insights.columns.build.MOST_ROWS", 20):  # so that a part of the days of a relation can be stale
        mark_for_recompute(metrics(), None)
        refresh(math.inf)
    mark_for_recompute(metrics(), Window(TODAY - timedelta(days=20), TODAY))
    assert figures() == from_facts
