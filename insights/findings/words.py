"""Findings in words: what was found, how sure it is, another reading, and what to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find
from insights.findings.detectors import BY_KEY, GAP, Detector
from insights.models import Finding
from insights.query.enums import Better
from insights.ui import wording
from orgtree.models import Unit

HOUR, MONTH_DAYS = 3600.0, 365.25 / 12
ORGANISATION = "the organisation"
COMPARABLE = "teams of the same Org Tree with between half and twice as many people"


@dataclass(frozen=True)
class FindingWords:
    """A finding in words; `cost` is empty and `hours` are 0 where it costs no waiting, `is_worse` is None where neither
    direction is better.
    """

    title: str
    detail: str
    cost: str
    sure: str
    compared: str
    reading: str
    to_try: str
    is_worse: bool | None
    hours: float  # of waiting, a month


def names_behind(findings: Sequence[Finding]) -> Mapping[str, str]:
    """The names of the units that these findings are compared with, by slug."""
    slugs = {slug for finding in findings for slug in finding.compared_with}
    return dict(Unit.objects.filter(slug__in=slugs).values_list("slug", "name")) if slugs else {}


def worded(finding: Finding, names: Mapping[str, str]) -> FindingWords | None:
    """`names` are those of units by slug.  None where its detector or metric is no longer declared."""
    detector, metric = BY_KEY.get(finding.detector), find(finding.metric)
    if detector is None or metric is None:
        return None
    unit = finding.unit.name if finding.unit else ORGANISATION
    is_higher = finding.after > finding.before
    share = wording.percent_of(abs(finding.after - finding.before), abs(finding.before)) if finding.before else ""
    title = (detector.higher if is_higher else detector.lower).format(
        unit=unit,
        before=wording.reading(finding.before, metric.unit),
        after=wording.reading(finding.after, metric.unit),
        share=share,
    )
    is_gap, hours = detector.kind == GAP, _hours(finding, detector)
    return FindingWords(
        title=title,
        detail=_detail(finding, metric, is_gap=is_gap),
        cost=f"{wording.amount(round(hours))} hours of waiting a month" if hours >= 1 else "",
        sure=(
            "Of what is shown here, at most 1 in 100 is expected to be chance. "
            f"It was there a week earlier, too, and rests on {wording.counted(finding.sample, metric.fact)}."
        ),
        compared=_compared(finding.compared_with, names) if is_gap else "",
        reading=detector.reading,
        to_try=detector.to_try,
        hours=hours,
        is_worse=None if metric.better is Better.NEITHER else (metric.better is Better.LOWER) == is_higher,
    )


def _detail(finding: Finding, metric: Metric, *, is_gap: bool) -> str:
    values = [wording.reading(value, metric.unit) for value in (finding.after, finding.before)]
    low, high = sorted(abs(edge) for edge in (finding.low, finding.high))
    bounds = wording.between(low, high, metric.unit)
    apart = "longer" if metric.unit == "seconds" else "higher"
    if finding.after < finding.before:
        apart = "shorter" if metric.unit == "seconds" else "lower"
    delta = wording.difference(finding.after - finding.before, metric.unit)
    if is_gap:
        return (
            f"Its median week has {values[0]}, that of comparable teams {values[1]}: {delta} {apart} "
            f"(95% interval {bounds})."
        )
    return (
        f"The median week since {wording.day(finding.since)} has {values[0]}, before that it had {values[1]}: "
        f"{delta} {apart} (95% interval {bounds})."
    )


def _hours(finding: Finding, detector: Detector) -> float:
    """The hours a month that the difference of the medians makes over the facts; 0 where it takes no longer."""
    days = (finding.until - finding.since).days
    if not detector.waits or finding.after <= finding.before or days <= 0:
        return 0.0
    return (finding.after - finding.before) / HOUR * finding.sample / days * MONTH_DAYS


def _compared(slugs: Sequence[str], names: Mapping[str, str]) -> str:
    listed = wording.listed([*dict.fromkeys(names[slug] for slug in slugs if slug in names)])
    return f"Compared with {listed}: {COMPARABLE}." if listed else ""


def weeks_in_words(finding: Finding, today: date) -> str:
    """Since when it holds."""
    return f"holds for {wording.count(max(1, (today - finding.since).days // 7), 'week')}"
