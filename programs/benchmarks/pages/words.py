"""Benchmarks and versions of them as pages print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.pages.annotations.words import GONE, moment
from insights.query.errors import UnknownMetricError
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from programs.benchmarks.queries.benchmarks import HoldingBenchmark, adds_up_over_units
from programs.benchmarks.services.agreements import whose
from programs.benchmarks.services.standing import Stand, asked_about
from programs.benchmarks.services.writing import hides_baseline
from programs.models import BenchmarkVersion, Period

NOTHING_AGREED = "–"
Tone = Literal["good", "watch", ""]


@dataclass(frozen=True)
class Gap:
    """How far it is, in words: to the threshold first, then to the target."""

    text: str
    tone: Tone
    icon: str


@dataclass(frozen=True)
class BenchmarkLine:
    """A metric of a unit as lists print it."""

    key: str
    name: str
    of: str  # median, a week
    mark: str  # focus, key indicator or nothing
    url: str
    edit_url: str
    stand: str
    stand_value: float | None
    sample: str
    reason: str  # why it has no figure
    is_hidden: bool
    threshold: str
    threshold_value: float | None
    target: str
    target_value: float | None
    gap: Gap | None
    source: str  # for whom it was agreed; empty: nothing was
    is_inherited: bool
    note: str
    is_count: bool  # not inherited: counts add up over units


@dataclass(frozen=True)
class BaselineWords:
    value: str
    interval: str
    of: str  # days and facts


@dataclass(frozen=True)
class VersionLine:
    number: int
    who: str
    at: str
    reason: str
    is_removal: bool
    threshold: str
    target: str
    baseline: BaselineWords | None
    note: str


def of_words(metric: Metric, period: str) -> str:
    """What kind of figure it is: Median; a week."""
    words = [metric.statistic.value.capitalize() if metric.statistic else "", Period(period).label if period else ""]
    return ", ".join(filter(None, words))


def value_words(value: float | None, version: BenchmarkVersion) -> str:
    """In the metric's unit; as it was stored, where the metric is gone."""
    if value is None:
        return NOTHING_AGREED
    unit = unit_of_measure(version.metric)
    return str(wording.reading(value, unit)) if unit else f"{value:g}"


def unit_of_measure(key: str) -> str:
    try:
        return get(key).unit
    except UnknownMetricError:
        return ""


def gap_of(stand: Stand | None, version: BenchmarkVersion) -> Gap | None:
    """None where it has no figure."""
    if stand is None or stand.value is None:
        return None
    unit = unit_of_measure(version.metric)
    threshold, target = version.threshold, version.target
    if target is not None and version.reaches(stand.value, target):
        return Gap("Target reached", "good", "check")
    if threshold is not None and not version.reaches(stand.value, threshold):
        return Gap(f"{wording.difference(stand.value - threshold, unit)} to the threshold", "watch", "arrow-right")
    if target is not None:
        return Gap(f"{wording.difference(stand.value - target, unit)} to the target", "", "arrow-right")
    return Gap("Threshold reached", "good", "check")


def line_of(
    metric: Metric,
    holding: HoldingBenchmark | None,
    stand: Stand | None,
    *,
    mark: str,
    url: str,
    edit_url: str,
) -> BenchmarkLine:
    version = holding.version if holding else None
    comparable = version is not None and holding is not None and not holding.is_of_older_formula
    query = asked_about(metric, version.period if version else "")
    return BenchmarkLine(
        key=metric.key,
        name=metric.name,
        of=of_words(metric, query.period),
        mark=mark,
        url=url,
        edit_url=edit_url,
        stand=str(wording.reading(stand.value, metric.unit)) if stand and stand.value is not None else "",
        stand_value=stand.value if stand else None,
        sample=sample_words(stand),
        reason=stand.reason if stand else "",
        is_hidden=bool(stand and stand.is_hidden),
        threshold=value_words(version.threshold, version) if version else NOTHING_AGREED,
        threshold_value=version.threshold if version and comparable else None,
        target=value_words(version.target, version) if version else NOTHING_AGREED,
        target_value=version.target if version and comparable else None,
        gap=gap_of(stand, version) if version and comparable else None,
        source=source_words(holding) if holding else "",
        is_inherited=bool(holding and not holding.is_own),
        note=formula_words(holding) if holding else "",
        is_count=adds_up_over_units(metric),
    )


def sample_words(stand: Stand | None) -> str:
    if stand is None or stand.value is None:
        return ""
    return f"n = {stand.sample_size:,}"


def source_words(holding: HoldingBenchmark) -> str:
    """Own, or from whom."""
    return f"From {whose(holding)}" if not holding.is_own else "Own"


def formula_words(holding: HoldingBenchmark) -> str:
    if not holding.is_of_older_formula or holding.metric is None:
        return ""
    return (
        f"Agreed on version {holding.version.metric_version} of the formula; {holding.metric.version} holds now. "
        "Agree again."
    )


def baseline_words(version: BenchmarkVersion, access: Access) -> BaselineWords | None:
    """None where none was computed, or it is not for this viewer."""
    window = version.baseline_window
    if version.baseline is None or window is None or hides_baseline(version, access):
        return None
    interval, unit = "", unit_of_measure(version.metric)
    if unit and version.baseline_low is not None and version.baseline_high is not None:
        interval = wording.between(version.baseline_low, version.baseline_high, unit)
    facts = wording.count(version.baseline_sample, "fact")
    return BaselineWords(value_words(version.baseline, version), interval, f"{wording.days(window)}, {facts}")


def version_lines(versions: Sequence[BenchmarkVersion], access: Access) -> list[VersionLine]:
    """Of versions with their authors; at most three queries."""
    names: Mapping[int, str] = names_of([version.written_by for version in versions if version.written_by])
    return [
        VersionLine(
            number=version.number,
            who=names.get(version.written_by_id or 0, GONE),
            at=moment(version.written_at),
            reason=version.reason,
            is_removal=version.is_removal,
            threshold=value_words(version.threshold, version),
            target=value_words(version.target, version),
            baseline=baseline_words(version, access),
            note="It was beyond the target already, and is to be held." if version.is_to_hold else "",
        )
        for version in versions
    ]
