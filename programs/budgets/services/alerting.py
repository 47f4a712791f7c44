"""Alerts owners and managers when spend reaches a threshold of a budget, once per threshold and month.

Figures are read as the policy shows them to everybody: an alert about a unit of too few people would reveal them, so
none is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from insights.query import windows
from orgtree.access.access import aggregates_access
from orgtree.access.who_sees import names_of
from programs.budgets.queries.budgets import NOTICE_COLUMNS, contact_accounts, of_alerts
from programs.budgets.services.outlook import Outlook, outlooks
from programs.models import AlertKind, Budget, BudgetAlert
from programs.reminders.services.planning import PLANNING, store_notices

PERCENT = 100


def alert_of_budgets() -> int:
    """Creates alerts for thresholds newly reached this month; returns their number."""
    at = timezone.now()
    today = at.astimezone(settings.ORGANISATION_TIME_ZONE).date()
    month = today.replace(day=1)
    budgets = list(Budget.objects.in_month(month).select_related("unit"))
    reached = [
        alert for outlook in outlooks(budgets, month, aggregates_access(), now=at) for alert in _reached(outlook)
    ]
    if not reached:
        return 0
    with transaction.atomic():
        PLANNING.hold()
        sent = set(BudgetAlert.objects.filter(month=month).values_list("budget_id", "kind", "percent"))
        new = [alert for alert in reached if (alert.budget_id, alert.kind, alert.percent) not in sent]
        BudgetAlert.objects.bulk_create(new)
        if new:
            store_notices(of_alerts([alert.pk for alert in new], today), now=at, columns=NOTICE_COLUMNS)
    return len(new)


def _reached(outlook: Outlook) -> Iterator[BudgetAlert]:
    budget, spent, forecast = outlook.budget, outlook.spent, outlook.spend.forecast
    if spent is None:
        return
    figures = {"budget": budget, "month": outlook.month, "amount": budget.amount, "spent": spent}
    if budget.spent_percent is not None and spent >= outlook.amount * budget.spent_percent / PERCENT:
        yield BudgetAlert(**figures, kind=AlertKind.SPENT, percent=budget.spent_percent)
    threshold = budget.forecast_percent
    if threshold is not None and forecast is not None and forecast.value >= outlook.amount * threshold / PERCENT:
        interval = forecast.interval
        yield BudgetAlert(
            **figures,
            kind=AlertKind.FORECAST,
            percent=threshold,
            forecast=forecast.value,
            low=interval.low,
            high=interval.high,
        )


def contacts_of(budgets: Sequence[Budget]) -> Mapping[int, list[str]]:
    """Names of the contacts by budget id, owner first, each once.  Budgets come with their owners.

    An owner without an account is named, but receives no alert.
    """
    accounts = contact_accounts([budget.pk for budget in budgets], windows.local_today())
    names = names_of(list(User.objects.filter(pk__in={account for found in accounts.values() for account in found})))
    return {
        budget.pk: list(
            dict.fromkeys(
                [
                    *([budget.owner.full_name] if budget.owner else []),
                    *sorted(names[account] for account in accounts.get(budget.pk, [])),
                ]
            )
        )
        for budget in budgets
    }
