"""Notices of budgets whose threshold was reached, with their recipients."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from programs.models import AlertKind, MessageKind
from programs.reminders.queries import recipients
from programs.reminders.queries.notices import Statement

NOTICE_COLUMNS = "account_id, kind, alert_id, number"


def of_alerts(alerts: Collection[int], today: date) -> Statement:
    """To the budget's owner and the unit's managers (of one that nobody manages: those of the nearest unit above); of
    the whole organisation's budget, to its owner and the executives."""
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}, {recipients.UNITS_ABOVE}, {recipients.MANAGERS_OF_UNITS}, reached AS (
            SELECT alert.id AS alert_id, budget.unit_id, budget.owner_id,
                CASE alert.kind WHEN %(forecast)s THEN %(budget_forecast)s ELSE %(budget_spent)s END AS kind
            FROM programs_budgetalert alert JOIN programs_budget budget ON budget.id = alert.budget_id
            WHERE alert.id = ANY(%(alerts)s)
        ), candidate AS (
            SELECT reached.alert_id, manager.account_id,
                rank() OVER (PARTITION BY reached.alert_id ORDER BY above.steps) AS place
            FROM reached
            JOIN above ON above.unit_id = reached.unit_id
            JOIN manager ON manager.unit_id = above.ancestor_id
            UNION ALL
            SELECT reached.alert_id, executive.account_id, 1 FROM reached CROSS JOIN executive
            WHERE reached.unit_id IS NULL
            UNION ALL
            SELECT reached.alert_id, account_of.account_id, 1
            FROM reached JOIN account_of ON account_of.person_id = reached.owner_id
        )
        SELECT DISTINCT candidate.account_id, reached.kind, reached.alert_id, 0 AS number
        FROM candidate JOIN reached USING (alert_id)
        WHERE candidate.place = 1
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {
            **recipients.of_everybody(today),
            "alerts": list(alerts),
            "forecast": AlertKind.FORECAST.value,
            "budget_forecast": MessageKind.BUDGET_FORECAST.value,
            "budget_spent": MessageKind.BUDGET_SPENT.value,
        },
    )
