"""Labels of objectives and key results in lists and on pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from django.urls import reverse

from insights.catalogue.registry import find
from insights.forecasts.listing import NOT_SOON
from insights.ui import wording
from insights.ui.amounts import amount_text
from insights.ui.tiles import Link
from orgtree.models import Unit
from programs.key_results.queries import KeyResultProgress
from programs.key_results.services.initiatives import page_of_initiative
from programs.key_results.services.reading import unit_of
from programs.models import CheckIn, Direction, KeyResult, Objective, ObjectiveStatus, Quarter
from programs.models.objectives import PERCENT
from programs.objectives.pages.bar import ObjectiveBar, bar_of_key_result, bar_of_objective, only_outcomes, printed
from programs.objectives.queries.objectives import ObjectiveProgress


@dataclass(frozen=True)
class StatusTag:
    """A status as a chip: label, icon and tone."""

    key: str
    text: str
    tone: str
    icon: str


TAGS: Mapping[str, StatusTag] = {
    ObjectiveStatus.ON_TRACK: StatusTag("on_track", "On track", "good", "trending-up"),
    ObjectiveStatus.AT_RISK: StatusTag("at_risk", "At risk", "watch", "alert-triangle"),
    ObjectiveStatus.OFF_TRACK: StatusTag("off_track", "Off track", "bad", "trending-down"),
    ObjectiveStatus.UNKNOWN: StatusTag("unknown", "No data yet", "", "minus"),
}
# Tags of a check-in's confidence.
CONFIDENCE_LABELS = {confidence.value: confidence.label for confidence in CheckIn.Confidence}
HIDDEN = StatusTag("hidden", "Hidden", "", "eye-off")
GUARDRAIL_HOLDS = StatusTag("on_track", "Holds", "good", "shield-check")
GUARDRAIL_BROKEN = StatusTag("at_risk", "Broken", "bad", "shield-half")


@dataclass(frozen=True)
class KeyResultLine:
    """A key result as lists show it."""

    key_result: KeyResult
    metric: Link | None  # None if entered by hand
    is_hidden: bool  # withheld from the viewer
    bar: ObjectiveBar
    tag: StatusTag
    forecast: str
    forecast_range: str  # "80% interval 47.0 h to 52.0 h", or why there is no forecast
    dates: str  # "9 Nov (50%), 23 Nov (85%), 2 Dec (95%)", for a count of items
    quarter_odds: str  # "71% by the quarter's end", for a count of items
    value: str
    target: str  # "at most 40.0 h"
    why: str
    baseline_days: str


@dataclass(frozen=True)
class ObjectiveLine:
    """An objective as lists show it; with a single outcome, that outcome's bar is its own."""

    objective: Objective
    is_hidden: bool  # its figures are withheld from the viewer
    bar: ObjectiveBar
    tag: StatusTag
    overridden: str  # the computed status, and why it was overridden
    why: str
    forecast: str
    key_results: Sequence[KeyResultLine]
    shown_below: Sequence[KeyResultLine]  # those whose bar is not the objective's own
    confidence: str
    check_in: str
    is_check_in_late: bool
    tickets: str
    tickets_late: str
    score: str

    @property
    def status_was_overridden(self) -> bool:
        """Whether a guardrail or an override makes its status differ from that of its only outcome."""
        outcomes = [result for result in self.key_results if not result.key_result.is_guardrail]
        return not self.overridden and len(outcomes) == 1 and outcomes[0].tag.key != self.tag.key


def objective_lines(progresses: Sequence[ObjectiveProgress], today: date) -> list[ObjectiveLine]:
    """The lines of objectives read with unit, owner and quarter; runs no query."""
    return [objective_line(progress, today) for progress in progresses]


def objective_line(progress: ObjectiveProgress, today: date) -> ObjectiveLine:
    objective = progress.objective
    outcomes = only_outcomes(progress)
    lines = [key_result_line(result, objective) for result in progress.key_results]
    own = outcomes[0].key_result if len(outcomes) == 1 else None
    is_hidden = any(result.withheld for result in progress.key_results)
    # The score follows from values and baselines, so a withheld one would be revealed by it.
    is_partly_hidden = is_hidden or any(
        result.baseline is None and result.key_result.baseline is not None for result in progress.key_results
    )
    is_late = progress.check_in_due is not None and progress.check_in_due < today
    return ObjectiveLine(
        objective=objective,
        is_hidden=is_hidden,
        bar=bar_of_objective(progress),
        tag=HIDDEN if progress.is_status_hidden and not objective.override else TAGS[progress.shown],
        overridden=_overridden(progress),
        why=progress.why,
        forecast=forecast_words(outcomes[0], objective.quarter) if own is not None else "",
        key_results=lines,
        shown_below=[line for line in lines if line.key_result != own],
        confidence=CONFIDENCE_LABELS[progress.last_check_in.confidence] if progress.last_check_in else "",
        check_in=_check_in_words(progress, today),
        is_check_in_late=is_late,
        tickets=wording.count(progress.tickets_open, "ticket") if progress.tickets_open else "",
        tickets_late=f"{progress.tickets_overdue:,} overdue" if progress.tickets_overdue else "",
        score="" if objective.score is None or is_partly_hidden else f"{objective.score:.2f}",
    )


def key_result_line(measured: KeyResultProgress, objective: Objective) -> KeyResultLine:
    key_result = measured.key_result
    return KeyResultLine(
        key_result=key_result,
        metric=metric_link(key_result, objective.unit),
        is_hidden=measured.withheld,
        bar=bar_of_key_result(measured),
        tag=_tag(measured),
        forecast="" if key_result.is_guardrail else forecast_words(measured, objective.quarter),
        forecast_range=_range(measured),
        dates=_dates(measured),
        quarter_odds=_quarter_odds(measured),
        value=printed(measured.value, key_result) if measured.value is not None else "",
        target=target_words(measured),
        why=measured.reason or measured.why,
        baseline_days=_baseline_days(key_result),
    )


def forecast_words(measured: KeyResultProgress, quarter: Quarter) -> str:
    """The forecast in words, such as "49.1 h on 31 Dec" or "reached 17 Nov"; empty without one."""
    if measured.forecast is None:
        return ""
    if measured.forecast.reached_on is not None:
        return f"Forecast reached {short_day(measured.forecast.reached_on)}"
    value = printed(measured.forecast.value, measured.key_result)
    return f"Forecast {value} on {short_day(quarter.window.last_day)}"


def target_words(measured: KeyResultProgress) -> str:
    """The target in words: at most 40.0 h; at least 80.0%; a relative target with its change."""
    key_result = measured.key_result
    limit = "at most" if key_result.better == Direction.LOWER else "at least"
    words = f"{limit} {printed(measured.target, key_result)}" if measured.target is not None else "hidden"
    if key_result.change_percent is not None:
        sign = "−" if key_result.change_percent < 0 else "+"
        return f"{words} ({sign}{abs(key_result.change_percent):g}%)"
    return words


def metric_link(key_result: KeyResult, unit: Unit | None) -> Link | None:
    """A link to the metric's page for the objective's unit; None for a removed metric."""
    if key_result.initiative:
        whole = "Share of" if key_result.unit_of_measure == PERCENT else "Number of"
        return Link(f"{whole} the items of an initiative that are done", page_of_initiative(key_result.initiative))
    if not key_result.metric:
        return None
    metric = find(key_result.metric)
    if metric is None:
        return Link(f"{key_result.metric}, no longer a metric", "")
    statistic = f"&statistic={key_result.statistic}" if key_result.statistic else ""
    where = f"?unit={unit.slug}{statistic}" if unit else f"?{statistic[1:]}" if statistic else ""
    return Link(metric.marked_name, f"{_metric_path(key_result.metric)}{where}")


@cache  # a list has a hundred of them for a few metrics; the keys are always those of metrics
def _metric_path(key: str) -> str:
    return reverse("metric_page", args=[key])


def short_day(day: date) -> str:
    """A day such as 31 Dec; lists show the year elsewhere."""
    return f"{day.day} {day:%b}"


def _tag(measured: KeyResultProgress) -> StatusTag:
    if measured.withheld:
        return HIDDEN
    if measured.key_result.is_guardrail and measured.holds is not None:
        return GUARDRAIL_HOLDS if measured.holds else GUARDRAIL_BROKEN
    return TAGS[measured.standing]


def _range(measured: KeyResultProgress) -> str:
    if measured.key_result.is_guardrail:
        return ""
    if measured.forecast is None:
        return measured.no_forecast
    unit = unit_of(measured.key_result)
    low, high = amount_text(measured.forecast.low, unit), amount_text(measured.forecast.high, unit)
    return f"80% interval {low} to {high}"


def _dates(measured: KeyResultProgress) -> str:
    """The days by which a count of items is reached; empty if there are none."""
    forecast = measured.forecast
    if forecast is None or forecast.odds is None:
        return ""
    days = {"50%": forecast.date_50, "85%": forecast.date_85, "95%": forecast.date_95}
    if forecast.date_50 is None:
        return NOT_SOON
    return ", ".join(f"{wording.day(day) if day else NOT_SOON.lower()} ({odds})" for odds, day in days.items())


def _quarter_odds(measured: KeyResultProgress) -> str:
    odds = measured.forecast.odds if measured.forecast else None
    return "" if odds is None else f"{wording.percent_of(odds, 1.0)} likely by the quarter’s end"


def _baseline_days(key_result: KeyResult) -> str:
    start, end = key_result.baseline_from, key_result.baseline_to
    if start is None or end is None:
        return ""
    return f"{wording.day(start)} – {wording.day(end - timedelta(days=1))}"


def _overridden(progress: ObjectiveProgress) -> str:
    if not progress.objective.override:
        return ""
    if progress.is_status_hidden:
        return f"Overridden. {progress.objective.override_reason}"
    return f"Overridden, computed: {TAGS[progress.computed].text.lower()}. {progress.objective.override_reason}"


def _check_in_words(progress: ObjectiveProgress, today: date) -> str:
    """The day on which the next check-in is due, in words; empty for closed, dropped and draft objectives."""
    due = progress.check_in_due
    if due is None:
        return ""
    if due < today:
        return f"Check-in {wording.count((today - due).days, 'day')} late"
    return "Check-in due today" if due == today else f"Check-in due {short_day(due)}"
