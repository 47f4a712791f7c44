"""The objective bar: how far it is from the baseline to the target, the forecast, and where the pace is today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insights.ui import wording
from programs.key_results.pages.amounts import printed
from programs.key_results.queries import KeyResultProgress
from programs.objectives.queries.objectives import ObjectiveProgress


@dataclass(frozen=True)
class ObjectiveBar:
    """What templates/components/objective_bar.html draws; places are shares of the bar, 0 to 1.

    `key` tells the bars of a page apart.  Without `progress` there is only the ground, and the tick of the pace.
    """

    key: str
    baseline: str  # printed below: "57.0 h"
    target: str
    now: str  # "now 52.9 h"
    words: str  # the whole bar in a sentence, for whoever doesn't see it
    progress: float | None = None
    forecast: float | None = None
    pace: float | None = None  # None: the quarter has not begun, or is over

    @property
    def solid(self) -> float:
        return _clipped(self.progress or 0.0)

    @property
    def hatched(self) -> float:
        """How much further the forecast reaches; one that falls back is told by its sentence alone."""
        return max(0.0, _clipped(self.forecast) - self.solid) if self.forecast is not None else 0.0


def bar_of_key_result(found: KeyResultProgress) -> ObjectiveBar:
    """From baseline to target in the metric's unit.  A guardrail has no way to go: it holds or it doesn't."""
    key_result = found.key_result
    now = _now(found)
    pace = None if grows(found) else _pace(found.expected)
    return ObjectiveBar(
        key=f"k{key_result.pk}",
        baseline=printed(found.baseline, key_result) if found.baseline is not None else "No baseline",
        target=printed(found.target, key_result) if found.target is not None else "hidden",
        now=now,
        words=_sentence(found.progress, pace, forecast_share(found), now),
        progress=found.progress,
        forecast=forecast_share(found),
        pace=pace,
    )


def bar_of_objective(found: ObjectiveProgress) -> ObjectiveBar:
    """The mean of its key results; with one alone, that one's own bar."""
    measured = only_outcomes(found)
    if len(measured) == 1:
        return bar_of_key_result(measured[0])
    pace = next((_pace(each.expected) for each in measured if not grows(each)), None)
    forecast = mean_forecast(measured)
    now = f"now {_percent(found.progress)}" if found.progress is not None else "no value"
    return ObjectiveBar(
        key=f"o{found.objective.pk}",
        baseline="0%",
        target="100% of the way",
        now=now,
        words=_sentence(found.progress, pace, forecast, now),
        progress=found.progress,
        forecast=forecast,
        pace=pace,
    )


def only_outcomes(found: ObjectiveProgress) -> list[KeyResultProgress]:
    """Its key results that are no guardrails: those that it wants to reach."""
    return [result for result in found.key_results if not result.key_result.is_guardrail]


def forecast_share(found: KeyResultProgress) -> float | None:
    """The share of the way that the forecast for the quarter's end reaches."""
    if found.forecast is None or found.key_result.is_guardrail:
        return None
    if found.baseline is None or found.target is None or found.baseline == found.target:
        return None
    return (found.forecast.value - found.baseline) / (found.target - found.baseline)


def mean_forecast(measured: Sequence[KeyResultProgress]) -> float | None:
    """As the progress of an objective is the mean of its key results; None unless each of those has one."""
    shares = [share for each in measured if (share := forecast_share(each)) is not None]
    return sum(map(_clipped, shares)) / len(shares) if shares and len(shares) == len(measured) else None


def grows(found: KeyResultProgress) -> bool:
    """Whether it is a count that grows with the quarter: its progress is that of its pace, which has no tick then."""
    return found.pace is not None and found.value is not None and found.pace != found.value


def _now(found: KeyResultProgress) -> str:
    if found.value is None:
        return "no value"
    now = f"now {printed(found.value, found.key_result)}"
    return f"{now}, {printed(found.pace, found.key_result)} at this pace" if found.pace and grows(found) else now


def _sentence(progress: float | None, pace: float | None, forecast: float | None, now: str) -> str:
    if progress is None:
        return f"Progress unknown, {now}."
    parts = [f"{_percent(progress)} of the way, {now}"]
    if pace is not None:
        parts.append(f"pace today {_percent(pace)}")
    if forecast is not None:
        parts.append(f"forecast {_percent(forecast)}")
    return f"{', '.join(parts)}."


def _pace(expected: float) -> float | None:
    return expected if 0 < expected < 1 else None


def _percent(share: float | None) -> str:
    return "–" if share is None else str(wording.reading(round(share * 100), "percent")).replace(".0%", "%")


def _clipped(share: float) -> float:
    return min(1.0, max(0.0, share))
