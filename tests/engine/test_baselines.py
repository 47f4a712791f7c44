"""Baselines over whole weeks: by hand, against the engine, and for every metric."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from statistics import fmean

import pytest

from insights.benchmarks.baselines import OF_ONE_DAY, TOO_FEW, grows_with_time, read_baseline, whole_buckets
from insights.catalogue.registry import get, metrics
from insights.query import windows
from insights.query.errors import QueryError
from insights.query.query import Granularity, Scope, Window
from tests.org import Org
from tests.pages.delivering import merged
from tests.programs.agreements import AT_ONCE, HOUR, monday, reviews_of_platform, weeks_ago
from tests.stored_once import StoreOnce

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("platform")]

PLATFORMS = Scope("platform")


def twelve_weeks() -> Window:
    return whole_buckets(windows.local_today(), Granularity.WEEK, 12)


@pytest.fixture(scope="module")
def platform(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: tell_of_platform(Org(tmp_path_factory.mktemp))) as org:
        yield org


def tell_of_platform(org: Org) -> Org:
    reviews_of_platform(org)
    org.push("pull-requests", merged(9001, weeks_ago(3), author="lise", waits=300.0))  # of another team
    if windows.local_today() > monday():  # of a week that is not over
        org.push("pull-requests", merged(9002, monday(), author="ada", waits=-3.0))
    return org


@pytest.mark.parametrize(
    ("today", "granularity", "number", "window"),
    [
        (date(2026, 11, 21), Granularity.WEEK, 2, (date(2026, 11, 2), date(2026, 11, 16))),
        (date(2026, 11, 16), Granularity.WEEK, 1, (date(2026, 11, 9), date(2026, 11, 16))),
        (date(2026, 1, 31), Granularity.MONTH, 3, (date(2025, 10, 1), date(2026, 1, 1))),
        (date(2026, 11, 21), Granularity.QUARTER, 4, (date(2025, 10, 1), date(2026, 10, 1))),
    ],
)
def test_only_what_is_over_counts(
    today: date, granularity: Granularity, number: int, window: tuple[date, date]
) -> None:
    assert whole_buckets(today, granularity, number) == Window(*window)


def test_a_median_is_that_of_all_facts(platform: Org) -> None:
    baseline = read_baseline("pr.pickup_time", PLATFORMS, twelve_weeks(), None)
    assert baseline.value == pytest.approx((AT_ONCE + 6.5) * HOUR), "6 of each of the hours 1 to 12"
    assert (baseline.sample_size, baseline.people, baseline.reason) == (72, 6, "")
    assert baseline.interval is not None
    assert baseline.value is not None
    assert baseline.interval.low < baseline.value < baseline.interval.high
    assert baseline.interval.low >= (AT_ONCE + 1) * HOUR
    assert baseline.interval.high <= (AT_ONCE + 12) * HOUR
    again = read_baseline("pr.pickup_time", PLATFORMS, twelve_weeks(), None)
    assert again.interval == baseline.interval, "the same question draws the same weeks"


def test_a_share_has_the_weeks_that_have_any(platform: Org) -> None:
    platform.push("pull-requests", *[merged(9100 + n, weeks_ago(2), author="ada", reviewed=False) for n in range(8)])
    baseline = read_baseline("pr.unreviewed_rate", PLATFORMS, twelve_weeks(), None)
    assert baseline.value == pytest.approx(8 / 80 * 100)
    assert baseline.interval is not None
    assert 0 <= baseline.interval.low <= 10 <= baseline.interval.high <= 100
    assert baseline.people == 6


def test_a_count_is_so_many_a_week_or_a_month(platform: Org) -> None:
    baseline = read_baseline("pr.throughput", PLATFORMS, twelve_weeks(), Granularity.WEEK)
    assert baseline.value == pytest.approx(6)
    assert baseline.interval is not None
    assert (baseline.interval.low, baseline.interval.high) == (6, 6)
    assert baseline.sample_size == 72
    months = whole_buckets(windows.local_today(), Granularity.MONTH, 2)
    in_months = read_baseline("pr.throughput", PLATFORMS, months, Granularity.MONTH)
    days = [weeks_ago(week) for week in range(1, 13) for _ in range(6)]
    if windows.local_today() > monday():
        days.append(monday())  # of the week that is not over, in a month that may be
    assert in_months.value == pytest.approx(sum(months.start <= day < months.end for day in days) / 2)
    assert (in_months.interval, in_months.reason) == (None, TOO_FEW)


def test_few_weeks_give_no_interval_and_no_facts_no_value(platform: Org) -> None:
    four = read_baseline("pr.pickup_time", PLATFORMS, whole_buckets(windows.local_today(), Granularity.WEEK, 4), None)
    assert four.value == pytest.approx((AT_ONCE + 2.5) * HOUR)
    assert (four.interval, four.reason) == (None, TOO_FEW)
    nothing = read_baseline("dora.recovery_time", PLATFORMS, twelve_weeks(), None)
    assert nothing.value is None
    assert nothing.interval is None
    assert nothing.reason


def test_a_stock_is_what_stood_on_the_last_day(platform: Org) -> None:
    opened = {**merged(9200, weeks_ago(1), author="ada"), "state": "open", "merged_at": None, "merged_by": None}
    platform.push("pull-requests", opened)
    baseline = read_baseline("wip.age", PLATFORMS, twelve_weeks(), None)
    assert baseline.interval is None
    assert baseline.value is None or baseline.reason == OF_ONE_DAY


def test_a_unit_that_does_not_exist_has_no_baseline(platform: Org) -> None:
    with pytest.raises(QueryError):
        read_baseline("pr.pickup_time", Scope("nowhere"), twelve_weeks(), None)


def test_every_metric_has_a_baseline_that_is_the_engines(platform: Org) -> None:
    for metric in (metric for metric in metrics() if not metric.always_by):
        period = Granularity.WEEK if grows_with_time(metric) else None
        baseline = read_baseline(metric.key, PLATFORMS, twelve_weeks(), period)
        answer = platform.series(metric.key, window=twelve_weeks(), unit="platform")
        weeks = [figure.value for figure in answer.series if figure.value is not None]
        expected = (fmean(weeks) if weeks else None) if period else answer.total[0].value
        assert baseline.value == (None if expected is None else pytest.approx(expected)), metric.key
        if baseline.interval is not None and baseline.value is not None:
            assert baseline.interval.low <= baseline.value + 1e-9, metric.key
            assert baseline.value - 1e-9 <= baseline.interval.high, metric.key


def test_what_grows_with_time_is_distinguished_from_what_does_not() -> None:
    growing = {"pr.throughput", "ai.spend", "ai.adoption_rate", "commit.frequency", "pr.merged_per_developer"}
    growing |= {"incident.count", "ai.idle_seats", "ai.spend_per_developer", "review.load_concentration"}
    steady = {"dora.lead_time", "dora.deployment_frequency", "pr.size", "bug.ratio", "wip.count", "ai.ship_rate"}
    steady |= {"dora.deployment_days", "work.features_per_week", "pr.review_depth", "ai.session_duration"}
    for key in growing:
        assert grows_with_time(get(key)), key
    for key in steady:
        assert not grows_with_time(get(key)), key


def test_a_quotient_of_a_steady_metric_does_not_grow(platform: Org) -> None:
    """A metric that does not grow with time has about the same value in half the weeks, if nothing changed."""
    halves = [
        Window(twelve_weeks().start, twelve_weeks().start + timedelta(weeks=6)),
        Window(twelve_weeks().start + timedelta(weeks=6), twelve_weeks().end),
    ]
    sizes = [read_baseline("pr.size", PLATFORMS, half, None).value for half in halves]
    assert sizes == [50, 50]
    counts = [read_baseline("pr.throughput", PLATFORMS, half, Granularity.WEEK).value for half in halves]
    assert counts == [6, 6], "a mean of weeks"
    assert windows.whole_bucket(windows.local_today(), Granularity.WEEK).start == twelve_weeks().end
