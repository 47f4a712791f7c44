"""A tile's text for a change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from insights.catalogue.registry import get
from insights.query.query import Answer, Granularity, MetricValue, Query, Window
from insights.ui import tiles

WINDOW = Window(date(2026, 8, 29), date(2026, 11, 21))
BEFORE = Window(date(2026, 6, 6), date(2026, 8, 29))
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def figure(
    value: float | None,
    *,
    numerator: float | None = None,
    denominator: float | None = None,
    sample_size: int = 100,
    window: Window = WINDOW,
) -> MetricValue:
    reason = None if value is not None else "No data in this time."
    return MetricValue(window, {}, value, numerator, denominator, sample_size, 5, reason)


def answer(key: str, total: MetricValue, series: list[MetricValue] | None = None, *, lag: float = 0) -> Answer:
    query = Query(key, total.window)
    return Answer(query, [total], series or [], None, NOW - timedelta(seconds=lag), NOW + timedelta(seconds=5))


@pytest.mark.parametrize(
    ("key", "now", "before", "expected"),
    [
        ("ai.adoption_rate", 76.9, 70.8, ("up", "better", "+6.1 pts")),
        ("ai.adoption_rate", 70.8, 76.9, ("down", "worse", "−6.1 pts")),
        ("ai.adoption_rate", 76.9, 76.8, ("flat", "steady", "no change")),
        ("ai.error_rate", 11.4, 3.4, ("up", "worse", "+8.0 pts")),
        ("ai.error_rate", 3.4, 11.4, ("down", "better", "−8.0 pts")),
        ("ai.spend", 2572.0, 1963.0, ("up", "higher", "+$609")),
        ("ai.spend", 1963.0, 2572.0, ("down", "lower", "−$609")),
        ("ai.spend", 2572.0, 2560.0, ("flat", "steady", "no change")),
        ("ai.tokens", 5.0, 0.0, ("up", "higher", "+5")),
    ],
)
def test_a_change_is_judged_by_the_metrics_direction(
    key: str, now: float, before: float, expected: tuple[str, str, str]
) -> None:
    change = tiles.change(get(key), figure(now), figure(before), tiles.earlier(WINDOW, BEFORE))
    assert change is not None
    assert (change.arrow, change.judgement, change.text) == expected
    assert change.comparison == "vs. previous 12 weeks"


def test_a_change_that_prints_as_zero_is_no_change() -> None:
    change = tiles.change(get("ci.queue_time"), figure(0.6), figure(0.3), "before")
    assert change
    assert (change.arrow, change.judgement, change.words) == ("flat", "steady", "no change")


def test_no_change_without_both_sides() -> None:
    assert tiles.change(get("ai.spend"), figure(None), figure(1), "") is None
    assert tiles.change(get("ai.spend"), figure(1), figure(None), "") is None
    assert tiles.change(get("ai.spend"), figure(0), figure(0), "") is None


def test_an_unfinished_window_says_what_it_is_compared_with() -> None:
    quarter = Window(date(2026, 10, 1), date(2027, 1, 1))
    same_part = Window(date(2026, 7, 1), date(2026, 8, 21))
    assert tiles.earlier(quarter, same_part) == "the first 51 days of the one before"


def test_a_stub_of_a_week_is_not_drawn() -> None:
    stub = figure(0, window=Window(date(2026, 8, 29), date(2026, 8, 31)))
    weeks = [
        figure(value, window=Window(date(2026, 8, 31) + timedelta(weeks=n), date(2026, 9, 7) + timedelta(weeks=n)))
        for n, value in enumerate([60.0, 61.0, 62.0])
    ]
    series = answer("ai.active_share", figure(70.0), [stub, *weeks])
    assert tiles.spark(series) == [60.0, 61.0, 62.0]
    longer = [figure(50.0, window=Window(date(2026, 8, 27), date(2026, 8, 31))), *weeks]
    assert tiles.stub(longer, Granularity.WEEK) is None


def test_a_lagging_tile_says_as_of_when() -> None:
    for lag, note in ((3, ""), (40, "as of 07:59:20")):
        assert tiles.lagging(answer("ai.spend", figure(10.0), lag=lag)) == note
