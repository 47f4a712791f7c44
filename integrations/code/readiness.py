"""Agent readiness of repositories: their context files, and the sessions of people who work there.

Telemetry names no repository.  A session with attributed commits belongs to the repository with most of its lines;
any other to the repository with its person's nearest commit in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from integrations.models import ContextFile, Repository
from orgtree.trees.people_filter import EVERYBODY, PeopleFilter, conditions

NEAREST_WITHIN = "7 days"  # without a commit within a week, a session belongs to no repository


@dataclass(frozen=True)
class SessionsNearby:
    """The sessions of a window that belong to one repository, summed."""

    sessions: int = 0
    people: int = 0  # whose sessions they are
    spend: Decimal = Decimal(0)
    settled_spend: Decimal = Decimal(0)  # of sessions that are not pending
    wasted_spend: Decimal = Decimal(0)  # of those, without an attributed commit
    tool_calls: int = 0
    tool_failures: int = 0
    lines_generated: int = 0  # in sessions that are not pending
    lines_shipped: int = 0


@dataclass(frozen=True)
class RepositoryReadiness:
    name: str
    context_files: Sequence[ContextFile]  # present ones, the oldest first
    nearby: SessionsNearby = field(default_factory=SessionsNearby)


def readiness(first_day: date, day_after: date, people_filter: PeopleFilter = EVERYBODY) -> list[RepositoryReadiness]:
    """Every repository by name, with the sessions of these people that started in [first_day, day_after)."""
    files: dict[int, list[ContextFile]] = {}
    for file in ContextFile.objects.filter(present_to=None).order_by("present_from", "path"):
        files.setdefault(file.repository_id, []).append(file)
    nearby = _sessions_nearby(first_day, day_after, people_filter)
    return [
        RepositoryReadiness(repository.name, files.get(repository.pk, []), nearby.get(repository.pk, SessionsNearby()))
        for repository in Repository.objects.counted().order_by("name")
    ]


def _settled_before() -> datetime:
    """The same cutoff as for the metrics, to the full hour."""
    return (timezone.now() - settings.SETTLING_TIME).replace(minute=0, second=0, microsecond=0)


# One row per session that belongs to a repository; {theirs} filters by people.
SESSIONS_PLACED = sql.SQL(
    """
    WITH session AS (
        SELECT session.id, identity.person_id, session.agent, session.started_at, session.lines_added,
               session.committed,
               session.committed OR (session.covered AND session.ended_at < %(settled_before)s) AS is_settled
        FROM integrations_agentsession session
        JOIN orgtree_identity identity ON identity.id = session.identity_id
        WHERE session.has_work AND session.started_on >= %(first)s AND session.started_on < %(after)s
        {theirs}
    ), placed AS (
        SELECT session.*, home.repository_id, home.lines_of_session AS lines
        FROM session
        CROSS JOIN LATERAL (
            SELECT repository_id, min(lines_of_session) AS lines_of_session FROM integrations_sessionshare
            WHERE session_id = session.id
            GROUP BY repository_id
            ORDER BY sum(lines) DESC, repository_id LIMIT 1
        ) AS home
        UNION ALL
        SELECT session.*, home.repository_id, 0
        FROM session
        CROSS JOIN LATERAL (
            SELECT nearby.home_id AS repository_id
            FROM orgtree_identity identity
            JOIN integrations_commit nearby ON nearby.credited_id = identity.id AND nearby.set_apart = ''
                AND nearby.authored_at > session.started_at - %(within)s::interval
                AND nearby.authored_at < session.started_at + %(within)s::interval
            WHERE identity.person_id = session.person_id AND nearby.home_id IS NOT NULL
            ORDER BY abs(extract(epoch FROM nearby.authored_at - session.started_at)), nearby.home_id
            LIMIT 1
        ) AS home
        WHERE NOT session.committed
    ), figures AS (
        SELECT session_id, sum(spend) AS spend, sum(tool_calls) AS calls, sum(tool_failures) AS failures
        FROM integrations_agentsessionday
        WHERE counted AND day >= %(first)s
        GROUP BY session_id
    ), session_facts AS (
        SELECT placed.id AS session_id, placed.person_id, placed.agent, placed.started_at, placed.repository_id,
               1 AS sessions,
               coalesce(figures.spend, 0) AS spend,
               CASE WHEN placed.is_settled THEN coalesce(figures.spend, 0) ELSE 0 END AS settled_spend,
               CASE WHEN placed.is_settled AND NOT placed.committed THEN coalesce(figures.spend, 0) ELSE 0 END
                   AS wasted_spend,
               coalesce(figures.calls, 0) AS tool_calls,
               coalesce(figures.failures, 0) AS tool_failures,
               CASE WHEN placed.is_settled THEN placed.lines_added ELSE 0 END AS lines_generated,
               CASE WHEN placed.is_settled AND placed.lines_added > 0 THEN placed.lines ELSE 0 END AS lines_shipped
        FROM placed
        LEFT JOIN figures ON figures.session_id = placed.id
    )
    """
)
SUMMED = sql.SQL(
    """
    SELECT repository_id, count(*) AS sessions, count(DISTINCT person_id) AS people, sum(spend) AS spend,
           sum(settled_spend) AS settled_spend, sum(wasted_spend) AS wasted_spend,
           sum(tool_calls)::bigint AS tool_calls, sum(tool_failures)::bigint AS tool_failures,
           sum(lines_generated)::bigint AS lines_generated, sum(lines_shipped)::bigint AS lines_shipped
    FROM session_facts
    GROUP BY repository_id
    """
)
# The sessions of one repository that contribute to the requested figures.
COUNTED = sql.SQL(
    """
    SELECT count(*) AS sessions, count(DISTINCT person_id) AS people
    FROM session_facts
    WHERE repository_id = (SELECT id FROM integrations_repository WHERE name = %(repository)s) AND ({adds})
    """
)
LISTED = sql.SQL(
    """
    SELECT session_id, person_id, agent, started_at, sessions, spend, settled_spend, wasted_spend, tool_calls,
           tool_failures, lines_generated, lines_shipped
    FROM session_facts
    WHERE repository_id = (SELECT id FROM integrations_repository WHERE name = %(repository)s) AND ({adds})
    ORDER BY started_at DESC, session_id DESC
    LIMIT %(size)s OFFSET %(skipped)s
    """
)


@dataclass(frozen=True)
class SessionNearby:
    """One session and its contribution to its repository's figures; field names as in SessionsNearby."""

    session_id: int
    person_id: int | None
    agent: str
    started_at: datetime
    spend: Decimal
    settled_spend: Decimal
    wasted_spend: Decimal
    tool_calls: int
    tool_failures: int
    lines_generated: int
    lines_shipped: int
    sessions: int  # 1


@dataclass(frozen=True)
class SessionsQuery:
    """Query for sessions that contribute to figures of a repository in [first_day, day_after).

    `figures` are names of SessionNearby's fields.  Without a repository of that name there are none.
    """

    repository: str
    figures: Sequence[str]
    first_day: date
    day_after: date
    whose: PeopleFilter = EVERYBODY


@dataclass(frozen=True)
class SessionCount:
    sessions: int
    people: int  # whose they are


def count_sessions_near(query: SessionsQuery) -> SessionCount:
    [row] = _of_repository(COUNTED, query, {})
    return SessionCount(**row)


def sessions_near(query: SessionsQuery, *, skipped: int, size: int) -> list[SessionNearby]:
    """A page of them, the latest first."""
    return [SessionNearby(**row) for row in _of_repository(LISTED, query, {"skipped": skipped, "size": size})]


def _of_repository(statement: sql.SQL, query: SessionsQuery, more: Mapping[str, int]) -> list[dict[str, Any]]:
    adds = sql.SQL(" OR ").join(sql.SQL("{} <> 0").format(sql.Identifier(name)) for name in query.figures)
    values = {"repository": query.repository, **more}
    return _rows_of(statement.format(adds=adds), query.first_day, query.day_after, query.whose, values)


def _sessions_nearby(first_day: date, day_after: date, people_filter: PeopleFilter) -> Mapping[int, SessionsNearby]:
    rows = _rows_of(SUMMED, first_day, day_after, people_filter, {})
    return {row.pop("repository_id"): SessionsNearby(**row) for row in rows}


def _rows_of(
    statement: sql.Composable, first_day: date, day_after: date, people_filter: PeopleFilter, more: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The rows of a statement over the sessions that belong to repositories, by column."""
    theirs, values = conditions(
        people_filter, person=sql.Identifier("identity", "person_id"), day=sql.Identifier("session", "started_on")
    )
    params: dict[str, Any] = {
        "first": first_day,
        "after": day_after,
        "settled_before": _settled_before(),
        "within": NEAREST_WITHIN,
    }
    with connection.cursor() as cursor:
        cursor.execute(SESSIONS_PLACED.format(theirs=theirs) + statement, {**params, **values, **more})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
