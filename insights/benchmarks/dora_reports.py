"""The clusters of DORA's yearly reports, in seconds, deployments per day and per cent; and the buckets of Four Keys.

"On demand" is taken as more than once a day.  Rates published as ranges of whole per cent include all rates that round
into the range.  Four Keys is the DORA team's reference implementation, archived since 2024: the only published set with
deployment frequency as days per week with a deployment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.seconds import DAY, HOUR, MONTH, WEEK
from insights.benchmarks.bands import BenchmarkSet, MetricBands, at_most, ranges

DAILY, WEEKLY, MONTHLY, HALF_YEARLY = 1.0, DAY / WEEK, DAY / MONTH, DAY / (6 * MONTH)
MORE_THAN_DAILY = math.nextafter(DAILY, math.inf)
ELITE, HIGH, MEDIUM, LOW = "Elite", "High", "Medium", "Low"
LICENCE = "Figures of DORA (Google), named with their source; the report states its licence"
OCTOPUS = "Octopus Deploy's summary of the report"


def _keys(
    frequency: MetricBands, lead_time: MetricBands, failure_rate: MetricBands, recovery: MetricBands
) -> Mapping[str, MetricBands]:
    return {
        "dora.deployment_frequency": frequency,
        "dora.lead_time": lead_time,
        "dora.change_failure_rate": failure_rate,
        "dora.recovery_time": recovery,
    }


def _report(year: int, *, source: str, metrics: Mapping[str, MetricBands], secondary: str = "") -> BenchmarkSet:
    return BenchmarkSet(f"dora-{year}", f"DORA {year}", year, source, LICENCE, metrics, secondary)


DORA_2021 = _report(
    2021,
    source="Accelerate State of DevOps 2021, p. 9, dora.dev",
    metrics=_keys(
        ranges(
            (ELITE, MORE_THAN_DAILY, math.inf),
            (HIGH, MONTHLY, math.nextafter(WEEKLY, math.inf)),
            (MEDIUM, HALF_YEARLY, MONTHLY),
            (LOW, 0.0, HALF_YEARLY),
        ),
        ranges((ELITE, 0.0, HOUR), (HIGH, DAY, WEEK), (MEDIUM, MONTH, 6 * MONTH), (LOW, 6 * MONTH, math.inf)),
        ranges((ELITE, 0.0, 15.5), (HIGH, 15.5, 30.5), (MEDIUM, 15.5, 30.5), (LOW, 15.5, 30.5)),
        ranges((ELITE, 0.0, HOUR), (HIGH, HOUR, DAY), (MEDIUM, DAY, WEEK), (LOW, 6 * MONTH, math.inf)),
    ),
)
DORA_2022 = _report(
    2022,
    source="Accelerate State of DevOps 2022; it found no elite cluster",
    secondary=f"{OCTOPUS} (October 2022)",
    metrics=_keys(
        ranges(
            (HIGH, MORE_THAN_DAILY, math.inf),
            (MEDIUM, MONTHLY, math.nextafter(WEEKLY, math.inf)),
            (LOW, HALF_YEARLY, MONTHLY),
        ),
        ranges((HIGH, DAY, WEEK), (MEDIUM, WEEK, MONTH), (LOW, MONTH, 6 * MONTH)),
        ranges((HIGH, 0.0, 15.5), (MEDIUM, 15.5, 30.5), (LOW, 45.5, 60.5)),
        ranges((HIGH, 0.0, DAY), (MEDIUM, DAY, WEEK), (LOW, WEEK, MONTH)),
    ),
)
DORA_2023 = _report(
    2023,
    source="Accelerate State of DevOps 2023; Elite from DORA's own infographic",
    secondary=f"{OCTOPUS} (2023), but for Elite",
    metrics=_keys(
        ranges(
            (ELITE, MORE_THAN_DAILY, math.inf),
            (HIGH, WEEKLY, MORE_THAN_DAILY),
            (MEDIUM, MONTHLY, WEEKLY),
            (LOW, MONTHLY, WEEKLY),
        ),
        ranges((ELITE, 0.0, DAY), (HIGH, DAY, WEEK), (MEDIUM, WEEK, MONTH), (LOW, WEEK, MONTH)),
        at_most((ELITE, 5.0), (HIGH, 10.0), (MEDIUM, 15.0), (LOW, 64.0), rest=LOW),
        ranges((ELITE, 0.0, HOUR), (HIGH, HOUR, DAY), (MEDIUM, DAY, WEEK), (LOW, MONTH, 6 * MONTH)),
    ),
)
DORA_2024 = _report(
    2024,
    source="Accelerate State of DevOps 2024",
    secondary=f"{OCTOPUS} (October 2024)",
    metrics=_keys(
        ranges(
            (ELITE, MORE_THAN_DAILY, math.inf),
            (HIGH, WEEKLY, MORE_THAN_DAILY),
            (MEDIUM, MONTHLY, WEEKLY),
            (LOW, HALF_YEARLY, MONTHLY),
        ),
        ranges((ELITE, 0.0, DAY), (HIGH, DAY, WEEK), (MEDIUM, WEEK, MONTH), (LOW, MONTH, 6 * MONTH)),
        # As published: the cluster that deploys more often fails more often, too.
        at_most((ELITE, 5.0), (HIGH, 20.0), (MEDIUM, 10.0), (LOW, 40.0), rest=LOW),
        ranges((ELITE, 0.0, HOUR), (HIGH, HOUR, DAY), (MEDIUM, HOUR, DAY), (LOW, WEEK, MONTH)),
    ),
)
DORA_REPORTS = (DORA_2021, DORA_2022, DORA_2023, DORA_2024)
"""2025's report has no clusters any more: what it says of each metric is in remarks.py."""


MONTH_OF_FOUR_KEYS = 730 * HOUR  # as Four Keys counts it
DAYS_IN_WORDS = "Four Keys uses the median of the weeks of three months; Headway uses the mean of the window."


def _within() -> MetricBands:
    return ranges(
        ("One day", 0.0, DAY),
        ("One week", DAY, WEEK),
        ("One month", WEEK, MONTH_OF_FOUR_KEYS),
        ("Six months", MONTH_OF_FOUR_KEYS, 6 * MONTH_OF_FOUR_KEYS),
        ("One year", 6 * MONTH_OF_FOUR_KEYS, math.inf),
    )


def _days_per_week() -> MetricBands:
    """Days per week; monthly is one deployment a month, each on a separate day."""
    monthly = WEEK / MONTH_OF_FOUR_KEYS
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
