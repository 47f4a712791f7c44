"""Labels of benchmarks, gaps, baselines and versions on pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find
from insights.ui import wording
from orgtree.access.access import Access
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark, adds_up_over_units
from programs.benchmarks.services.agreements import source_of
from programs.benchmarks.services.current_values import CurrentValue, benchmark_query
from programs.benchmarks.services.writing import hides_baseline
from programs.models import BenchmarkVersion, Period

NO_BENCHMARK = "–"
Tone = Literal["good", "watch", ""]


@dataclass(frozen=True)
class Gap:
    """The distance to the threshold, or to the target once the threshold is reached."""

    text: str
    tone: Tone
    icon: str


@dataclass(frozen=True)
class BenchmarkLine:
    """A metric of a unit as lists show it."""

    key: str
    name: str
    of: str  # such as median, a week
    mark: str  # focus, key indicator or empty
    url: str
    edit_url: str
    stand: str
    stand_value: float | None
    sample: str
    reason: str  # why there is no value
    is_hidden: bool
    threshold: str
    threshold_value: float | None
    target: str
    target_value: float | None
    gap: Gap | None
    source: str  # the unit that it was set for; empty without a benchmark
    is_inherited: bool
    note: str
    is_count: bool  # a count, which is not inherited because counts add up over units


@dataclass(frozen=True)
class BaselineText:
    value: str
    interval: str
    of: str  # days and sample


def of_words(metric: Metric, period: str) -> str:
    """The statistic and period of a value: “Median, a week”."""
    words = [metric.statistic.value.capitalize() if metric.statistic else "", Period(period).label if period else ""]
    return ", ".join(filter(None, words))


def value_words(value: float | None, version: BenchmarkVersion) -> str:
    """The value in the metric's unit, or as stored if the metric was removed."""
    if value is None:
        return NO_BENCHMARK
    unit = unit_of_measure(version.metric)
    return str(wording.reading(value, unit)) if unit else f"{value:g}"


def unit_of_measure(key: str) -> str:
    metric = find(key)
    return metric.unit if metric else ""


def gap_of(stand: CurrentValue | None, version: BenchmarkVersion) -> Gap | None:
    """The distance of the current value from the benchmark; None without a value."""
    if stand is None or stand.value is None:
        return None
    unit = unit_of_measure(version.metric)
    threshold, target = version.threshold, version.target
    if target is not None and version.reaches(stand.value, target):
        return Gap("On target", "good", "check")
    if threshold is not None and not version.reaches(stand.value, threshold):
        return Gap(
            f"Off target: {wording.difference(stand.value - threshold, unit)} to the threshold", "watch", "arrow-right"
        )
    if target is not None:
        return Gap(
            f"Within threshold: {wording.difference(stand.value - target, unit)} to the target", "", "arrow-right"
        )
    return Gap("Within threshold", "good", "check")


def line_of(
    metric: Metric,
    holding: EffectiveBenchmark | None,
    stand: CurrentValue | None,
    *,
    mark: str,
    url: str,
    edit_url: str,
) -> BenchmarkLine:
    version = holding.version if holding else None
    comparable = version is not None and holding is not None and not holding.is_of_older_formula
    query = benchmark_query(metric, version.period if version else "")
    return BenchmarkLine(
        key=metric.key,
        name=metric.marked_name,
        of=of_words(metric, query.period),
        mark=mark,
        url=url,
        edit_url=edit_url,
        stand=str(wording.reading(stand.value, metric.unit)) if stand and stand.value is not None else "",
        stand_value=stand.value if stand else None,
        sample=sample_words(stand),
        reason=stand.reason if stand else "",
        is_hidden=bool(stand and stand.is_hidden),
        threshold=value_words(version.threshold, version) if version else NO_BENCHMARK,
        threshold_value=version.threshold if version and comparable else None,
        target=value_words(version.target, version) if version else NO_BENCHMARK,
        target_value=version.target if version and comparable else None,
        gap=gap_of(stand, version) if version and comparable else None,
        source=source_words(holding) if holding else "",
        is_inherited=bool(holding and not holding.is_own),
        note=formula_words(holding) if holding else "",
        is_count=adds_up_over_units(metric),
    )


def sample_words(stand: CurrentValue | None) -> str:
    if stand is None or stand.value is None:
        return ""
    return f"n = {stand.sample_size:,}"


def source_words(holding: EffectiveBenchmark) -> str:
    """The word "Own", or the unit that it is inherited from."""
    return f"From {source_of(holding)}" if not holding.is_own else "Own"


def formula_words(holding: EffectiveBenchmark) -> str:
    if not holding.is_of_older_formula or holding.metric is None:
        return ""
    old, new = holding.version.metric_version, holding.metric.version
    return f"Set for formula version {old}; the current one is {new}. Set it again."


def baseline_words(version: BenchmarkVersion, access: Access) -> BaselineText | None:
    """The baseline in words; None if there is none or the viewer may not see it."""
    window = version.baseline_window
    if version.baseline is None or window is None or hides_baseline(version, access):
        return None
    interval, unit = "", unit_of_measure(version.metric)
    if unit and version.baseline_low is not None and version.baseline_high is not None:
        interval = wording.between(version.baseline_low, version.baseline_high, unit)
    metric = find(version.metric)
    facts = wording.count(version.baseline_sample, metric.fact if metric else "record")
    return BaselineText(value_words(version.baseline, version), interval, f"{wording.days(window)}, {facts}")
