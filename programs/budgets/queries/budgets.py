"""Budgets that hold in a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from django.db.models import QuerySet

from insights.query import windows
from insights.query.errors import UnknownUnitError
from orgtree.models import Unit, UnitPlacement
from orgtree.models.visibility import Visibility
from programs.models import Budget, BudgetAlert


def budgets_of(month: date, visibility: Visibility, *, unit: str = "") -> QuerySet[Budget]:
    """Those of that month that the viewer may see; `unit` (a slug) leaves its own and those of units below it.

    Raises UnknownUnitError.
    """
    budgets = Budget.objects.within(visibility).in_month(month).select_related("unit", "owner", "written_by")
    if not unit:
        return budgets
    if not Unit.objects.within(visibility).filter(slug=unit).exists():
        raise UnknownUnitError(unit)
    below = UnitPlacement.objects.filter(ancestor__slug=unit, during__contains=windows.local_today())
    return budgets.filter(unit__in=below.values("unit"))


def alerts_sent(budgets: Collection[Budget], month: date) -> Mapping[int, Sequence[BudgetAlert]]:
    """Those of that month by the budget's id, the earliest first."""
    sent: dict[int, list[BudgetAlert]] = defaultdict(list)
    for alert in BudgetAlert.objects.filter(budget__in=budgets, month=month).order_by("at", "pk"):
        sent[alert.budget_id].append(alert)
    return sent
