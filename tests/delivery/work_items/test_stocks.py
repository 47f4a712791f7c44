"""Stocks: what stands at the end of a bucket, worked out by hand."""

from __future__ import annotations

import pytest

from insights.engine.contributions import read_rows
from insights.query.query import Dimension, Granularity, Query, Window
from tests.delivery.work_items.tracker import DAY, Tracker, answer, figure, on, values


@pytest.fixture
def tracker(db: None) -> Tracker:
    return Tracker()


# Four weeks from Monday, 2 March; the Sundays are 8, 15, 22 and 29 March.
WEEKS = Window(on("03-02"), on("03-30"))


@pytest.fixture
def four_weeks(tracker: Tracker) -> Tracker:
    tracker.tell(
        # In progress from Tuesday, 3 March, until Wednesday, 18 March: at the ends of weeks 1 and 2.
        tracker.item("SHOP-1", "03-02 08:00", ("03-03 10:00", "In progress"), ("03-18 10:00", "Done")),
        # In progress within one week: it stands at the end of none.
        tracker.item("SHOP-2", "03-02 08:00", ("03-10 10:00", "In progress"), ("03-13 10:00", "Done")),
        # Reopened: at the end of week 2, not of week 3, and of week 4 again.
        tracker.item(
            "SHOP-3",
            "03-02 08:00",
            ("03-12 10:00", "In progress"),
            ("03-16 10:00", "Done"),
            ("03-24 10:00", "In progress"),
            type="Bug",
        ),
    )
    return tracker


def test_a_stock_is_split_filtered_and_read_by_month(four_weeks: Tracker) -> None:
    assert values("wip.count", WEEKS) == [1, 2, 0, 1]
    assert figure("wip.count", WEEKS).value == 1  # of the window as of its last week: a stock is no sum
    assert values("wip.count", WEEKS, granularity=Granularity.MONTH) == [1]
    split = answer("wip.count", WEEKS, by=Dimension.WORK_TYPE)
    assert {entry.segment["work_type"]: entry.value for entry in split.total} == {"bug": 1, "feature": 0}
    assert [entry.value for entry in split.series if entry.segment["work_type"] == "feature"] == [1, 1, 0, 0]
    assert values("wip.count", WEEKS, work_type=("feature",)) == [1, 1, 0, 0]


def test_the_rows_of_a_stock_are_what_stands(four_weeks: Tracker) -> None:
    page = read_rows(Query(key="wip.age", window=Window(on("03-09"), on("03-16"))))
    assert {row["reference"]: row["contribution"] for row in page.rows} == {"SHOP-1": 12 * DAY, "SHOP-3": 3 * DAY}
