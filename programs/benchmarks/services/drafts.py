"""Validates drafts of benchmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.write_errors import FieldError, MayNotWriteError
from insights.benchmarks.baselines import grows_with_time
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import metrics
from insights.query import windows
from insights.query.enums import Better, UnitOfMeasure
from insights.ui import wording
from orgtree.models import Unit, UnitPlace
from orgtree.models.visibility import Visibility
from programs.models import Direction, Period
from programs.models.benchmarks import LONGEST_REASON

BASELINE_WEEKS = (12, 26, 52)
PERIODS = (Period.WEEK, Period.MONTH, Period.QUARTER)
ONLY_LEADERS = "Benchmarks of {} are set by its managers, by executives and by admins."
OF_THE_ORGANISATION = "the whole organisation"


@dataclass(frozen=True)
class BenchmarkDraft:
    """As a form or the API gives it.  `unit` is a slug (empty: the whole organisation); values in the metric's unit.

    `better` and `period` are asked for where the metric does not say them itself.  The baseline is computed over the
    latest `weeks` that are over.  `is_to_hold`: a target that is reached already is meant so.
    """

    metric: str
    unit: str
    threshold: float | None
    target: float | None
    reason: str
    better: str = ""
    period: str = ""
    weeks: int = BASELINE_WEEKS[0]
    is_to_hold: bool = False


@dataclass(frozen=True)
class CheckedBenchmark:
    """A validated draft; checks against data come later."""

    metric: Metric
    unit: Unit | None
    threshold: float | None
    target: float | None
    reason: str
    better: Direction
    period: Period
    weeks: int
    is_to_hold: bool

    def is_beyond(self, value: float, aim: float) -> bool:
        """Whether the value is truly better than the aim."""
        return value > aim if self.better is Direction.HIGHER else value < aim


def can_be_agreed_on(metric: Metric) -> bool:
    """What is always split has no figure of its own."""
    return not metric.always_by


def offered_metrics() -> list[Metric]:
    return [metric for metric in metrics() if can_be_agreed_on(metric)]


def check_benchmark(draft: BenchmarkDraft, visibility: Visibility) -> CheckedBenchmark:
    """Raises FieldError, MayNotWriteError."""
    metric = metric_of(draft.metric)
    unit = unit_led(draft.unit, visibility)
    better, period = _better(metric, draft.better), _period(metric, draft.period)
    if draft.threshold is None and draft.target is None:
        raise FieldError("threshold", "Enter a threshold or a target.")
    for field, value in (("threshold", draft.threshold), ("target", draft.target)):
        _check_value(field, value, metric)
    if draft.weeks not in BASELINE_WEEKS:
        raise FieldError("weeks", f"One of: {', '.join(map(str, BASELINE_WEEKS))}.")
    checked = CheckedBenchmark(
        metric=metric,
        unit=unit,
        threshold=draft.threshold,
        target=draft.target,
        reason=checked_reason(draft.reason),
        better=better,
        period=period,
        weeks=draft.weeks,
        is_to_hold=draft.is_to_hold,
    )
    threshold, target = draft.threshold, draft.target
    if threshold is not None and target is not None and checked.is_beyond(threshold, target):
        should, wants = (wording.reading(value, metric.unit) for value in (threshold, target))
        raise FieldError(
            "target",
            f"{better.label}: the target ({wants}) cannot be worse than the threshold ({should}).",
        )
    return checked


def metric_of(key: str) -> Metric:
    """Raises FieldError."""
    metric = next((metric for metric in offered_metrics() if metric.key == key), None)
    if metric is None:
        raise FieldError("metric", f"There is no metric {key[:80]} that has one figure.")
    return metric


def unit_led(slug: str, visibility: Visibility, *, must_stand: bool = True) -> Unit | None:
    """The unit of that slug, which the viewer leads; None for the whole organisation.

    Raises FieldError for an unknown unit, or (with `must_stand`) one in no tree today; MayNotWriteError.
    """
    if not slug:
        if not visibility.leads_whole:
            raise MayNotWriteError("Benchmarks of the whole organisation are set by executives and admins.")
        return None
    unit = Unit.objects.within(visibility).filter(slug=slug).first() if "\x00" not in slug else None
    if unit is None:
        raise FieldError("unit", "There is no such unit, or you may not see it.")
    if not visibility.leads(unit.pk):
        raise MayNotWriteError(ONLY_LEADERS.format(unit.name))
    if must_stand and not exists_today(unit):
        raise FieldError("unit", f"{unit.name} is no longer in any Org Tree: choose a current unit.")
    return unit


def exists_today(unit: Unit) -> bool:
    """Whether it has a place in a tree that is in use."""
    places = UnitPlace.objects.filter(unit=unit, during__contains=windows.local_today())
    return places.filter(unit__tree__archived_at=None).exists()


def checked_reason(reason: str) -> str:
    """Raises FieldError."""
    reason = reason.strip()
    if not reason:
        raise FieldError("reason", "Give a reason.")
    if len(reason) > LONGEST_REASON or "\x00" in reason:
        raise FieldError("reason", f"At most {LONGEST_REASON} characters, and no NUL.")
    return reason


def _better(metric: Metric, text: str) -> Direction:
    if metric.better is not Better.NEITHER:
        return Direction(metric.better.value)
    if text not in Direction.values:
        raise FieldError("better", "This metric has no direction of its own: say which one you mean.")
    return Direction(text)


def _period(metric: Metric, text: str) -> Period:
    if not grows_with_time(metric):
        if text:
            raise FieldError("period", f"{metric.name} is the same of a week and of a year: leave the period out.")
        return Period.NONE
    if text not in PERIODS:
        raise FieldError("period", f"Say of what time it is: {', '.join(PERIODS)}.")
    return Period(text)


def _check_value(field: str, value: float | None, metric: Metric) -> None:
    if value is None:
        return
    if not math.isfinite(value) or value < 0 or value > 1e15:
        raise FieldError(field, "It must be a number from 0 on.")
    if metric.unit is UnitOfMeasure.PERCENT and value > 100:
        raise FieldError(field, "A share is at most 100 %.")
