"""Rows kept by week and column are those that statements read, until facts of the week change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from unittest import mock

import numpy as np
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from insights.metrics import row_arrays as row_arrays_module
from insights.metrics.kept_columns import WEEK, narrowed, widened
from insights.metrics.plan import Clock
from insights.metrics.query import Dimension, Window
from insights.metrics.reading import Placed, Placement, Reading
from insights.metrics.row_arrays import columns_read, row_arrays
from insights.models import KeptColumn
from insights.snapshots import keeping_columns
from insights.snapshots.filling import fill_everything
from insights.snapshots.keeping_columns import asked_of_relations, keep_columns, weeks_to_keep
from insights.snapshots.refresh import refresh
from tests.metrics.facts import create_world
from tests.metrics.kept import keep_weeks
from tests.org import Org
from tests.seeds import seeds

NOW = datetime(2026, 4, 15, 15, 30, tzinfo=UTC)  # a Wednesday
TODAY = NOW.date()
LATEST = date(2026, 3, 30)  # the Monday of the latest week that is over for long enough
HULL = Window(TODAY - timedelta(days=45), TODAY + timedelta(days=1))  # begins and ends within a week
FACETS: tuple[Mapping[Dimension, tuple[str, ...]], ...] = (
    {},
    {Dimension.AGENT: ("codex", "nobody's")},
    {Dimension.MODEL: ("opus", "unknown")},
    {Dimension.MODEL: ("opus",), Dimension.AGENT: ("codex", "gemini")},
    {Dimension.OUTCOME: ("committed", "pending")},
    {Dimension.REPOSITORY: ("unknown",), Dimension.WORK_TYPE: ("unknown", "feature")},
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@given(
    st.one_of(
        arrays(np.int64, st.integers(0, 50), elements=st.integers(-(2**63), 2**63 - 1)),
        arrays(np.int64, st.integers(0, 50), elements=st.integers(-300, 300)),
        arrays(np.float64, st.integers(0, 50), elements=st.floats()),
        arrays(np.float64, st.integers(0, 50), elements=st.integers(-(2**40), 2**40).map(float)),
        arrays(np.float64, st.integers(0, 50), elements=st.sampled_from([0.0, float("nan"), 0.5])),
    )
)
def test_numbers_come_back_as_they_were(numbers: np.ndarray) -> None:
    narrow = narrowed(numbers)
    read = widened(narrow.tobytes(), narrow.dtype.str.lstrip("<|"), len(numbers))
    assert narrow.nbytes <= numbers.nbytes
    np.testing.assert_array_equal(read.astype(numbers.dtype), numbers)


def test_few_bytes_are_kept_of_small_numbers_and_of_one_that_is_everywhere() -> None:
    assert narrowed(np.array([1.0, 2.0, 100.0])).nbytes == 3
    assert narrowed(np.full(1000, np.nan)).nbytes == 4
    assert narrowed(np.full(1000, 3)).nbytes == 1


@pytest.mark.parametrize("seed", seeds())
def test_rows_are_those_of_a_statement_whatever_the_filter(seed: int) -> None:
    create_world(seed, days=[TODAY - timedelta(days=n) for n in range(59, -1, -1)])
    expected = [rows_of(reading) for reading in readings()]
    assert keep_weeks() > 0
    with mock.patch.object(row_arrays_module, "_read", wraps=row_arrays_module._read) as read:
        assert [rows_of(reading) for reading in readings()] == expected
    days = [call.args[0].hull for call in read.call_args_list]
    assert days == [Window(LATEST + WEEK, HULL.end)] * len(days)
    assert sum(map(len, expected)) > 1000


def readings() -> Iterator[Reading]:
    """Of everybody, of every relation, and with every filter that it knows."""
    for asked in asked_of_relations().values():
        for facets in FACETS:
            known = {*asked.dimensions}
            by_fact = (
                Dimension.MODEL in facets and asked.relation.fact == "session_id" and "agent" in asked.relation.columns
            )
            by_fact = by_fact and Dimension.MODEL not in known
            if {*facets} <= known | ({Dimension.MODEL} if by_fact else set()):
                yield replace(
                    asked.reading(HULL, Clock.read()), facets=tuple(facets.items()), model_picks_facts=by_fact
                )


def rows_of(reading: Reading) -> list[tuple[object, ...]]:
    measures = asked_of_relations()[reading.relation.name].measures
    with row_arrays(reading, measures) as rows:
        columns = [rows.read(column) for column in columns_read(reading, measures)]
        return sorted(zip(*(np.nan_to_num(column, nan=-1.5).tolist() for column in columns), strict=True))


def test_units_are_read_by_statements() -> None:
    create_world(1, days=[TODAY - timedelta(days=n) for n in range(59, -1, -1)])
    of_unit = [replace(each, placement=Placement(Placed.UNIT, (1,))) for each in readings()][:3]
    expected = [rows_of(reading) for reading in of_unit]
    keep_weeks()
    assert [rows_of(reading) for reading in of_unit] == expected


def test_a_week_goes_with_a_change_of_its_facts_and_is_kept_anew_after_that(org: Org) -> None:
    org.tree("Teams")
    org.unit("Red", below="teams")
    org.join("ada", "red")
    for day in ("2026-03-10", "2026-03-17", "2026-03-24"):
        org.session(by="ada", on=day)
    org.fold()
    fill_everything()
    keep_weeks(4)
    assert weeks_kept("agent_sessions") == [LATEST - number * WEEK for number in (3, 2, 1, 0)]
    org.session(by="ada", on="2026-03-18")
    org.fold()
    refresh()
    assert weeks_kept("agent_sessions") == weeks_kept("agent_tool_days") == [LATEST - 3 * WEEK, LATEST - WEEK, LATEST]
    assert LATEST - 2 * WEEK in weeks_kept("done_work_items"), "nothing of these changed"
    asked = asked_of_relations()["agent_sessions"]
    by_statement = rows_of(asked.reading(HULL, Clock.read()))
    assert keep_weeks(4) > 0
    assert rows_of(asked.reading(HULL, Clock.read())) == by_statement
    assert len(by_statement) == 4


def test_a_week_whose_sessions_settle_is_kept_anew(org: Org) -> None:
    org.session(by="ada", on="2026-04-13")
    org.fold()
    fill_everything()
    with mock.patch.object(keeping_columns, "OVER_AFTER", -WEEK):  # as if the week were over
        keep_weeks(2)
        this_week = date(2026, 4, 13)
        assert this_week in weeks_kept("agent_session_days")
        with time_machine.travel(NOW + timedelta(days=4), tick=False):
            refresh()
            assert this_week not in weeks_kept("agent_session_days")


def test_a_column_that_is_missing_makes_its_week_one_that_is_not_kept() -> None:
    create_world(1, days=[TODAY - timedelta(days=n) for n in range(59, -1, -1)])
    asked = asked_of_relations()["agent_session_days"]
    reading = asked.reading(HULL, Clock.read())
    expected = rows_of(reading)
    keep_weeks(5)
    one = KeptColumn.objects.filter(relation=asked.relation.name, start=LATEST - WEEK)[:1].get()
    one.delete()
    assert rows_of(reading) == expected
    assert keep_weeks(5) == 1, "it is kept again"


def test_weeks_are_kept_a_short_while_at_a_time_the_latest_first() -> None:
    create_world(1, days=[TODAY - timedelta(days=n) for n in range(59, -1, -1)])
    with mock.patch.multiple(keeping_columns, MANY_ROWS=0, LONGEST_SECONDS=0.0):
        assert keep_columns(Clock.read()) == 1
        assert {*KeptColumn.objects.values_list("start", flat=True)} == {LATEST}
        assert keep_columns(Clock.read()) == 0, "not again so soon"
        with time_machine.travel(NOW + timedelta(minutes=2), tick=False):
            assert keep_columns(Clock.read()) == 1


def test_nothing_is_kept_of_few_rows() -> None:
    create_world(1, days=[TODAY - timedelta(days=n) for n in range(59, -1, -1)])
    assert keep_columns(Clock.read(), however_long=True) == 0
    assert len(weeks_to_keep(TODAY)) == 103


def weeks_kept(relation: str) -> list[date]:
    return sorted({*KeptColumn.objects.filter(relation=relation).values_list("start", flat=True)})
