"""A key result's measured progress, for one viewer.

Measures are stored in full.  This module withholds what the viewer may not see, by the rules for metrics
(insights/privacy/withhold.py): units without access, and groups below the minimum.  The status of an objective is
visible more widely (queries/objectives.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from insights.catalogue.registry import find
from insights.privacy.withhold import is_of_few as of_few
from insights.privacy.withhold import is_withheld, reason
from insights.query import windows
from insights.query.query import Query, Scope, Window
from orgtree.access.access import Access
from programs.models import KeyResult, KeyResultMeasure, Objective, ObjectiveStatus, TargetKind

NOT_MEASURED = "Not measured yet. Measurements run hourly."


@dataclass(frozen=True)
class Forecast:
    """The key result's value at the quarter's end, with an 80 % interval.

    `reached_on` is the day from which the forecast meets the target; None if it does not before the quarter's end, or
    if the target is met already.  A count of items to be finished also has `odds` (0–1) of reaching the target by the
    quarter's end, and the days by which it is reached with odds of 50, 85 and 95 %; None if not within two years.
    """

    value: float
    low: float
    high: float
    reached_on: date | None
    date_50: date | None = None
    date_85: date | None = None
    date_95: date | None = None
    odds: float | None = None


@dataclass(frozen=True)
class KeyResultProgress:
    """Figures in the key result's unit of measure.

    `value` is that of the quarter so far; None with a `reason`, a sentence, if there is none or it is withheld from
    this viewer. `pace` is the value that a count reaches by the quarter's end at its current rate, else the value.
    `points` are values of whole weeks by their Mondays: those of the quarter, and the 13 before it.  `progress` is the
    share of the way from baseline to target, unclipped.  `baseline` and `target` are None if they are withheld.
    """

    key_result: KeyResult
    value: float | None
    reason: str
    pace: float | None
    baseline: float | None
    target: float | None
    measured_at: datetime | None
    points: tuple[tuple[date, float | None], ...]
    progress: float | None
    expected: float
    forecast: Forecast | None
    holds: bool | None
    standing: ObjectiveStatus
    why: str
    sample_size: int = 0
    no_forecast: str = ""  # why there is no forecast, as a sentence
    withheld: bool = False
    of_few: bool = False  # withheld from every viewer because few people are behind it


def key_result_progress(
    key_result: KeyResult, objective: Objective, measure: KeyResultMeasure | None, access: Access, *, today: date
) -> KeyResultProgress:
    """The progress as the viewer may see it; the objective comes with quarter and unit.  Runs no query."""
    hidden = why_hidden(key_result, objective, measure.people if measure else 0, access)
    baseline_hidden = bool(hidden) or _is_baseline_hidden(key_result, objective, access)
    is_relative = key_result.target_kind == TargetKind.RELATIVE
    expected = share_passed(objective.quarter.window, today)
    baseline = None if baseline_hidden else key_result.baseline
    target = None if baseline_hidden and is_relative else key_result.target
    if measure is None or hidden:
        why = hidden or NOT_MEASURED
        return KeyResultProgress(
            key_result=key_result,
            value=None,
            reason=why,
            pace=None,
            baseline=baseline,
            target=target,
            measured_at=measure.measured_at if measure else None,
            points=(),
            progress=None,
            expected=expected,
            forecast=None,
            holds=None,
            standing=ObjectiveStatus.UNKNOWN,
            why=why,
            no_forecast=why,
            withheld=bool(hidden),
            of_few=bool(hidden) and is_of_few(key_result, objective, measure.people if measure else 0, access),
        )
    return KeyResultProgress(
        key_result=key_result,
        value=measure.value,
        reason=measure.reason,
        pace=measure.pace,
        baseline=baseline,
        target=target,
        measured_at=measure.measured_at,
        points=_points(key_result, objective, measure, access),
        progress=None if baseline_hidden else measure.progress,
        expected=expected,
        forecast=_forecast(measure),
        holds=measure.holds,
        standing=ObjectiveStatus(measure.standing),
        why=_without_baseline(measure) if baseline_hidden else measure.why,
        sample_size=measure.sample_size,
        no_forecast=measure.no_forecast,
    )


def why_hidden(key_result: KeyResult, objective: Objective, people: int, access: Access) -> str:
    """The reason why the figures are withheld from the viewer, as a sentence; empty if they are visible.

    Values entered by hand are visible to everybody whom the objective concerns.
    """
    if not key_result.metric:
        return ""
    if not may_see_figures(objective, access):
        of = objective.unit.name if objective.unit else "the whole organisation"
        return f"You don't have access to the figures of {of}."
    return reason(access) if is_of_few(key_result, objective, people, access) else ""


def is_of_few(key_result: KeyResult, objective: Objective, people: int, access: Access) -> bool:
    """Whether too few people are behind its figures, for any viewer.

    `people` leaves out those known from telemetry alone.
    """
    query = _query(key_result, objective, objective.quarter.window) if key_result.metric else None
    return query is not None and of_few(query, people, access)


def may_see_figures(objective: Objective, access: Access) -> bool:
    """Whether the viewer may see the figures of the objective's unit; more people may see the objective itself."""
    return access.visibility.whole if objective.unit_id is None else access.visibility.can_see(objective.unit_id)


def share_passed(quarter: Window, today: date) -> float:
    """The share of the quarter's days that have begun, today included, 0 to 1."""
    return windows.passed(quarter, today=today).days / quarter.days


def _is_baseline_hidden(key_result: KeyResult, objective: Objective, access: Access) -> bool:
    window = key_result.baseline_from, key_result.baseline_to
    if key_result.baseline_people is None or window[0] is None or window[1] is None:
        return False  # entered by hand
    query = _query(key_result, objective, Window(window[0], window[1]))
    return query is not None and of_few(query, key_result.baseline_people, access)


def _query(key_result: KeyResult, objective: Objective, window: Window) -> Query | None:
    """The metric query of the key result; None for a removed metric, whose figures need no protection."""
    if find(key_result.metric) is None:
        return None
    return Query(key_result.metric, window, scope=Scope(objective.unit.slug if objective.unit else None))


def _points(
    key_result: KeyResult, objective: Objective, measure: KeyResultMeasure, access: Access
) -> tuple[tuple[date, float | None], ...]:
    """The weekly values; weeks with too few people stay empty, even if the whole quarter has enough."""
    query = _query(key_result, objective, objective.quarter.window) if key_result.metric else None
    small = access.minimum_group_size
    return tuple(
        (date.fromisoformat(day), None if people < small and query and is_withheld(query, people, access) else value)
        for day, value, people in measure.points
    )


def _forecast(measure: KeyResultMeasure) -> Forecast | None:
    if measure.forecast is None or measure.forecast_low is None or measure.forecast_high is None:
        return None
    dates = (measure.even_on, measure.likely_on, measure.safe_on)
    bounds = (measure.forecast_low, measure.forecast_high)
    return Forecast(measure.forecast, *bounds, measure.reached_on, *dates, measure.odds)


def _without_baseline(measure: KeyResultMeasure) -> str:
    return f"{ObjectiveStatus(measure.standing).label}. Its baseline is hidden: few people contributed to it."
