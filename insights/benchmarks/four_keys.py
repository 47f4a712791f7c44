"""The buckets of Four Keys, the DORA team's reference implementation of the four keys; archived since 2024.

The only published set with deployment frequency as days per week with a deployment.
"""

from __future__ import annotations

import math

from insights.benchmarks.bands import BenchmarkSet, MetricBands, ranges
from insights.benchmarks.dora_reports import DAY, HOUR, WEEK

MONTH = 730 * HOUR  # as Four Keys counts it
DAYS_IN_WORDS = "Four Keys uses the median of the weeks of three months; Headway uses the mean of the window."


def _within() -> MetricBands:
    return ranges(
        ("One day", 0.0, DAY),
        ("One week", DAY, WEEK),
        ("One month", WEEK, MONTH),
        ("Six months", MONTH, 6 * MONTH),
        ("One year", 6 * MONTH, math.inf),
    )


def _days_per_week() -> MetricBands:
    """Monthly is one deployment a month: with so few, each is on a day of its own."""
    monthly = WEEK / MONTH
    published = ranges(
        ("Daily", 3.0, math.inf), ("Weekly", 1.0, 3.0), ("Monthly", monthly, 1.0), ("Yearly", 0.0, monthly)
    )
    return MetricBands(published.bands, note=DAYS_IN_WORDS)


FOUR_KEYS = BenchmarkSet(
    slug="four-keys",
    name="Four Keys",
    year=2019,
    source="Four Keys (github.com/dora-team/fourkeys), METRICS.md, by categories of the State of DevOps 2019",
    licence="Apache License 2.0",
    metrics={
        "dora.deployment_days": _days_per_week(),
        "dora.lead_time": _within(),
        "dora.recovery_time": _within(),
        "dora.change_failure_rate": ranges(
            ("0–15 %", 0.0, math.nextafter(15.0, math.inf)),
            ("16–45 %", math.nextafter(15.0, math.inf), 46.0),
            ("46–60 %", 46.0, math.inf),
        ),
    },
)
