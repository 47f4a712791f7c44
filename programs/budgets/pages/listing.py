"""Budgets of a month, each with the spend so far and the month-end forecast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.urls import reverse

from core.page_links import Picker, url_with
from insights.query.query import Freshness
from insights.ui.filters import Filters
from insights.ui.offers import OfferedSection
from insights.ui.wording import money
from integrations.facts.spend_limits import LevelOfLimits, levels_of_limits
from orgtree.access.access import Access
from programs.budgets.pages.labels import BudgetLine, budget_line
from programs.budgets.queries.budgets import BudgetFilters, alerts_sent
from programs.budgets.queries.months import month_name, month_of, requested_month, this_month
from programs.budgets.services.alerting import contacts_of
from programs.budgets.services.outlook import outlooks
from programs.models import Budget
from programs.requests.list_pages import ProgramList


class Budgets(ProgramList):
    plural = "budgets"
    filters = BudgetFilters
    template_name = "programs/budgets/list.html"
    card = "programs/budgets/_table.html"
    own = ("month",)
    size = 100

    @property
    def month(self) -> date:
        return requested_month(self.params)

    def rows(self, records: Iterable[Budget]) -> list[BudgetLine]:
        return budget_lines([*records], self.month, self.access)

    def context(self) -> dict[str, Any]:
        return {
            **super().context(),
            "month": month_name(self.month),
            "months": self._months(),
            "may_write": self.access.visibility.leads_any,
            "new_url": url_with(reverse("budget_new"), {"unit": self.params.get("unit")}),
            "is_narrowed": False,  # an empty list explains budgets, even if a unit is chosen
            "sees_no_unit": not (self.access.visibility.whole or self.access.visibility.slugs),
            "all_url": self.url(unit="") if "unit" in self.params else "",
            "limits": limits_of_vendors(self.access),
        }

    def _months(self) -> list[Picker]:
        month, this = self.month, this_month()
        offered = sorted({(month - timedelta(days=1)).replace(day=1), month, month_of(month).end, this})
        return self.choice("month", {f"{first:%Y-%m}": f"{first:%b %Y}" for first in offered}, f"{month:%Y-%m}")


SET_FOR = {
    "user": "The person",
    "seat_tier": "The seat tier",
    "rbac_group": "The group",
    "organization": "The organisation",
}


class LimitLine(NamedTuple):
    level: LevelOfLimits
    set_for: str
    limit: str
    spent: str


def limits_of_vendors(access: Access) -> list[LimitLine]:
    """Vendors' own limits, for viewers who see the whole organisation's figures; without levels of too few people."""
    if not access.visibility.whole:
        return []
    return [
        LimitLine(
            level,
            SET_FOR.get(level.level, level.level or "Not said"),
            _amount(level.limit, level.currency),
            _amount(level.spent, level.currency),
        )
        for level in levels_of_limits()
        if not access.is_few(level.people)
    ]


def _amount(amount: Decimal | None, currency: str) -> str:
    if amount is None:
        return ""
    return money(float(amount)) if currency == "USD" else f"{amount:,.2f} {currency}"


def budgets_on_ai_page(filters: Filters) -> OfferedSection | None:
    """This month's budgets of the page's unit; None if the viewer can see none."""
    if filters.scope.person_id is not None or filters.scope.unassigned is not None:
        return None
    month, access = this_month(), filters.access
    of_scope = Budget.objects.within(access.visibility).in_month(month)
    of_scope = of_scope.filter(unit__slug=filters.scope.unit) if filters.scope.unit else of_scope.filter(unit=None)
    listed = list(of_scope.select_related("unit", "owner"))
    if not listed:
        return None
    return OfferedSection("programs/budgets/_on_ai_page.html", {"lines": budget_lines(listed, month, access)})


def budget_lines(budgets: Sequence[Budget], month: date, access: Access) -> list[BudgetLine]:
    contacts = contacts_of(budgets)
    found = outlooks(budgets, month, access, freshness=Freshness.OF_PAGES)
    sent = alerts_sent(budgets, month)
    return [
        budget_line(outlook, contacts.get(outlook.budget.pk, []), sent.get(outlook.budget.pk, []), access)
        for outlook in found
    ]
