"""Vendors' sets: LinearB's two studies and Harness's documented bands."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.seconds import DAY, HOUR, WEEK
from insights.benchmarks.bands import BenchmarkSet, MetricBands, at_least, at_most, ranges
from insights.benchmarks.dora_reports import DAILY, MONTHLY, MORE_THAN_DAILY, WEEKLY
from insights.query.query import Statistic

ELITE, STRONG, FAIR, REST = "Elite", "Strong", "Fair", "Needs focus"
LINEARB = "LinearB's help centre, “community benchmarks”; the page names no year"
LICENCE = "Published figures, named with their source; no licence is given"
WHOLE_CYCLE = "LinearB calls it cycle time: first commit to production."
REVIEW_ENDS_WITH_MERGE = "LinearB's review time ends with the merge, Headway's with the approval."
LINES_CHANGED_AGAIN = "Lines changed again within 21 days."


def _hours(elite: float, strong: float, fair: float, statistic: Statistic | None, note: str = "") -> MetricBands:
    return _up_to(elite * HOUR, strong * HOUR, fair * HOUR, statistic, note)


def _up_to(elite: float, strong: float, fair: float, statistic: Statistic | None = None, note: str = "") -> MetricBands:
    return at_most((ELITE, elite), (STRONG, strong), (FAIR, fair), rest=REST, statistic=statistic, note=note)


def _stages(
    statistic: Statistic | None,
    *,
    cycle: tuple[float, float, float],
    coding: tuple[float, float, float],
    pickup: tuple[float, float, float],
    review: tuple[float, float, float],
    deploy: tuple[float, float, float],
    size: tuple[float, float, float],
) -> Mapping[str, MetricBands]:
    return {
        "dora.lead_time": _hours(*cycle, statistic, WHOLE_CYCLE),
        "pr.coding_time": _hours(*coding, statistic),
        "pr.pickup_time": _hours(*pickup, statistic),
        "pr.review_time": _hours(*review, statistic, REVIEW_ENDS_WITH_MERGE),
        "pr.deploy_time": _hours(*deploy, statistic),
        "pr.size": _up_to(*size, statistic),
    }


LINEARB_TEAMS = BenchmarkSet(
    slug="linearb-teams",
    name="LinearB, 1,971 teams",
    year=None,
    source=LINEARB,
    licence=LICENCE,
    metrics={
        **_stages(
            Statistic.MEAN,
            cycle=(48, 118, 209),
            coding=(12, 24, 38),
            pickup=(7, 12, 18),
            review=(6, 13, 28),
            deploy=(4, 48, 168),
            size=(225, 400, 800),
        ),
        "code.rework_rate": _up_to(8, 11, 14, note=LINES_CHANGED_AGAIN),
        "dora.deployment_frequency": at_least(
            (ELITE, DAILY), (STRONG, math.nextafter(WEEKLY, math.inf)), (FAIR, WEEKLY), rest=REST
        ),
        "sprint.delivered_vs_planned": at_least((ELITE, 80.0), (STRONG, 65.0), (FAIR, 40.0), rest=REST),
    },
)
LINEARB_PULL_REQUESTS = BenchmarkSet(
    slug="linearb-pull-requests",
    name="LinearB, 3.69 million pull requests (averages)",
    year=None,
    source=LINEARB,
    licence=LICENCE,
    metrics={
        **_stages(
            Statistic.MEAN,
            cycle=(73, 155, 304),
            coding=(19, 44, 99),
            pickup=(7, 13, 20),
            review=(5, 14, 29),
            deploy=(6, 50, 137),
            size=(219, 395, 793),
        ),
        "code.rework_rate": _up_to(2, 5, 7, note=LINES_CHANGED_AGAIN),
        "code.refactor_rate": _up_to(9, 15, 21, note="Lines changed that are older than 21 days."),
        "dora.change_failure_rate": _up_to(1, 8, 39),
    },
)
LINEARB_PULL_REQUESTS_P75 = BenchmarkSet(
    slug="linearb-pull-requests-p75",
    name="LinearB, 3.69 million pull requests (75th percentiles)",
    year=None,
    source=LINEARB,
    licence=LICENCE,
    metrics=_stages(
        Statistic.P75,
        cycle=(19, 66, 218),
        coding=(0.5, 2.5, 24),
        pickup=(1, 3, 14),
        review=(0.5, 3, 18),
        deploy=(3, 69, 197),
        size=(98, 148, 218),
    ),
)
HARNESS = BenchmarkSet(
    slug="harness",
    name="Harness SEI's bands",
    year=None,
    source="Harness's documentation of Software Engineering Insights",
    licence=LICENCE,
    metrics={
        "dora.lead_time": ranges(
            ("Elite", 0.0, DAY), ("High", DAY, WEEK), ("Medium", WEEK, 30 * DAY), ("Low", 30 * DAY, math.inf)
        ),
        "dora.deployment_frequency": ranges(
            ("Elite", MORE_THAN_DAILY, math.inf),
            ("High", WEEKLY, MORE_THAN_DAILY),
            ("Medium", MONTHLY, WEEKLY),
            ("Low", 0.0, MONTHLY),
        ),
        "dora.change_failure_rate": ranges(
            ("Elite", 0.0, 15.5), ("High", 15.5, 30.5), ("Medium", 30.5, 45.5), ("Low", 45.5, math.inf)
        ),
        "dora.recovery_time": ranges(("Elite", 0.0, HOUR)),
    },
)
INDUSTRY_SETS = (LINEARB_TEAMS, LINEARB_PULL_REQUESTS, LINEARB_PULL_REQUESTS_P75, HARNESS)
