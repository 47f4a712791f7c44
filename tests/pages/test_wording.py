"""Figures as people read them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.query.query import Granularity, Window
from insights.ui import wording


@pytest.mark.parametrize(
    ("value", "unit", "printed"),
    [
        (70.44, "percent", "70.4%"),
        (0.0, "percent", "0.0%"),
        (-0.01, "percent", "0.0%"),
        (3.244, "currency", "$3.24"),
        (99.999, "currency", "$100"),
        (326.4, "currency", "$326"),
        (48210.2, "currency", "$48,210"),
        (1_234_567.0, "currency", "$1.23M"),
        (0.0004, "currency", "<$0.01"),
        (0.0, "currency", "$0.00"),
        (12, "seconds", "12 s"),
        (90, "seconds", "1.5 min"),
        (42 * 60, "seconds", "42 min"),
        (43.9 * 3600, "seconds", "43.9 h"),
        (3.2 * 86400, "seconds", "3.2 days"),
        (9.83, "count", "9.8"),
        (0.046, "count", "0.046"),
        (-1234, "count", "−1.23k"),
        (1234, "count", "1.23k"),
        (999_999, "lines", "1M lines"),
        (262_400, "lines", "262k lines"),
        (1.73e6, "tokens", "1.73M tokens"),
        (2.1e9, "tokens", "2.1B tokens"),
        (0.5, "per_day", "0.50 / day"),
    ],
)
def test_a_value_reads_well(value: float, unit: str, printed: str) -> None:
    assert str(wording.reading(value, unit)) == printed


@given(st.floats(-1e15, 1e15), st.sampled_from(["percent", "currency", "count", "lines", "tokens", "per_day"]))
def test_every_number_can_be_printed_short(value: float, unit: str) -> None:
    printed = str(wording.reading(value, unit))
    assert re.fullmatch(r"−?\$?[\d,]+(\.\d+)?[kMBT]?(%| / day| tokens| lines)?|−?<\$0.01", printed)


@given(st.floats(0, 1e14), st.floats(0, 1e14))
def test_compact_numbers_keep_their_order(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert _magnitude(wording.compact(low)) <= _magnitude(wording.compact(high)) * 1.01


def _magnitude(text: str) -> float:
    factors = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    return float(text[:-1]) * factors[text[-1]] if text[-1] in factors else float(text)


def test_a_change_has_no_sign() -> None:
    assert wording.difference(-6.14, "percent") == "6.1 pts"
    assert wording.difference(-31, "currency") == "$31.00"
    assert wording.difference(70_500_000, "tokens") == "70.5M"


def test_a_difference_and_its_interval_have_one_unit() -> None:
    assert wording.signed([3.6 * 3600, -55 * 60, 8.2 * 3600], "seconds") == ["+3.6 h", "−0.9 h", "+8.2 h"]
    assert wording.signed([-90.0, -30.0], "seconds") == ["−1.5 min", "−0.5 min"]
    assert wording.signed([5.0, -1.25], "percent") == ["+5.0%", "−1.2%"]
    assert wording.signed([0.5, -0.125]) == ["+0.50", "−0.12"]
    assert wording.signed([]) == []


def test_shares_never_look_like_none_or_all() -> None:
    assert wording.percent_of(1, 1000) == "<1%"
    assert wording.percent_of(999, 1000) == ">99%"
    assert wording.percent_of(0, 1000) == "0%"
    assert wording.percent_of(1000, 1000) == "100%"
    assert wording.percent_of(0, 0) == "0%"


def test_days_include_the_last_one() -> None:
    assert wording.days(Window(date(2026, 7, 3), date(2026, 10, 2))) == "3 Jul – 1 Oct 2026"
    assert wording.days(Window(date(2025, 11, 22), date(2026, 11, 21))) == "22 Nov 2025 – 20 Nov 2026"
    assert wording.days(Window(date(2026, 8, 29), date(2026, 8, 31))) == "29 – 30 Aug 2026"
    assert wording.days(Window(date(2026, 8, 29), date(2026, 8, 30))) == "29 Aug 2026"


def test_spans_and_buckets() -> None:
    assert wording.span(Window(date(2026, 1, 1), date(2026, 1, 8))) == "1 week"
    assert wording.span(Window(date(2026, 1, 1), date(2026, 4, 1))) == "90 days"
    week = Window(date(2026, 7, 6), date(2026, 7, 13))
    assert wording.bucket(week, Granularity.WEEK) == "6 Jul"
    assert wording.bucket(Window(date(2026, 7, 6), date(2026, 8, 1)), Granularity.MONTH) == "Jul 2026"
    assert wording.bucket(Window(date(2026, 7, 1), date(2026, 10, 1)), Granularity.QUARTER) == "Jul – Sep 2026"


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=4), "4 seconds ago"),
        (timedelta(minutes=1, seconds=30), "1 minute ago"),
        (timedelta(hours=3), "3 hours ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_how_long_ago(passed: timedelta, words: str) -> None:
    now = datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert wording.ago(now - passed, now) == words


def test_lists_of_words() -> None:
    assert wording.listed([]) == ""
    assert wording.listed(["a"]) == "a"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
