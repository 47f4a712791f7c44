"""The AI cost of one pull request or work item, session by session, for its page.

One row is a session's share behind one pull request, or behind none (`PullRequestShare`); for a work item, it is the
item's part of that share.  The rules are those of integrations/facts/costs.py.  Costs of several records are metrics.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from integrations.facts.costs import spend_behind_item, spend_behind_pull_requests
from orgtree.trees.people_filter import EVERYBODY, PeopleFilter, conditions


class CostState(enum.StrEnum):
    """The outcome of the work that the spend paid for."""

    MERGED = "merged"
    REVERTED = "reverted"  # merged, and taken back by another pull request
    OPEN = "open"
    DIRECT = "direct"  # in counted commits without a pull request
    IN_PROGRESS = "in_progress"  # a branch without a pull request, worked on within the settling time
    CLOSED = "closed"
    NO_MERGE = "no_merge"  # a branch without a pull request
    LOST = "lost"  # commits that no branch holds any more
    NO_COMMIT = "no_commit"  # the repository is known, but neither branch nor commit


ABANDONED = frozenset({CostState.CLOSED, CostState.NO_MERGE, CostState.LOST})


@dataclass(frozen=True)
class CostScope:
    """The pull request or work item whose cost is read; all days count."""

    pull_request_id: int | None = None
    work_item_id: int | None = None
    whose: PeopleFilter = EVERYBODY


@dataclass(frozen=True)
class CostSum:
    """The sum of one state or of one agent; the other field is None."""

    state: CostState | None
    agent: str | None
    spend: Decimal
    people: int
    unpriced_tokens: int


@dataclass(frozen=True)
class SessionCost:
    """One session's part of the cost."""

    session_id: int
    person_id: int | None
    agent: str
    started_at: datetime
    state: CostState
    reference: str  # the pull request's reference; empty without one
    spend: Decimal


_SCOPED = sql.SQL(
    """
    WITH scoped AS (
        SELECT cost.session_id, identity.person_id, session.agent, session.started_at,
               repository.name, pull_request.number,
               CASE WHEN pull_request.id IS NOT NULL AND pull_request.merged_at IS NOT NULL
                    THEN CASE WHEN figures.reverted_by_id IS NULL THEN 'merged' ELSE 'reverted' END
                    WHEN pull_request.id IS NOT NULL
                    THEN CASE WHEN pull_request.state = 'open' THEN 'open' ELSE 'closed' END
                    WHEN cost.via = 'commits' THEN 'direct'
                    WHEN cost.via = 'lost' THEN 'lost'
                    WHEN coalesce(cost.via, 'place') = 'place' THEN 'no_commit'
                    WHEN session.ended_at > %(settled_before)s THEN 'in_progress'
                    ELSE 'no_merge' END AS state,
               cost.spend,
               cost.unpriced_tokens
        FROM ({costs}) AS cost
        JOIN integrations_agentsession session ON session.id = cost.session_id
        JOIN orgtree_identity identity ON identity.id = session.identity_id
        LEFT JOIN integrations_repository repository ON repository.id = cost.repository_id
        LEFT JOIN integrations_pullrequest pull_request ON pull_request.id = cost.pull_request_id
        LEFT JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = cost.pull_request_id
        WHERE true {whose}
    )
    """
)
# Unknown people count as one person, because they may be one.
_PEOPLE = sql.SQL("greatest(count(DISTINCT person_id), least(count(*), 1))")
_SUMMED = sql.SQL(
    """
    SELECT state, agent, coalesce(sum(spend), 0), {people}, coalesce(sum(unpriced_tokens), 0)::bigint
    FROM scoped
    GROUP BY GROUPING SETS ((state), (agent))
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
    """Sums by state, followed by sums by agent."""
    return [CostSum(row[0] and CostState(row[0]), *row[1:]) for row in _read(_SUMMED, scope, {})]


def count_session_costs(scope: CostScope) -> CostCount:
    [row] = _read(_COUNTED, scope, {})
    return CostCount(row[0], row[1], row[2])


def session_costs(scope: CostScope, *, skipped: int, size: int) -> list[SessionCost]:
    """A page of sessions' parts, latest first."""
    rows = _read(_LISTED, scope, {"skipped": skipped, "size": size})
    return [SessionCost(row[0], row[1], row[2], row[3], CostState(row[4]), row[5], row[6]) for row in rows]


def _read(statement: sql.Composable, scope: CostScope, more: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    theirs, values = conditions(
        scope.whose, person=sql.Identifier("identity", "person_id"), day=sql.Identifier("session", "started_on")
    )
    params: dict[str, Any] = {
        # The same cutoff as for the metrics, to the full hour.
        "settled_before": (timezone.now() - settings.SETTLING_TIME).replace(minute=0, second=0, microsecond=0),
        "pull_request": scope.pull_request_id,
        "item": scope.work_item_id,
    }
    is_item = scope.work_item_id is not None
    costs = spend_behind_item("%(item)s") if is_item else spend_behind_pull_requests("SELECT %(pull_request)s")
    with connection.cursor() as cursor:
        cursor.execute(_SCOPED.format(costs=sql.SQL(costs), whose=theirs) + statement, {**params, **values, **more})
        return list(cursor.fetchall())
