"""Turns due reminders into notices and deliveries, in one statement for any number of people.

A unique constraint prevents duplicate notices, so concurrent or restarted planners create each one once.
"""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from core import sql
from core.locks import Lock
from insights.query import windows
from programs.models import Comment, Ticket
from programs.quarters.fiscal_quarters import quarter_at
from programs.reminders.queries import notices
from programs.reminders.queries.notices import (
    COMMENT_COLUMNS,
    NOTICE_COLUMNS,
    POLICY_COLUMNS,
    PULL_REQUEST_COLUMNS,
    SILENCE_COLUMNS,
    Statement,
)
from programs.reminders.services.email import open_channels
from programs.reminders.services.inbox import end_notices

PLANNING = Lock("planning of notices")


def plan_reminders(*, today: date | None = None, now: datetime | None = None) -> int:
    """Creates the notices that are due today, and ends those whose reason has ended; returns the number of new ones."""
    day = today or windows.local_today()
    end_notices(day)
    quarter = quarter_at(day)
    statements = (
        notices.of_due_tickets(day),
        notices.of_overdue_in_teams(day),
        notices.of_check_ins_due(day),
        notices.of_missing_objectives(quarter, day),
    )
    planned = sum(plan_alone(statement, now) for statement in statements)
    moment = now or timezone.now()
    planned += plan_alone(notices.of_broken_agreements(moment, day), now, columns=PULL_REQUEST_COLUMNS)
    planned += plan_alone(notices.of_policy_changes(moment), now, columns=POLICY_COLUMNS)
    return planned + plan_alone(notices.of_silences(), now, columns=SILENCE_COLUMNS)


def plan_alone(statement: Statement, now: datetime | None = None, *, columns: str = NOTICE_COLUMNS) -> int:
    """Runs the statement alone: two planners that insert the same rows in different order could deadlock."""
    with transaction.atomic():
        PLANNING.hold()
        return store_notices(statement, now=now, columns=columns)


def notify_of_comment(comment: Comment) -> int:
    """Stores the notices of a comment in the transaction that stores it; returns their number."""
    people = list(comment.mentions.values_list("pk", flat=True))
    if comment.ticket is not None and comment.ticket.owner_id is not None:
        people.append(comment.ticket.owner_id)
    statement = notices.of_comment(comment.pk, people, windows.local_today())
    return store_notices(statement, columns=COMMENT_COLUMNS)


def notify_of_assignment(ticket: Ticket, *, by: User | None) -> int:
    """Stores the notice of an assignment in the transaction that stores it; returns the number."""
    if ticket.owner_id is None:
        return 0
    return store_notices(
        notices.of_assignment(ticket.pk, ticket.owner_id, by.pk if by else None, windows.local_today())
    )


def store_notices(statement: Statement, *, now: datetime | None = None, columns: str = NOTICE_COLUMNS) -> int:
    """Stores the notices that are new, and for each a delivery by every channel that is configured and wanted.

    `columns` are those of the statement.
    """
    rows, values = statement
    stored = sql.value(
        f"""
        WITH found AS ({rows}), told AS (
            INSERT INTO programs_notice (at, {columns})
            SELECT %(now)s, {columns} FROM found
            ON CONFLICT DO NOTHING
            RETURNING id, account_id, kind
        ), going AS (
            INSERT INTO programs_delivery (notice_id, channel, not_before, left_out)
            SELECT told.id, channel.word, %(now)s, ''
            FROM told
            CROSS JOIN unnest(%(channels)s::text[]) AS channel(word)
            WHERE NOT EXISTS (
                SELECT FROM programs_muted muted
                WHERE muted.account_id = told.account_id AND muted.channel = channel.word
                    AND muted.kind IN ('', told.kind)
            )
        )
        SELECT count(*) FROM told
        """,  # noqa: S608 — the text is made in queries/notices.py; values are passed apart
        {
            **values,
            "now": now or timezone.now(),
            "channels": [channel.word.value for channel in open_channels()],
        },
    )
    return int(stored)
