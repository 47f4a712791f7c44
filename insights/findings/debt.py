"""Complexity or debt?  Collects the evidence for each where code is rewritten more often or work takes longer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from insights.findings.checks import Check
from insights.findings.detectors import GAP
from insights.formulas.findings import DEBT, REFACTORING, UNKNOWN, debt_or_refactoring
from insights.privacy.visible import UnitQueries, visible_together
from insights.query.query import Granularity, MetricValue, Query, Window
from orgtree.access.access import aggregates_access

RISING = frozenset({"code.rework_rate", "issue.cycle_time", "pr.cycle_time"})
SIGNS = ("pr.revert_rate", "dora.rework_rate", "bug.reopen_rate", "incident.count")
OLD_CODE = "code.refactor_rate"
ANSWERS: Mapping[str, str] = {
    DEBT: "It looks like growing debt",
    REFACTORING: "It looks like productive refactoring",
    UNKNOWN: "Whether it is refactoring or growing debt cannot be told",
}


def with_debt(found: Sequence[Check], window: Window) -> list[Check]:
    """Adds to findings of rising churn or cycle time what they look like: refactoring or growing debt."""
    rising = [
        check for check in found if check.detector.metric in RISING and check.rises and check.detector.kind != GAP
    ]
    if not rising:
        return [*found]
    queries = [Query(key, window, Granularity.WEEK) for key in (*SIGNS, OLD_CODE)]
    units = [*dict.fromkeys(check.unit for check in rising if check.unit is not None)]
    answers = visible_together(
        aggregates_access(), series=queries, units=[UnitQueries(queries, units, of_buckets=True)]
    )
    series: dict[int | None, Sequence[Sequence[MetricValue]]] = {None: [answer.series for answer in answers.series]}
    [by_unit] = answers.units
    series |= {unit: [answer.series for answer in by_unit[unit]] for unit in units}
    return [
        replace(check, details={**check.details, "debt": _judged(check, series[check.unit])})
        if check in rising
        else check
        for check in found
    ]


def _judged(check: Check, series: Sequence[Sequence[MetricValue]]) -> dict[str, Any]:
    sides = [_sides(check, weeks) for weeks in series]
    *signs, old_code = sides
    return {
        "answer": debt_or_refactoring(signs, old_code),
        "signs": [
            {"metric": key, "before": sum(before) / len(before), "after": sum(after) / len(after)}
            for key, (before, after) in zip((*SIGNS, OLD_CODE), sides, strict=True)
            if before and after
        ],
    }


def _sides(check: Check, weeks: Sequence[MetricValue]) -> tuple[list[float], list[float]]:
    known = [(week.window.start, week.value) for week in weeks if week.value is not None]
    return (
        [value for start, value in known if start < check.since],
        [value for start, value in known if start >= check.since],
    )
