"""How a key result goes: as it was measured, for one viewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from programs.models import KeyResult, Standing


@dataclass(frozen=True)
class Forecast:
    """The key result's value at the quarter's end, with an interval that holds it in 80 of 100 cases.

    `reached_on` is the day on which the forecast meets the target; None where it does not before the quarter's end.
    """

    value: float
    low: float
    high: float
    reached_on: date | None


@dataclass(frozen=True)
class KeyResultProgress:
    """Figures in the key result's unit of measure.

    `value` is that of the quarter so far, None with a `reason` (a sentence; also where it is withheld from this
    viewer).  `pace` is what a count comes to by the quarter's end at its rate so far, else the value.  `points` are
    the Mondays of whole weeks with their values: those of the quarter, and the 13 before it.  `progress` is the share
    of the way from baseline to target, unclipped.  `baseline` and `target` are None where they are withheld.
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
    standing: Standing
    why: str
    sample_size: int = 0
    no_forecast: str = ""  # why there is none, as a sentence
