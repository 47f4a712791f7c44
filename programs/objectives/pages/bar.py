"""The objective bar: progress from baseline to target, forecast, and today's pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insights.ui import wording
from insights.ui.amounts import amount_text
from programs.key_results.queries import KeyResultProgress
from programs.key_results.services.reading import unit_of
from programs.models import KeyResult
from programs.objectives.queries.objectives import ObjectiveProgress


def printed(value: float, key_result: KeyResult) -> str:
    """The value in words: 40.0 h, 80.0%, 12 points.  Stored values are seconds, percent from 0 to 100, US dollars or
    plain counts.
    """
    return amount_text(value, unit_of(key_result))


@dataclass(frozen=True)
class ObjectiveBar:
    """The data of templates/components/objective_bar.html; positions are shares of the bar, 0 to 1.

    `key` is unique among the bars of a page.  Without `progress`, only the background and the pace tick are drawn.
    """

    key: str
    baseline: str  # shown below: "57.0 h"
    target: str  # empty if the figures are hidden
    now: str  # "now 52.9 h"
    words: str  # the whole bar in a sentence, for screen readers
    progress: float | None = None
    forecast: float | None = None
    pace: float | None = None  # None if the quarter has not begun, or is over

    @property
    def solid(self) -> float:
        return _clipped(self.progress or 0.0)

    @property
    def hatched(self) -> float:
        """The share from progress to forecast; a lower forecast appears only in the sentence."""
        return max(0.0, _clipped(self.forecast) - self.solid) if self.forecast is not None else 0.0


def bar_of_key_result(measured: KeyResultProgress) -> ObjectiveBar:
    """The bar from baseline to target in the metric's unit.  A guardrail has no progress: it holds or does not."""
    key_result = measured.key_result
    if measured.target is None:
        return ObjectiveBar(f"k{key_result.pk}", baseline="Hidden", target="", now="", words="Its figures are hidden.")
    now = _now(measured)
    pace = None if grows(measured) else _pace(measured.expected)
    return ObjectiveBar(
        key=f"k{key_result.pk}",
        baseline=printed(measured.baseline, key_result) if measured.baseline is not None else "No baseline",
        target=printed(measured.target, key_result),
        now=now,
        words=_sentence(measured.progress, pace, forecast_share(measured), now),
        progress=measured.progress,
        forecast=forecast_share(measured),
        pace=pace,
    )


def bar_of_objective(progress: ObjectiveProgress) -> ObjectiveBar:
    """The mean of the objective's key results; with only one, that one's own bar."""
    measured = only_outcomes(progress)
    if len(measured) == 1:
        return bar_of_key_result(measured[0])
    pace = next((_pace(result.expected) for result in measured if not grows(result)), None)
    forecast = mean_forecast(measured)
    now = f"{_percent(progress.progress)} complete" if progress.progress is not None else "no value"
    return ObjectiveBar(
        key=f"o{progress.objective.pk}",
        baseline="0%",
        target="100%",
        now=now,
        words=_sentence(progress.progress, pace, forecast),
        progress=progress.progress,
        forecast=forecast,
        pace=pace,
    )


def only_outcomes(measured: ObjectiveProgress) -> list[KeyResultProgress]:
    """The key results that are not guardrails."""
    return [result for result in measured.key_results if not result.key_result.is_guardrail]


def forecast_share(measured: KeyResultProgress) -> float | None:
    """The share of the target that the forecast for the quarter's end reaches; None without a forecast."""
    if measured.forecast is None or measured.key_result.is_guardrail:
        return None
    if measured.baseline is None or measured.target is None or measured.baseline == measured.target:
        return None
    return (measured.forecast.value - measured.baseline) / (measured.target - measured.baseline)


def mean_forecast(measured: Sequence[KeyResultProgress]) -> float | None:
    """The mean of the key results' forecasts; None unless every one has a forecast."""
    shares = [share for result in measured if (share := forecast_share(result)) is not None]
    return sum(map(_clipped, shares)) / len(shares) if shares and len(shares) == len(measured) else None


def grows(measured: KeyResultProgress) -> bool:
    """Whether the key result is a count that grows over the quarter, so that its progress is judged by its pace."""
    return measured.pace is not None and measured.value is not None and measured.pace != measured.value


def _now(measured: KeyResultProgress) -> str:
    if measured.value is None:
        return "no value"
    now = f"now {printed(measured.value, measured.key_result)}"
    return (
        f"{now}, {printed(measured.pace, measured.key_result)} at this pace"
        if measured.pace and grows(measured)
        else now
    )


def _sentence(progress: float | None, pace: float | None, forecast: float | None, now: str = "") -> str:
    done = "Progress unknown" if progress is None else f"{_percent(progress)} complete"
    parts = [f"{done}, {now}" if now else done]
    if progress is None:
        return f"{parts[0]}."
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
