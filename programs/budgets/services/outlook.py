"""Month-to-date spend, month-end forecast and state of budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import TextChoices

from insights.privacy.month_spend import SPEND, MonthSpend, visible_month_spend
from insights.query.query import Dimension, Freshness, Granularity, Query, Scope
from orgtree.access.access import Access
from programs.budgets.queries.months import month_of
from programs.models import Budget


class BudgetState(TextChoices):
    WITHIN = "within", "Within budget"
    AT_RISK = "at_risk", "May exceed it"  # the interval reaches beyond the budget
    FORECAST_OVER = "forecast_over", "Forecast to exceed it"
    OVER = "over", "Exceeded"
    UNKNOWN = "unknown", "No forecast"


@dataclass(frozen=True)
class Outlook:
    budget: Budget
    month: date
    spend: MonthSpend

    @property
    def amount(self) -> float:
        return float(self.budget.amount)

    @property
    def spent(self) -> float | None:
        """Spend so far; 0 without sessions, None if it is withheld or the month has not begun."""
        if self.spend.spent.withheld or not self.spend.spent.window.days:
            return None
        return self.spend.spent.value or 0.0

    @property
    def state(self) -> BudgetState:
        spent, forecast = self.spent, self.spend.forecast
        if spent is None:
            return BudgetState.UNKNOWN
        if spent > self.amount:
            return BudgetState.OVER
        if forecast is None:
            return BudgetState.WITHIN if not self.spend.why_none else BudgetState.UNKNOWN
        if forecast.value > self.amount:
            return BudgetState.FORECAST_OVER
        return BudgetState.AT_RISK if forecast.interval.high > self.amount else BudgetState.WITHIN


def outlooks(
    budgets: Sequence[Budget],
    month: date,
    access: Access,
    *,
    now: datetime | None = None,
    freshness: Freshness = Freshness.AT_ONCE,
) -> list[Outlook]:
    """The outlook of each budget, in order; budgets come with their units."""
    queries = [_query(budget, month) for budget in budgets]
    spends = visible_month_spend(queries, access, now=now, freshness=freshness) if queries else []
    return [Outlook(budget, month, spend) for budget, spend in zip(budgets, spends, strict=True)]


def _query(budget: Budget, month: date) -> Query:
    return Query(
        SPEND,
        month_of(month),
        granularity=Granularity.MONTH,
        scope=Scope(unit=budget.unit.slug if budget.unit else None),
        facets={Dimension.AGENT: (budget.agent,)} if budget.agent else {},
    )
