"""Budgets as pages show them: the bar, the figures in words, the contacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from core.authorship import account_of
from core.columns import columns_of
from core.edit_conflicts import Difference
from insights.ui import wording
from orgtree.access.access import Access
from programs.budgets.services.fields import WRITTEN
from programs.budgets.services.outlook import BudgetState, Outlook
from programs.history.events import Changed, CurrentNames, changes_from, events_of, field_steps, names_of_accounts
from programs.history.labels import HistoryLine, history_lines, value_words
from programs.models import Budget, BudgetAlert

TONES = {
    BudgetState.WITHIN: "good",
    BudgetState.AT_RISK: "watch",
    BudgetState.FORECAST_OVER: "watch",
    BudgetState.OVER: "bad",
    BudgetState.UNKNOWN: "",
}
WORKDAYS = 5  # a week
HISTORY = columns_of(Budget, *WRITTEN).of_events(Budget)


@dataclass(frozen=True)
class BudgetBar:
    """Positions are shares of the bar, 0 to 1: solid is spent, hatched the forecast, the tick the budget."""

    key: str
    solid: float
    hatched: float
    pace: float
    words: str


@dataclass(frozen=True)
class BudgetLine:
    outlook: Outlook
    rests_on: str  # the forecast's basis, or why there is no forecast or no figure
    tone: str
    bar: BudgetBar | None
    contacts: Sequence[str]
    alerts: str
    may_change: bool


def budget_line(outlook: Outlook, contacts: Sequence[str], sent: Sequence[BudgetAlert], access: Access) -> BudgetLine:
    return BudgetLine(
        outlook,
        rests_on=_rests_on(outlook),
        tone=TONES[outlook.state],
        bar=_bar(outlook),
        contacts=contacts,
        alerts=_alerts(outlook.budget, sent if outlook.spent is not None else ()),
        may_change=access.visibility.leads(outlook.budget.unit_id),
    )


def _rests_on(outlook: Outlook) -> str:
    spend, forecast = outlook.spend, outlook.spend.forecast
    if outlook.spent is None and spend.spent.reason:
        return spend.spent.reason
    if forecast is None:
        return spend.why_none
    weeks = f"last {wording.count(forecast.weeks, 'week')}"
    if not forecast.weeks_left:
        return f"No more spend expected in the month, by the weekdays of the {weeks}"
    days = wording.count(max(1, round(forecast.weeks_left * WORKDAYS)), "workday")
    return f"{days} left in the month at {wording.money(forecast.weekly)}/week ({weeks})"


def _bar(outlook: Outlook) -> BudgetBar | None:
    spent, forecast = outlook.spent, outlook.spend.forecast
    if spent is None:
        return None
    end = max(spent, forecast.value if forecast else spent)
    whole = max(outlook.amount, end) or 1.0
    until = f", {wording.money(end)} forecast" if forecast else ""
    return BudgetBar(
        key=f"b{outlook.budget.pk}",
        solid=spent / whole,
        hatched=(end - spent) / whole,
        pace=outlook.amount / whole,
        words=f"{wording.money(spent)} spent{until}, of {wording.money(outlook.amount)}",
    )


def _alerts(budget: Budget, sent: Sequence[BudgetAlert]) -> str:
    """The alert thresholds, and the alerts sent this month."""
    thresholds = (("forecast", budget.forecast_percent), ("spent", budget.spent_percent))
    named = [f"{percent}% {name}" for name, percent in thresholds if percent is not None]
    by_day: dict[str, list[str]] = {}
    for alert in sent:
        by_day.setdefault(f"{timezone.localtime(alert.at):%-d %b}", []).append(f"{alert.percent}% {alert.kind}")
    thresholds_in_words = f"Alerts at {wording.listed(named)}" if named else "No alerts"
    reported = "; ".join(f"{day}: {', '.join(alerts)}" for day, alerts in by_day.items())
    return f"{thresholds_in_words}. Alerts sent {reported}" if reported else thresholds_in_words


def history_of(budget: Budget, access: Access) -> list[HistoryLine]:
    """The changes to the budget with their authors, newest first."""
    events = events_of("BudgetEvent", pgh_obj=budget.pk)
    names = names_of_accounts(map(account_of, events))
    steps = field_steps(events, HISTORY, CurrentNames(events, access.visibility, objective=""))
    return history_lines(changes_from(steps), names, lambda step: ["Created"] if step.is_first else [], _difference)


def _difference(change: Changed) -> Difference:
    before, after = (value_words(change.field, value, {}) for value in (change.before, change.after))
    return Difference(HISTORY[change.field].label, before, after)
