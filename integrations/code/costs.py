"""What repositories, pull requests and work items cost in AI, and what of it was abandoned: for pages.

One row is a session's share behind one pull request, or behind none (`PullRequestShare`); of a work item, the item's
part of it.  The rules are those of integrations/facts/costs.py.  Days are those of the tokens.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from integrations.facts.costs import SPEND_OF_SHARE
from orgtree.trees.people_filter import EVERYBODY, PeopleFilter, conditions


class CostState(enum.StrEnum):
    """What became of the work that the spend is of."""

    MERGED = "merged"
    REVERTED = "reverted"  # merged, and taken back by another pull request
    OPEN = "open"
    DIRECT = "direct"  # in counted commits that no pull request brought
    IN_PROGRESS = "in_progress"  # a branch without a pull request, worked on within the settling time
    CLOSED = "closed"
    NO_MERGE = "no_merge"  # a branch without a pull request
    LOST = "lost"  # commits that no branch holds any more
    NO_COMMIT = "no_commit"  # the repository is known, and neither branch nor commit


ABANDONED = frozenset({CostState.CLOSED, CostState.NO_MERGE, CostState.LOST})


@dataclass(frozen=True)
class CostScope:
    """At most one of them; none: all repositories.  A window is half-open; without it, all days count."""

    repository_id: int | None = None
    pull_request_id: int | None = None
    work_item_id: int | None = None
    first_day: date | None = None
    day_after: date | None = None
    whose: PeopleFilter = EVERYBODY


@dataclass(frozen=True)
class CostSum:
    """Of one state in one repository.  `name` is empty where the repository is unknown."""

    repository_id: int | None
    name: str
    state: CostState
    spend: Decimal
    sessions: int
    people: int
    unpriced_tokens: int


@dataclass(frozen=True)
class SessionCost:
    """One session's part."""

    session_id: int
    person_id: int | None
    agent: str
    started_at: datetime
    state: CostState
    reference: str  # of the pull request; empty without one
    spend: Decimal


_COSTS = sql.SQL(
    """
    WITH cost AS (
        SELECT session.id AS session_id, identity.person_id, session.agent, session.started_at,
               share.repository_id, repository.name, pull_request.id AS pull_request_id, pull_request.number,
               CASE WHEN pull_request.id IS NOT NULL AND pull_request.merged_at IS NOT NULL
                    THEN CASE WHEN figures.reverted_by_id IS NULL THEN 'merged' ELSE 'reverted' END
                    WHEN pull_request.id IS NOT NULL
                    THEN CASE WHEN pull_request.state = 'open' THEN 'open' ELSE 'closed' END
                    WHEN share.via = 'commits' THEN 'direct'
                    WHEN share.via = 'lost' THEN 'lost'
                    WHEN share.via = 'place' THEN 'no_commit'
                    WHEN session.ended_at > %(settled_before)s THEN 'in_progress'
                    ELSE 'no_merge' END AS state,
               {spend} AS spend,
               spent.unpriced_tokens
        FROM integrations_pullrequestshare share
        JOIN integrations_agentsession session ON session.id = share.session_id
        JOIN orgtree_identity identity ON identity.id = session.identity_id
        CROSS JOIN LATERAL (
            SELECT sum(day.spend) AS spend, sum(day.unpriced_tokens) AS unpriced_tokens
            FROM integrations_agentsessionday day
            WHERE day.session_id = share.session_id AND day.counted {window}
            HAVING count(*) > 0
        ) AS spent
        LEFT JOIN integrations_repository repository ON repository.id = share.repository_id
        LEFT JOIN integrations_pullrequest pull_request ON pull_request.id = share.pull_request_id
        LEFT JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = share.pull_request_id
        WHERE true {scope} {whose}
    )
    """
)
# An item's part of a pull request that is linked to several: the parts sum to the share.
_OF_ITEM = sql.SQL(
    """
    , part AS (
        SELECT cost.*, linked.position, linked.items
        FROM cost
        JOIN (
            SELECT pull_request_id, work_item_id,
                   dense_rank() OVER (PARTITION BY pull_request_id ORDER BY work_item_id) AS position,
                   count(*) OVER (PARTITION BY pull_request_id) AS items
            FROM (SELECT DISTINCT pull_request_id, work_item_id FROM integrations_workitemlink
                  WHERE work_item_id IS NOT NULL
                    AND pull_request_id IN (SELECT pull_request_id FROM integrations_workitemlink
                                            WHERE work_item_id = %(item)s)) AS link
        ) AS linked ON linked.pull_request_id = cost.pull_request_id AND linked.work_item_id = %(item)s
        UNION ALL
        SELECT cost.*, 1, 1 FROM cost WHERE cost.pull_request_id IS NULL
    ), scoped AS (
        SELECT session_id, person_id, agent, started_at, repository_id, name, number, state,
               round(spend * position / items, 10) - round(spend * (position - 1) / items, 10) AS spend, unpriced_tokens
        FROM part
    )
    """
)
_AS_IT_IS = sql.SQL(", scoped AS (SELECT * FROM cost)")
# People whom nobody knows are somebody all the same: one, because they may be.
_PEOPLE = sql.SQL("greatest(count(DISTINCT person_id), least(count(*), 1))")
_SUMMED = sql.SQL(
    """
    SELECT repository_id, coalesce(name, ''), state, coalesce(sum(spend), 0), count(DISTINCT session_id),
           {people}, coalesce(sum(unpriced_tokens), 0)::bigint
    FROM scoped
    GROUP BY 1, 2, 3
    """
).format(people=_PEOPLE)
_LISTED = sql.SQL(
    """
    SELECT session_id, person_id, agent, started_at, state,
           CASE WHEN number IS NULL THEN '' ELSE coalesce(name, '') || '#' || number END, coalesce(spend, 0)
    FROM scoped
    ORDER BY started_at DESC, session_id DESC, 6
    LIMIT %(size)s OFFSET %(skipped)s
    """
)
_COUNTED = sql.SQL("SELECT count(*), count(DISTINCT session_id), {people} FROM scoped").format(people=_PEOPLE)


@dataclass(frozen=True)
class CostCount:
    rows: int
    sessions: int
    people: int


def cost_sums(scope: CostScope) -> list[CostSum]:
    """By repository and state; sessions of which nothing is known are in none."""
    return [
        CostSum(row[0], row[1], CostState(row[2]), row[3], row[4], row[5], row[6]) for row in _read(_SUMMED, scope, {})
    ]


def count_session_costs(scope: CostScope) -> CostCount:
    [row] = _read(_COUNTED, scope, {})
    return CostCount(row[0], row[1], row[2])


def session_costs(scope: CostScope, *, skipped: int, size: int) -> list[SessionCost]:
    """A page of them, the latest first."""
    rows = _read(_LISTED, scope, {"skipped": skipped, "size": size})
    return [SessionCost(row[0], row[1], row[2], row[3], CostState(row[4]), row[5], row[6]) for row in rows]


def _read(statement: sql.Composable, scope: CostScope, more: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    theirs, values = conditions(
        scope.whose, person=sql.Identifier("identity", "person_id"), day=sql.Identifier("session", "started_on")
    )
    params: dict[str, Any] = {
        # The same cutoff as for the metrics, to the full hour.
        "settled_before": (timezone.now() - settings.SETTLING_TIME).replace(minute=0, second=0, microsecond=0),
        "repository": scope.repository_id,
        "pull_request": scope.pull_request_id,
        "item": scope.work_item_id,
        "first": scope.first_day,
        "after": scope.day_after,
    }
    window = sql.SQL("AND day.day >= %(first)s AND day.day < %(after)s" if scope.first_day else "")
    chosen = _COSTS.format(spend=sql.SQL(SPEND_OF_SHARE), window=window, scope=sql.SQL(_condition(scope)), whose=theirs)
    of_item = _OF_ITEM if scope.work_item_id is not None else _AS_IT_IS
    with connection.cursor() as cursor:
        cursor.execute(chosen + of_item + statement, {**params, **values, **more})
        return list(cursor.fetchall())


def _condition(scope: CostScope) -> str:
    if scope.repository_id is not None:
        return "AND share.repository_id = %(repository)s"
    if scope.pull_request_id is not None:
        return "AND share.pull_request_id = %(pull_request)s"
    if scope.work_item_id is not None:
        return """AND (share.pull_request_id IN (SELECT pull_request_id FROM integrations_workitemlink
                                                 WHERE work_item_id = %(item)s)
                       OR share.pull_request_id IS NULL AND session.work_item_id = %(item)s)"""
    return ""
