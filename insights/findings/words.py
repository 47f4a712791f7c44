"""Findings in words: the observation, its certainty, another reading, and what to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.text import capfirst

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find
from insights.findings.debt import ANSWERS
from insights.findings.detectors import BY_KEY, DATA, GAP, LEAVERS, Detector
from insights.findings.waits import LABELS, RULES
from insights.formulas.review_waits import LONG, Cause, CauseLine
from insights.models import Finding, ReviewWaits
from insights.query.enums import Better
from insights.query.query import Window
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.trees.distinct_names import distinct_names

HOUR, MONTH_DAYS, HALF = 3600.0, 365.25 / 12, 0.5
ORGANISATION = "the organisation"
FIND_OUT = "Ask the team what it changed, and whether others can do the same."  # where something got better


@dataclass(frozen=True)
class FindingWords:
    """A finding in words; `cost` is empty and `hours` are 0 if it causes no waiting, `is_worse` is None if neither
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
    hours: float  # of waiting, per month
    hours_low: float  # their 95 % interval
    hours_high: float
    stages: str = ""  # the part of a longer time that grew with it
    debt: str = ""  # refactoring or growing debt, and what speaks for it
    effects: Sequence[str] = ()  # figures that would differ if nothing were missing


def names_behind(findings: Sequence[Finding]) -> Mapping[str, str]:
    """The names of the units of these findings and of those that they are compared with, by slug."""
    compared = {slug for finding in findings for slug in finding.compared_with}
    return distinct_names(compared | {finding.unit.slug for finding in findings if finding.unit})


def worded(finding: Finding, names: Mapping[str, str]) -> FindingWords | None:
    """The finding in words; `names` are those of units by slug.  None if its detector or metric is no longer
    declared.
    """
    detector, metric = BY_KEY.get(finding.detector), find(finding.metric)
    if detector is None or metric is None:
        return None
    is_higher = finding.after > finding.before
    longer, than = _longer(finding)
    title = (detector.higher if is_higher else detector.lower).format(
        unit=_subject(finding, names),
        before=wording.reading(finding.before, detector.unit_of_measure),
        after=wording.reading(finding.after, detector.unit_of_measure),
        longer=longer,
        than=than,
        day=wording.day(finding.since),
    )
    is_worse = True if detector.kind == DATA else _is_worse(metric, is_higher=is_higher)
    is_gap, hours = detector.kind == GAP, _hours(finding, detector, finding.after - finding.before)
    return FindingWords(
        title=capfirst(title),
        detail=_detail(finding, detector, metric),
        cost=f"{wording.amount(round(hours))} hours of waiting a month" if hours >= 1 else "",
        sure=_sure(finding, detector, metric),
        compared=_compared(finding, names) if is_gap else "",
        reading=detector.reading,
        to_try=FIND_OUT if is_worse is False else detector.to_try,
        hours=hours,
        hours_low=_hours(finding, detector, finding.low) if hours else 0.0,
        hours_high=_hours(finding, detector, finding.high) if hours else 0.0,
        is_worse=is_worse,
        stages=_stages(finding.details.get("stages", ())),
        debt=_debt(finding.details.get("debt", {})),
        effects=[text for effect in finding.details.get("effects", ()) if (text := _effect(effect))],
    )


def _subject(finding: Finding, names: Mapping[str, str]) -> str:
    if finding.repository:
        return f"the repository {finding.repository}"
    return names.get(finding.unit.slug, finding.unit.name) if finding.unit else ORGANISATION


def _longer(finding: Finding) -> tuple[str, str]:
    """The words of a gap, such as 40% longer than, twice as long as, or 2.1 times as long as; the comparison follows
    them.
    """
    before, after = abs(finding.before), abs(finding.after)
    if not before:
        return "longer", "than"
    if after >= 2 * before:
        times = wording.compact(after / before)
        return "twice as long" if times == "2" else f"{times} times as long", "as"
    return f"{wording.percent_of(after - before, before)} longer", "than"


def _is_worse(metric: Metric, *, is_higher: bool) -> bool | None:
    return None if metric.better is Better.NEITHER else (metric.better is Better.LOWER) == is_higher


def _sure(finding: Finding, detector: Detector, metric: Metric) -> str:
    facts = wording.counted(finding.sample, metric.fact)
    chance = "At most 1 in 100 of the findings listed here is expected to be a coincidence."
    if detector.kind == LEAVERS:
        left = finding.details.get("past", {}).get("left", 0)
        return (
            f"{chance} This one rests on {finding.sample} people, and what is said of the past on {left} who left. It "
            "is about teams alone: nobody is scored."
        )
    if detector.kind == DATA:
        return f"This is counted, not estimated: all {facts} of the last quarter were checked."
    return f"{chance} This one was there a week earlier, too, and rests on {facts}."


def _detail(finding: Finding, detector: Detector, metric: Metric) -> str:
    unit = detector.unit_of_measure
    if detector.kind == DATA:
        return "These figures would differ if nothing were missing or wrong:"
    after, before = (wording.reading(value, unit) for value in (finding.after, finding.before))
    low, high = sorted(abs(edge) for edge in (finding.low, finding.high))
    between = f"{low:.1f} to {high:.1f} percentage points" if unit == "percent" else _between(low, high, unit)
    bounds = f"The difference is {between} (95% interval)."
    match detector.kind:
        case "leavers":
            return f"{bounds} {_load_before(finding, metric)}".rstrip()
        case "gap":
            others = "the other repositories" if detector.of_repositories else "comparable teams"
            return f"In a typical week it is {after} there, and {before} in {others}. {bounds}"
        case "trend":
            return f"Leaving out ups and downs, it went from {before} to {after} in the last 26 weeks. {bounds}"
    return f"Since {wording.day(finding.since)} it is {after} in a typical week; before that it was {before}. {bounds}"


def _load_before(finding: Finding, metric: Metric) -> str:
    """The load before people left, and whether such a load preceded leaving in the organisation's past."""
    if "past" not in finding.details:
        return ""
    load, usual = (wording.reading(finding.details[name], metric.unit) for name in ("load", "usual_load"))
    past, name = finding.details["past"], metric.name.lower()
    high, other = (wording.percent_of(past[side], 1) for side in ("after_high", "after_other"))
    low, most = (100 * past[edge] for edge in ("low", "high"))
    return (
        f"In the quarter before, the {name} there was {load}; in a typical other team it was {usual}. In this "
        f"organisation that has come before leaving: after quarters in which their team was in the highest third, "
        f"{high} of people left; after other quarters {other} did (difference {low:.1f} to {most:.1f} percentage "
        "points, 95% interval)."
    )


def _between(low: float, high: float, unit: str) -> str:
    return " to ".join(str(wording.reading(edge, unit)) for edge in (low, high))


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    """The stages that changed with it: pickup time went from 10.0 h to 20.0 h."""
    parts = [
        f"{metric.name.lower()} went from {wording.reading(stage['before'], metric.unit)} to "
        f"{wording.reading(stage['after'], metric.unit)}"
        for stage in stages
        if (metric := find(stage["metric"])) is not None
    ]
    return f"Part of it changed at the same time: {wording.listed(parts)}." if parts else ""


def _debt(debt: Mapping[str, Any]) -> str:
    """The answer with the figures behind it."""
    if not debt:
        return ""
    signs = [
        f"{metric.name.lower()} from {wording.reading(sign['before'], metric.unit)} to "
        f"{wording.reading(sign['after'], metric.unit)}"
        for sign in debt["signs"]
        if (metric := find(sign["metric"])) is not None
    ]
    beside = f". In a week, on average: {wording.listed(signs)}" if signs else ""
    return f"{ANSWERS[debt['answer']]}{beside}."


def _effect(effect: Mapping[str, Any]) -> str:
    """The effect in words: Lead time for changes: 24.0 h, but it could be anything between 20.0 h and 31.0 h."""
    metric = find(effect["metric"])
    if metric is None:
        return ""
    value = wording.reading(effect["value"], metric.unit)
    if effect["low"] >= effect["value"]:
        return f"{metric.label}: {value}, and up to {wording.reading(effect['high'], metric.unit)} with nothing missing"
    low, high = (wording.reading(effect[edge], metric.unit) for edge in ("low", "high"))
    return f"{metric.label}: {value}, but it could be anything between {low} and {high}"


def _hours(finding: Finding, detector: Detector, difference: float) -> float:
    """The hours per month that the difference of the medians amounts to over all facts; 0 if it takes no longer."""
    days = (finding.until - finding.since).days
    if not detector.waits or difference <= 0 or days <= 0:
        return 0.0
    return difference / HOUR * finding.sample / days * MONTH_DAYS


def _compared(finding: Finding, names: Mapping[str, str]) -> str:
    """The comparison in words: Compared with 6 teams of the same Org Tree, with between half and twice as many people:
    …
    """
    if finding.repository:
        those = "those with such a file among " if BY_KEY[finding.detector].without_context else ""
        return f"Compared with {those}the repositories in which agents are used most."
    by_name = Counter(names[slug] for slug in finding.compared_with if slug in names)
    listed = [f"{name} ({number} teams)" if number > 1 else name for name, number in by_name.items()]
    if not listed:
        return ""
    rule = finding.compared_by.removeprefix("teams ")
    return f"Compared with {wording.count(len(finding.compared_with), 'team')} {rule}: {wording.listed(listed)}."


def weeks_in_words(finding: Finding, today: date) -> str:
    """Return how long the finding has held: for 9 weeks."""
    return f"for {wording.count(max(1, (today - finding.since).days // 7), 'week')}"


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
    """The causes of a team's waiting reviews, in words."""

    unit: str
    slug: str
    summary: str
    lines: Sequence[WaitLine]


def waits_in_words(waits: ReviewWaits, names: Mapping[str, str]) -> WaitsWords:
    """The waits in words; `names` are those of units by slug."""
    lines = [_wait_line(CauseLine(**line)) for line in waits.lines]
    window = Window(waits.since, waits.until)
    main, unknown = lines[0], next((line.fraction for line in lines if not line.is_known), 0.0)
    mostly = "Most of them have no clear cause."
    if unknown <= HALF:
        mostly = f"The most common cause: {main.label[:1].lower()}{main.label[1:]}."
    return WaitsWords(
        unit=names.get(waits.unit.slug, waits.unit.name),
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
    """The causes of this unit's waiting reviews; None if the viewer may not see them, or it has too few."""
    shown = ReviewWaits.objects.shown_to(access.visibility, fewest=access.minimum_group_size)
    waits = shown.filter(unit=unit_id).first() if unit_id is not None else None
    return waits_in_words(waits, distinct_names([waits.unit.slug])) if waits else None
