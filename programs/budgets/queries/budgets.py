"""Budgets that hold in a month, whom their alerts go to, and the notices of these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from django.db.models import QuerySet

from core import sql
from insights.query import windows
from insights.query.errors import UnknownUnitError
from orgtree.models import Unit, UnitPlacement
from orgtree.models.visibility import Visibility
from programs.models import AlertKind, Budget, BudgetAlert, MessageKind
from programs.reminders.queries import recipients
from programs.reminders.queries.notices import Statement

NOTICE_COLUMNS = "account_id, kind, alert_id, number"
# The accounts that alerts of each `watched_budget` (id, unit_id, owner_id) go to: its owner's, and those of
# the unit's managers (of one that nobody manages: of the nearest unit above); of the whole organisation's budget, those
# of its owner and of the executives.
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


def contact_accounts(budgets: Collection[int], today: date) -> Mapping[int, Sequence[int]]:
    """The ids of the accounts that alerts go to, by the budget's id."""
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
    """To the contacts of the alert's budget."""
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
