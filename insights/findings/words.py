"""Findings in words: what was found, how sure it is, another reading, and what to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find
from insights.findings.debt import ANSWERS
from insights.findings.detectors import BY_KEY, DATA, GAP, Detector
from insights.findings.waits import LABELS, RULES
from insights.formulas.review_waits import LONG, Cause, CauseLine
from insights.models import Finding, ReviewWaits
from insights.query.enums import Better
from insights.query.query import Window
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models import Unit

HOUR, MONTH_DAYS, HALF = 3600.0, 365.25 / 12, 0.5
ORGANISATION = "the organisation"


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
    stages: str = ""  # the part of a longer time that grew with it
    debt: str = ""  # refactoring or growing debt, and what speaks for it
    effects: Sequence[str] = ()  # figures that would be others if nothing were missing


def names_behind(findings: Sequence[Finding]) -> Mapping[str, str]:
    """The names of the units that these findings are compared with, by slug."""
    slugs = {slug for finding in findings for slug in finding.compared_with}
    return dict(Unit.objects.filter(slug__in=slugs).values_list("slug", "name")) if slugs else {}


def worded(finding: Finding, names: Mapping[str, str]) -> FindingWords | None:
    """`names` are those of units by slug.  None where its detector or metric is no longer declared."""
    detector, metric = BY_KEY.get(finding.detector), find(finding.metric)
    if detector is None or metric is None:
        return None
    is_higher = finding.after > finding.before
    share = wording.percent_of(abs(finding.after - finding.before), abs(finding.before)) if finding.before else ""
    title = (detector.higher if is_higher else detector.lower).format(
        unit=_subject(finding),
        before=wording.reading(finding.before, detector.unit_of_measure),
        after=wording.reading(finding.after, detector.unit_of_measure),
        share=share,
        day=wording.day(finding.since),
    )
    title = title[:1].upper() + title[1:]
    is_gap, hours = detector.kind == GAP, _hours(finding, detector)
    return FindingWords(
        title=title,
        detail=_detail(finding, detector, metric),
        cost=f"{wording.amount(round(hours))} hours of waiting a month" if hours >= 1 else "",
        sure=_sure(finding, detector, metric),
        compared=_compared(finding, names) if is_gap else "",
        reading=detector.reading,
        to_try=detector.to_try,
        hours=hours,
        is_worse=True if detector.kind == DATA else _is_worse(metric, is_higher=is_higher),
        stages=_stages(finding.details.get("stages", ())),
        debt=_debt(finding.details.get("debt", {})),
        effects=[text for effect in finding.details.get("effects", ()) if (text := _effect(effect))],
    )


def _subject(finding: Finding) -> str:
    if finding.repository:
        return f"the repository {finding.repository}"
    return finding.unit.name if finding.unit else ORGANISATION


def _is_worse(metric: Metric, *, is_higher: bool) -> bool | None:
    return None if metric.better is Better.NEITHER else (metric.better is Better.LOWER) == is_higher


def _sure(finding: Finding, detector: Detector, metric: Metric) -> str:
    facts = wording.counted(finding.sample, metric.fact)
    if detector.kind == DATA:
        return f"This is counted, not estimated: {facts} were looked at."
    return (
        "Of what is shown here, at most 1 in 100 is expected to be chance. "
        f"It was there a week earlier, too, and rests on {facts}."
    )


def _detail(finding: Finding, detector: Detector, metric: Metric) -> str:
    unit = detector.unit_of_measure
    if detector.kind == DATA:
        return "This is how far it moves figures that people rely on:"
    after, before = (wording.reading(value, unit) for value in (finding.after, finding.before))
    low, high = sorted(abs(edge) for edge in (finding.low, finding.high))
    apart = ("longer" if unit == "seconds" else "higher") if finding.after > finding.before else ""
    apart = apart or ("shorter" if unit == "seconds" else "lower")
    delta = wording.difference(finding.after - finding.before, unit)
    bounds = f"{delta} {apart} (95% interval {wording.between(low, high, unit)})."
    match detector.kind:
        case "gap" if detector.of_repositories:
            return f"Its median week has {after}, that of the other repositories {before}: {bounds}"
        case "gap":
            return f"Its median week has {after}, that of comparable teams {before}: {bounds}"
        case "trend":
            return f"By the line through its last 26 weeks it went from {before} to {after}: {bounds}"
    return f"The median week since {wording.day(finding.since)} has {after}, before that it had {before}: {bounds}"


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    """Most of it is the wait for a first review: from 10.0 h to 20.0 h."""
    parts = [
        f"{metric.name.lower()} went from {wording.reading(stage['before'], metric.unit)} to "
        f"{wording.reading(stage['after'], metric.unit)}"
        for stage in stages
        if (metric := find(stage["metric"])) is not None
    ]
    return f"It is a part of this that changed at the same time: {wording.listed(parts)}." if parts else ""


def _debt(debt: Mapping[str, Any]) -> str:
    """The answer with the figures that it rests on."""
    if not debt:
        return ""
    signs = [
        f"{metric.name.lower()} from {wording.reading(sign['before'], metric.unit)} to "
        f"{wording.reading(sign['after'], metric.unit)}"
        for sign in debt["signs"]
        if (metric := find(sign["metric"])) is not None
    ]
    beside = f": the mean week went from before to since then in {wording.listed(signs)}" if signs else ""
    return f"{ANSWERS[debt['answer']]}{beside}."


def _effect(effect: Mapping[str, Any]) -> str:
    """Lead time for changes: 24.0 h, but it could be anything from 20.0 h to 31.0 h."""
    metric = find(effect["metric"])
    if metric is None:
        return ""
    value = wording.reading(effect["value"], metric.unit)
    if effect["low"] >= effect["value"]:
        return (
            f"{metric.label}: {value}, at most {wording.reading(effect['high'], metric.unit)} if nothing were missing"
        )
    low, high = (wording.reading(effect[edge], metric.unit) for edge in ("low", "high"))
    return f"{metric.label}: {value}, but it could be anything from {low} to {high}"


def _hours(finding: Finding, detector: Detector) -> float:
    """The hours a month that the difference of the medians makes over the facts; 0 where it takes no longer."""
    days = (finding.until - finding.since).days
    if not detector.waits or finding.after <= finding.before or days <= 0:
        return 0.0
    return (finding.after - finding.before) / HOUR * finding.sample / days * MONTH_DAYS


def _compared(finding: Finding, names: Mapping[str, str]) -> str:
    """Compared with 6 teams of the same Org Tree, with between half and twice as many people: …"""
    if finding.repository:
        those = "those with such a file among " if BY_KEY[finding.detector].without_context else ""
        return f"Compared with {those}the repositories in which agents are used most."
    listed = [*dict.fromkeys(names[slug] for slug in finding.compared_with if slug in names)]
    if not listed:
        return ""
    rule = finding.compared_by.removeprefix("teams ")
    return f"Compared with {wording.count(len(finding.compared_with), 'team')} {rule}: {wording.listed(listed)}."


def weeks_in_words(finding: Finding, today: date) -> str:
    """Since when it holds: holds for 9 weeks."""
    return f"holds for {wording.count(max(1, (today - finding.since).days // 7), 'week')}"


@dataclass(frozen=True)
class WaitLine:
    """A cause with its share of a team's long waits."""

    label: str
    rule: str
    fraction: float
    share: str
    bounds: str
    is_known: bool


@dataclass(frozen=True)
class WaitsWords:
    """Why the reviews of a team wait."""

    unit: str
    slug: str
    summary: str
    lines: Sequence[WaitLine]


def waits_in_words(waits: ReviewWaits) -> WaitsWords:
    lines = [_wait_line(CauseLine(**line)) for line in waits.lines]
    window = Window(waits.since, waits.until)
    main, unknown = lines[0], next((line.fraction for line in lines if not line.is_known), 0.0)
    mostly = "For most of them it cannot be told why."
    if unknown <= HALF:
        mostly = f"Most often the cause is: {main.label}."
    return WaitsWords(
        unit=waits.unit.name,
        slug=waits.unit.slug,
        summary=(
            f"{waits.waiting:,} of {wording.count(waits.pull_requests, 'pull request')} merged {wording.days(window)} "
            f"waited longer than {LONG // timedelta(hours=1)} working hours from ready to approved. {mostly}"
        ),
        lines=lines,
    )


def _wait_line(line: CauseLine) -> WaitLine:
    cause = Cause(line.cause)
    return WaitLine(
        label=LABELS[cause],
        rule=RULES[cause],
        fraction=line.share,
        share=wording.percent_of(line.share, 1),
        bounds=f"{round(100 * line.low)}–{round(100 * line.high)}%",
        is_known=cause is not Cause.UNKNOWN,
    )


def waits_of(unit_id: int | None, access: Access) -> WaitsWords | None:
    """Why the reviews of this unit wait, if the viewer may see it and it is a team with enough of them."""
    shown = ReviewWaits.objects.shown_to(access.visibility, fewest=access.minimum_group_size)
    waits = shown.filter(unit=unit_id).first() if unit_id is not None else None
    return waits_in_words(waits) if waits else None
