"""Figures of a hand-kept metric: the value in force at the window's end, only for the unit it was entered for.

The worked example, with days on which a value holds (62 days at most):

    platform        80 from 15 January, 84 from 1 March, 90 from 10 March; nothing after 10 May
    search          70 from 1 February; nothing after 3 April
    organisation    75 from 31 March; nothing after 31 May
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from insights.catalogue.registry import get, metrics
from insights.columns.check import check_columns
from insights.engine.connected import NOBODY_ENTERED, NOT_YET, OF_UNITS_ALONE
from insights.engine.contributions import read_rows
from insights.engine.read import UnitQueries, read_series, read_together, read_totals
from insights.query.query import Granularity, MetricValue, Query, Scope, Window
from integrations.facts.hand_kept import HAND_KEPT_VALUES
from integrations.hand_kept.definitions import change_metric, remove_metrics
from integrations.hand_kept.values import Outcome, remove_values
from integrations.models import HandKeptMetric, HandKeptValue
from orgtree.access.access import access_of, public_access
from orgtree.models import Unit
from orgtree.organisation.cached_settings import NEVER_CHANGED, cache_catalogue_version, load_settings
from tests.columns.rows import assert_agreement
from tests.columns.states import build_all, copied_alone
from tests.hand_kept.keeping import KEY, define, enter
from tests.personas import ADMIN, create_user
from tests.teams import create_teams

pytestmark = pytest.mark.django_db
TODAY = datetime(2026, 6, 17, 12, tzinfo=UTC)
JANUARY_TO_JUNE = Window(date(2026, 1, 1), date(2026, 7, 1))
ENTERED = (
    ("platform", "2026-01-15", 80.0),
    ("platform", "2026-03-01", 84.0),
    ("platform", "2026-03-10", 90.0),
    ("search", "2026-02-01", 70.0),
    ("", "2026-03-31", 75.0),
)
BY_MONTH: dict[str | None, list[float | None]] = {
    "platform": [80.0, 80.0, 90.0, 90.0, None, None],
    "search": [None, 70.0, 70.0, None, None, None],
    None: [None, None, 75.0, 75.0, 75.0, None],
    "engineering": [None] * 6,
}


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(TODAY, tick=False), copied_alone([HAND_KEPT_VALUES.name]):
        yield


@pytest.fixture
def satisfaction() -> HandKeptMetric:
    create_teams()
    metric = define()
    for unit, day, value in ENTERED:
        enter(metric, unit, day, value)
    return metric


def by_month(unit: str | None, key: str = KEY) -> list[MetricValue]:
    [answer] = read_series([Query(key, JANUARY_TO_JUNE, Granularity.MONTH, Scope(unit))])
    return list(answer.series)


def total(unit: str | None, start: str, end: str) -> MetricValue:
    window = Window(date.fromisoformat(start), date.fromisoformat(end))
    [answer] = read_totals([Query(KEY, window, scope=Scope(unit))])
    return answer.total[0]


def test_a_window_has_the_value_that_holds_on_its_last_day(satisfaction: HandKeptMetric) -> None:
    for unit, expected in BY_MONTH.items():
        figures = by_month(unit)
        assert [figure.value for figure in figures] == expected, unit
        assert [figure.sample_size for figure in figures] == [0 if value is None else 1 for value in expected]
    assert total("platform", "2026-01-01", "2026-01-15").value is None, "the day before it was entered"
    assert total("platform", "2026-01-01", "2026-01-16").value == 80
    assert total("platform", "2026-01-01", "2026-03-10").value == 84
    assert total("platform", "2026-04-20", "2026-05-11").value == 90, "10 May is its last day"
    assert total("platform", "2026-04-20", "2026-05-12").value is None, "62 days are over"


def test_a_missing_value_says_why(satisfaction: HandKeptMetric) -> None:
    assert total("engineering", "2026-01-01", "2026-07-01").reason == NOBODY_ENTERED
    assert by_month("search")[4].reason == NOBODY_ENTERED
    assert total("platform", "2026-06-18", "2026-07-01").reason == NOT_YET
    window = Window(date(2026, 3, 1), date(2026, 4, 1))
    of_people = [Scope(unassigned="teams"), Scope(where={}, person_id=1), Scope("platform", person_id=1)]
    for answer in read_totals([Query(KEY, window, scope=scope) for scope in of_people]):
        assert (answer.total[0].value, answer.total[0].reason) == (None, OF_UNITS_ALONE)


def test_nothing_is_added_up_over_units(satisfaction: HandKeptMetric) -> None:
    units = dict(Unit.objects.values_list("pk", "slug"))
    window = Window(date(2026, 3, 1), date(2026, 4, 1))
    [side_by_side] = read_together(units=[UnitQueries([Query(KEY, window)], list(units))]).units
    values = {units[unit]: answer.total[0].value for unit, [answer] in side_by_side.items()}
    assert values == {"platform": 90.0, "search": 70.0, "engineering": None}


def test_two_metrics_are_read_together_and_keep_apart(satisfaction: HandKeptMetric) -> None:
    other = define(slug="risk", name="Risks")
    enter(other, "platform", "2026-03-05", 0.0)
    window = Window(date(2026, 3, 1), date(2026, 4, 1))
    queries = [Query(key, window, scope=Scope("platform")) for key in (KEY, other.key)]
    first, second = read_totals(queries)
    assert (first.total[0].value, second.total[0].value) == (90.0, 0.0), "zero is a value, and no lack of one"


def test_columns_and_postgresql_agree_before_and_after_every_change(satisfaction: HandKeptMetric) -> None:
    def check(expected: dict[str | None, list[float | None]]) -> None:
        for state in ("live", "built"):
            assert_agreement([HAND_KEPT_VALUES], context=state)
            for unit, values in expected.items():
                assert [figure.value for figure in by_month(unit)] == values, (state, unit)
            build_all()
        assert not check_columns().differences

    check(BY_MONTH)
    assert enter(satisfaction, "platform", "2026-05-20", 66.0) is Outcome.CREATED
    check({**BY_MONTH, "platform": [80.0, 80.0, 90.0, 90.0, 66.0, 66.0]})
    assert enter(satisfaction, "platform", "2026-03-10", 91.5) is Outcome.UPDATED
    check({**BY_MONTH, "platform": [80.0, 80.0, 91.5, 91.5, 66.0, 66.0]})
    remove_values(list(HandKeptValue.objects.filter(day="2026-03-10")), by=None)
    check({**BY_MONTH, "platform": [80.0, 80.0, 84.0, 84.0, 66.0, 66.0]})
    access = access_of(create_user(ADMIN))
    change_metric(access, satisfaction, {"valid_days": 20}, of_version=1)
    check({"platform": [80.0, None, None, None, 66.0, None], "search": [None, None, None, None, None, None]})
    assert get(KEY).version == 2, "values hold on other days"
    remove_metrics([satisfaction.pk], by=None)
    assert KEY not in {metric.key for metric in metrics()}
    assert_agreement([HAND_KEPT_VALUES])


def test_rows_are_the_entries_with_day_author_and_note(satisfaction: HandKeptMetric) -> None:
    enter(satisfaction, "platform", "2026-03-10", 91.0, note="After the release of carts")
    page = read_rows(Query(KEY, Window(date(2026, 2, 1), date(2026, 4, 1)), scope=Scope("platform")))
    found = [(row["day"], row["contribution"], row["entered_by"], row["note"]) for row in page.rows]
    assert found == [
        (date(2026, 3, 10), 91.0, "admin@example.com", "After the release of carts"),
        (date(2026, 3, 1), 84.0, "admin@example.com", ""),
        (date(2026, 1, 15), 80.0, "admin@example.com", ""),
    ]
    assert page.rows[0]["contribution"] == total("platform", "2026-02-01", "2026-04-01").value
    assert read_rows(page.query, page=2, size=2).rows == page.rows[2:]


def test_the_catalogue_reflects_definitions_without_a_query_per_lookup(
    satisfaction: HandKeptMetric, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    metric = get(KEY)
    assert (metric.is_hand_kept, metric.unit, metric.belongs_to, metric.version) == (True, "percent", "unit", 1)
    with django_assert_num_queries(0):
        assert [get(KEY) for _ in range(3)] == [metric] * 3
        assert metric in metrics()


def test_other_processes_learn_of_a_definition_with_their_next_response_task_or_connection(
    satisfaction: HandKeptMetric,
) -> None:
    def known() -> bool:
        return KEY in {metric.key for metric in metrics()}

    for learn in (
        lambda: access_of(create_user(ADMIN)),
        public_access,
        lambda: load_settings(connection=connection),
    ):
        cache_catalogue_version(NEVER_CHANGED)  # as in a process that has seen none yet
        assert not known()
        learn()
        assert known()
    with CaptureQueriesContext(connection) as queries:
        cache_catalogue_version(NEVER_CHANGED)
        metrics()
    assert not queries.captured_queries, "where none was ever defined, nothing is read"


def test_the_command_reads_it_like_any_other(satisfaction: HandKeptMetric, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--unit", "platform", "--from", "2026-03-01", "--to", "2026-04-01", "--json")
    call_command("metric", KEY, *arguments)
    document = json.loads(capsys.readouterr().out)
    assert (document["total"][0]["value"], document["hand_kept"]) == (90.0, True)
