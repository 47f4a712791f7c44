"""Budgets of a month, with what is spent of each and what the month will come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.page_links import Picker, url_with
from insights.privacy.scope_access import access_in
from insights.query.query import Freshness
from insights.ui.filters import Filters
from insights.ui.offers import OfferedSection
from insights.ui.views import record_view
from orgtree.access.access import Access
from programs.budgets.pages.labels import BudgetLine, budget_line
from programs.budgets.queries.budgets import alerts_sent, budgets_of
from programs.budgets.services.alerting import contacts_of
from programs.budgets.services.months import month_name, month_of, requested_month, this_month
from programs.budgets.services.outlook import outlooks
from programs.models import Budget


@record_view
def budgets(request: HttpRequest) -> HttpResponseBase:
    """`unit` leaves those of a unit and of all below it."""
    access, month, unit = access_in(request), requested_month(request.GET.dict()), request.GET.get("unit", "")
    listed = list(budgets_of(month, access.visibility, unit=unit.replace("\x00", "")))
    context: dict[str, Any] = {
        "month": month_name(month),
        "months": _months(month, unit),
        "lines": _lines(listed, month, access),
        "may_write": access.visibility.leads_any,
        "new_url": url_with(reverse("budget_new"), {"unit": unit}),
        "all_url": _url(month, "") if unit else "",
    }
    return render(request, "programs/budgets/list.html", context)


def budgets_on_ai_page(filters: Filters) -> OfferedSection | None:
    """The page unit's budgets of this month; None if the viewer can see none."""
    if filters.scope.person_id is not None or filters.scope.unassigned is not None:
        return None
    month, access = this_month(), filters.access
    of_scope = Budget.objects.within(access.visibility).in_month(month)
    of_scope = of_scope.filter(unit__slug=filters.scope.unit) if filters.scope.unit else of_scope.filter(unit=None)
    listed = list(of_scope.select_related("unit", "owner"))
    if not listed:
        return None
    return OfferedSection("programs/budgets/_on_ai_page.html", {"lines": _lines(listed, month, access)})


def _lines(budgets: Sequence[Budget], month: date, access: Access) -> list[BudgetLine]:
    contacts = contacts_of(budgets)
    found = outlooks(budgets, month, access, freshness=Freshness.OF_PAGES)
    sent = alerts_sent(budgets, month)
    return [
        budget_line(outlook, contacts.get(outlook.budget.pk, []), sent.get(outlook.budget.pk, []), access)
        for outlook in found
    ]


def _months(month: date, unit: str) -> list[Picker]:
    before, after, this = (month - timedelta(days=1)).replace(day=1), month_of(month).end, this_month()
    offered = sorted({before, month, after, this})
    return [Picker(f"{first:%b %Y}", _url(first, unit), active=first == month) for first in offered]


def _url(month: date, unit: str) -> str:
    return url_with(reverse("budgets"), {"month": f"{month:%Y-%m}", "unit": unit})
