"""Decides whether a key result or an objective is on track, at risk or off track, and why.

A key result with a forecast is judged by it, one without by its pace: progress against the share of the quarter that
has passed.  docs/objectives.md describes the rules for readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from insights.query import windows
from insights.query.query import Window
from insights.ui import wording
from programs.key_results.queries import share_passed
from programs.key_results.services.forecasting import DAYS_A_WEEK, Outlook, weeks_left
from programs.key_results.services.initiatives import InitiativeOutlook
from programs.key_results.services.items import ItemsOutlook
from programs.models import Direction, KeyResult, KeyResultMeasure, ObjectiveMeasure, ObjectiveStatus

EARLY_DAYS = 14  # before that, a few days make up the value, and rates jump with each fact
TOO_EARLY = f"Judged once {EARLY_DAYS} days of the quarter have passed."
LEAST_OF_PACE = 0.5  # of the progress due by now; below it, off track


@dataclass(frozen=True)
class KeyResultState:
    """The state of a key result today.  `unit` formats its values; `grows` says that its value starts at zero each
    quarter.
    """

    key_result: KeyResult
    value: float | None
    reason: str
    unit: str
    grows: bool
    quarter: Window
    today: date
    outlook: Outlook | ItemsOutlook | InitiativeOutlook | None
    no_forecast: str

    @property
    def passed(self) -> float:
        """The share of the quarter's days that have begun, 0 to 1."""
        return share_passed(self.quarter, self.today)

    @property
    def is_over(self) -> bool:
        return self.today + timedelta(days=1) >= self.quarter.end

    @property
    def is_early(self) -> bool:
        return bool(self.key_result.metric) and windows.passed(self.quarter, today=self.today).days < EARLY_DAYS

    def meets(self, value: float) -> bool:
        """Whether the value reaches the target or is better."""
        target = self.key_result.target
        return value >= target if self.key_result.better == Direction.HIGHER else value <= target

    def printed(self, value: float) -> str:
        return printed(value, self.key_result, self.unit)


def printed(value: float, key_result: KeyResult, unit: str) -> str:
    """The value in its metric's unit, or in the unit given for values entered by hand."""
    if key_result.metric:
        return str(wording.reading(value, unit))
    own = key_result.unit_of_measure
    plain = f"{value:,.4g}" if abs(value) < 10_000 else wording.compact(value)  # 4.25 of 5 stays 4.25
    return f"{plain.replace('-', '−')}{'' if own in ('%', '') else ' '}{own}"


def judge(stand: KeyResultState) -> KeyResultMeasure:
    """Judges a key result by its value; the measure is not stored."""
    pace = _pace(stand)
    judged = KeyResultMeasure(pace=pace, progress=_progress(stand, pace), no_forecast=stand.no_forecast)
    if stand.outlook is not None:
        end = stand.outlook.after(weeks_left(stand.quarter, stand.today))
        judged.forecast, judged.forecast_low, judged.forecast_high = end.value, end.low, end.high
        if isinstance(stand.outlook, ItemsOutlook | InitiativeOutlook):
            _say_dates(stand, stand.outlook, judged)
        else:
            judged.reached_on = _reached_on(stand, stand.outlook)
    if stand.value is None:
        judged.why = stand.reason
    elif stand.key_result.is_guardrail:
        judged.holds, judged.standing, verdict = _guardrail(stand, judged)
        judged.why = f"{_now(stand, judged)} The guardrail is {stand.printed(stand.key_result.target)}. {verdict}"
    else:
        judged.standing, verdict = _by_pace(stand, judged) if judged.forecast is None else _by_forecast(stand, judged)
        if stand.is_early and not stand.is_over:
            judged.standing, verdict = ObjectiveStatus.UNKNOWN, TOO_EARLY
        judged.why = f"{_way(stand, judged)} {verdict}"
    return judged


def _pace(stand: KeyResultState) -> float | None:
    """The value at the quarter's end at the current rate; the value itself if it does not grow."""
    if stand.value is None or not stand.grows:
        return stand.value
    if stand.is_early and not stand.is_over:
        return None
    return stand.value / stand.passed if stand.passed else None


def _progress(stand: KeyResultState, pace: float | None) -> float | None:
    way = None if stand.key_result.baseline is None else stand.key_result.target - stand.key_result.baseline
    if stand.key_result.is_guardrail or pace is None or not way:
        return None
    return (pace - (stand.key_result.baseline or 0.0)) / way


def _say_dates(stand: KeyResultState, ahead: ItemsOutlook | InitiativeOutlook, judged: KeyResultMeasure) -> None:
    """Sets the days by which a number of items is reached; a limit that must not be reached has none."""
    if stand.key_result.is_guardrail or stand.key_result.better == Direction.LOWER:
        return
    if (reached := ahead.reached(stand.key_result.target, last=stand.quarter.last_day)) is None:
        return
    judged.even_on, judged.likely_on, judged.safe_on = reached.dates.even, reached.dates.likely, reached.dates.safe
    judged.odds = reached.odds
    if judged.even_on is not None and judged.even_on < stand.quarter.end:
        judged.reached_on = judged.even_on


def _reached_on(stand: KeyResultState, ahead: Outlook) -> date | None:
    """The first future day from whose end on the forecast meets the target.

    None for a count that should stay low: it meets its target on the last day or not at all, so that day would say
    nothing.
    """
    is_ceiling = stand.grows and stand.key_result.better == Direction.LOWER
    if is_ceiling or (stand.value is not None and stand.meets(stand.value)):
        return None
    last = (stand.quarter.end - stand.today).days - 1
    reached = None
    for days in range(last, 0, -1):
        if not stand.meets(ahead.after(days / DAYS_A_WEEK).value):
            break
        reached = stand.today + timedelta(days=days)
    return reached


def _guardrail(stand: KeyResultState, judged: KeyResultMeasure) -> tuple[bool | None, ObjectiveStatus, str]:
    """Whether the guardrail holds, its status, and a sentence."""
    value = stand.value or 0.0
    broken_for_good = stand.grows and stand.key_result.better == Direction.LOWER and not stand.meets(value)
    compared = value if broken_for_good else judged.pace
    if compared is None or (stand.is_early and not stand.is_over and not broken_for_good):
        return None, ObjectiveStatus.UNKNOWN, TOO_EARLY
    if not stand.meets(compared):
        return False, ObjectiveStatus.OFF_TRACK, "It is broken."
    if judged.forecast is not None and not stand.meets(_best(stand, judged)):
        return True, ObjectiveStatus.AT_RISK, f"It holds. {_led(stand, judged)}."
    return True, ObjectiveStatus.ON_TRACK, "It holds."


def _by_forecast(stand: KeyResultState, judged: KeyResultMeasure) -> tuple[ObjectiveStatus, str]:
    led = _led(stand, judged)
    if stand.meets(judged.forecast or 0.0):
        return ObjectiveStatus.ON_TRACK, f"{led}, which meets the target."
    if stand.meets(_best(stand, judged)):
        return ObjectiveStatus.AT_RISK, f"{led}: the target lies within what is likely."
    if not stand.grows and judged.pace is not None and stand.meets(judged.pace):
        return ObjectiveStatus.AT_RISK, f"{led}: the target is met now, and will not be."
    return ObjectiveStatus.OFF_TRACK, f"{led}, which misses the target."


def _by_pace(stand: KeyResultState, judged: KeyResultMeasure) -> tuple[ObjectiveStatus, str]:
    due = 1.0 if stand.grows or stand.is_over else stand.passed
    if judged.pace is not None and stand.meets(judged.pace):
        return ObjectiveStatus.ON_TRACK, "It was reached." if stand.is_over else "The target is met."
    if judged.progress is None:
        if stand.is_over:
            return ObjectiveStatus.OFF_TRACK, "It was not reached."
        return (
            ObjectiveStatus.UNKNOWN,
            f"Without a baseline, its pace cannot be judged. {judged.no_forecast}".strip(),
        )
    if judged.progress >= due:
        return ObjectiveStatus.ON_TRACK, "That is on pace or ahead."
    if judged.progress >= due * LEAST_OF_PACE:
        return ObjectiveStatus.AT_RISK, "It was not reached." if stand.is_over else "That is behind its pace."
    return ObjectiveStatus.OFF_TRACK, "It was not reached." if stand.is_over else "That is less than half of its pace."


def _best(stand: KeyResultState, judged: KeyResultMeasure) -> float:
    """The end of the forecast's interval that is nearer to the target."""
    is_higher = stand.key_result.better == Direction.HIGHER
    return (judged.forecast_high if is_higher else judged.forecast_low) or 0.0


def _led(stand: KeyResultState, judged: KeyResultMeasure) -> str:
    forecast = (judged.forecast, judged.forecast_low, judged.forecast_high)
    value, low, high = (stand.printed(figure or 0.0) for figure in forecast)
    return f"The recent weeks lead to {value} at its end ({low} to {high} in 80 of 100 cases)"


def _now(stand: KeyResultState, judged: KeyResultMeasure) -> str:
    now = f"{stand.printed(stand.value or 0.0)} {'in the quarter' if stand.is_over else 'so far'}"
    if stand.grows and judged.pace is not None and not stand.is_over:
        return f"{now}, which comes to {stand.printed(judged.pace)} at this rate."
    return f"{now}."


def _way(stand: KeyResultState, judged: KeyResultMeasure) -> str:
    target = stand.printed(stand.key_result.target)
    if judged.progress is None or stand.key_result.baseline is None:
        return f"{_now(stand, judged)} The target is {target}."
    complete = f"{_percent(judged.progress)} complete ({stand.printed(stand.key_result.baseline)} → {target})"
    passed = "" if stand.is_over else f", {_percent(stand.passed)} of the quarter passed"
    return f"{_now(stand, judged)} {complete}{passed}."


def _percent(share: float) -> str:
    return f"{share * 100:.0f}%".replace("-", "−")


def together(judged: Sequence[KeyResultMeasure]) -> ObjectiveMeasure:
    """Derives an objective's status from its key results; a broken guardrail makes it at least at risk.  Not stored.

    On track if all key results that can be judged are; off track if at least half of them are; else at risk.
    """
    aims = [measure for measure in judged if not measure.key_result.is_guardrail]
    broken = [measure.key_result.title for measure in judged if measure.holds is False]
    shaky = [
        measure.key_result.title for measure in judged if measure.holds and measure.standing == ObjectiveStatus.AT_RISK
    ]
    shares = [measure.progress for measure in aims if measure.progress is not None]
    progress = sum(min(max(share, 0.0), 1.0) for share in shares) / len(shares) if shares else None
    known = [ObjectiveStatus(measure.standing) for measure in aims if measure.standing != ObjectiveStatus.UNKNOWN]
    words = [
        f"{wording.count(known.count(candidate), 'key result')} {candidate.label.lower()}"
        for candidate in (ObjectiveStatus.ON_TRACK, ObjectiveStatus.AT_RISK, ObjectiveStatus.OFF_TRACK)
        if candidate in known
    ]
    silent = len(aims) - len(known)
    if silent:
        words.append(f"{silent} that cannot be judged yet")
    why = f"{wording.listed(words)}." if words else "It has no key result."
    status = _of_all(known)
    if broken:
        why += f" Guardrail broken: {wording.listed(broken)}."
    if shaky:
        why += f" Guardrail at risk: {wording.listed(shaky)}."
    if (broken and status in (ObjectiveStatus.ON_TRACK, ObjectiveStatus.UNKNOWN)) or (
        shaky and status is ObjectiveStatus.ON_TRACK
    ):
        status = ObjectiveStatus.AT_RISK
    return ObjectiveMeasure(progress=progress, standing=status, why=why)


def _of_all(known: Sequence[ObjectiveStatus]) -> ObjectiveStatus:
    if not known:
        return ObjectiveStatus.UNKNOWN
    if all(status is ObjectiveStatus.ON_TRACK for status in known):
        return ObjectiveStatus.ON_TRACK
    return (
        ObjectiveStatus.OFF_TRACK
        if known.count(ObjectiveStatus.OFF_TRACK) * 2 >= len(known)
        else ObjectiveStatus.AT_RISK
    )
