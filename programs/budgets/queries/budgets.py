"""Budgets in force in a month, the recipients of their alerts, and the notices of these alerts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from core import sql
from core.list_filters import ViewerFilters
from orgtree.access.access import Access
from programs.budgets.queries.months import requested_month
from programs.models import AlertKind, Budget, BudgetAlert, MessageKind
from programs.reminders.queries import recipients
from programs.reminders.queries.notices import Statement
from programs.requests.visible import UnitFilter

NOTICE_COLUMNS = "account_id, kind, alert_id, number"
# The accounts that receive the alerts of each `watched_budget` (id, unit_id, owner_id): those of its owner and of the
# unit's managers (if it has none, of the nearest unit above that does); for the whole organisation's budget, those of
# its owner and of the executives.
_CONTACTS = f"""
    {recipients.ACCOUNTS_OF_PEOPLE}, {recipients.UNITS_ABOVE}, {recipients.MANAGERS_OF_UNITS}, candidate AS (
        SELECT budget.id AS budget_id, manager.account_id,
            rank() OVER (PARTITION BY budget.id ORDER BY above.steps) AS place
        FROM watched_budget budget
        JOIN above ON above.unit_id = budget.unit_id
        JOIN manager ON manager.unit_id = above.ancestor_id
        UNION ALL
        SELECT budget.id, executive.account_id, 1 FROM watched_budget budget CROSS JOIN executive
        WHERE budget.unit_id IS NULL
        UNION ALL
        SELECT budget.id, account_of.account_id, 1
        FROM watched_budget budget JOIN account_of ON account_of.person_id = budget.owner_id
    ), contact AS (
        SELECT DISTINCT budget_id, account_id FROM candidate WHERE place = 1
    )
"""  # noqa: S608 — put together from texts of this package


class BudgetFilters(ViewerFilters):
    """The budgets of a month that the viewer may see and that match the filters, with unit, owner and author."""

    month = django_filters.CharFilter(method="of_month", help_text="2026-11; by default this one.")
    unit = UnitFilter(help_text="Slug: its budgets, and those of units below it.")

    def visible(self, access: Access) -> QuerySet[Budget]:
        return Budget.objects.within(access.visibility).select_related("unit", "owner", "written_by")

    @property
    def qs(self) -> QuerySet[Budget]:
        """The filtered budgets.  Raises FieldError, UnknownUnitError."""
        return self.of_month(super().qs)

    def of_month(self, budgets: Any, *_: str) -> QuerySet[Budget]:
        listed: QuerySet[Budget] = budgets.in_month(requested_month(self.chosen))
        return listed


def visible_budget(pk: int, access: Access) -> Budget:
    """A budget with its unit and owner.  Raises Http404 for an unknown or hidden budget."""
    seen = Budget.objects.within(access.visibility).select_related("unit", "owner")
    return get_object_or_404(seen, pk=pk)


def alerts_sent(budgets: Collection[Budget], month: date) -> Mapping[int, Sequence[BudgetAlert]]:
    """The alerts sent in the month, by budget id, earliest first."""
    sent: dict[int, list[BudgetAlert]] = defaultdict(list)
    for alert in BudgetAlert.objects.filter(budget__in=budgets, month=month).order_by("at", "pk"):
        sent[alert.budget_id].append(alert)
    return sent


def contact_accounts(budgets: Collection[int], today: date) -> Mapping[int, Sequence[int]]:
    """The ids of the accounts that receive alerts, by budget id."""
    rows = sql.rows(
        f"""
        WITH watched_budget AS (
            SELECT id, unit_id, owner_id FROM programs_budget WHERE id = ANY(%(budgets)s)
        ), {_CONTACTS}
        SELECT budget_id, array_agg(account_id ORDER BY account_id) FROM contact GROUP BY budget_id
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {**recipients.of_everybody(today), "budgets": list(budgets)},
    )
    return dict(rows)


def of_alerts(alerts: Collection[int], today: date) -> Statement:
    """Addresses each alert to the contacts of its budget."""
    return (
        f"""
        WITH reached AS (
            SELECT alert.id AS alert_id, alert.budget_id,
                CASE alert.kind WHEN %(forecast)s THEN %(budget_forecast)s ELSE %(budget_spent)s END AS kind
            FROM programs_budgetalert alert
            WHERE alert.id = ANY(%(alerts)s)
        ), watched_budget AS (
            SELECT id, unit_id, owner_id FROM programs_budget WHERE id IN (SELECT budget_id FROM reached)
        ), {_CONTACTS}
        SELECT contact.account_id, reached.kind, reached.alert_id, 0 AS number
        FROM reached JOIN contact USING (budget_id)
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {
            **recipients.of_everybody(today),
            "alerts": list(alerts),
            "forecast": AlertKind.FORECAST.value,
            "budget_forecast": MessageKind.BUDGET_FORECAST.value,
            "budget_spent": MessageKind.BUDGET_SPENT.value,
        },
    )
