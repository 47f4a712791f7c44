"""What a viewer may see of one pull request's or work item's cost: sums of enough people, and rows as the policy on
individual data allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from insights.catalogue.agents import in_agent_order
from insights.engine.contributions import PERSON, ColumnKind, RowColumn, RowsPage
from insights.pages.ai.costs.subject import Subject
from insights.privacy.visible import visible_page
from insights.privacy.withhold import is_withheld, reason
from insights.query.parameters import EARLIEST
from insights.query.query import Dimension, Query, Window
from insights.ui.filters import Filters
from integrations.code.costs import (
    ABANDONED,
    CostScope,
    CostState,
    CostSum,
    cost_sums,
    count_session_costs,
    session_costs,
)
from orgtree.access.access import Access

LABELS = {
    CostState.MERGED: "Merged",
    CostState.REVERTED: "Merged, then reverted",
    CostState.OPEN: "Open pull requests",
    CostState.DIRECT: "Committed without a pull request",
    CostState.IN_PROGRESS: "Branches in progress",
    CostState.CLOSED: "Closed without a merge",
    CostState.NO_MERGE: "Branches without a pull request",
    CostState.LOST: "Commits that are on no branch any more",
    CostState.NO_COMMIT: "Without a commit or branch",
}
COLUMNS = (
    RowColumn("fact_id", "Session", "Headway's number of the session.", ColumnKind.FACT),
    PERSON,
    RowColumn("started_at", "Started", "The session's first event.", ColumnKind.INSTANT),
    RowColumn("agent", "Agent", "The agent.", ColumnKind.WORD),
    RowColumn(
        "pull_request", "Pull request", "The pull request or work item of this part of the session.", ColumnKind.PLACE
    ),
    RowColumn("state", "State", "Outcome of the work.", ColumnKind.WORD),
    RowColumn("contribution", "Spend", "This part of the session's spend, in US dollars.", ColumnKind.NUMBER),
)


@dataclass(frozen=True)
class Part:
    """The spend of one state."""

    state: CostState
    spend: Decimal


@dataclass(frozen=True)
class Costs:
    """What may be shown of a subject: the total, what was abandoned, states and agents; `hidden` says why nothing may.

    `parts` and `agents` are each empty where one of them would tell of few people; without parts `abandoned` is None.
    """

    spend: Decimal = Decimal(0)
    abandoned: Decimal | None = Decimal(0)
    sessions: int = 0
    unpriced_tokens: int = 0
    parts: Sequence[Part] = ()
    agents: Mapping[str, Decimal] = field(default_factory=dict)
    hidden: str = ""
    of_own: bool = False  # only the viewer's own sessions are counted


def query_of(subject: Subject, filters: Filters) -> Query:
    """The query whose policy the figures have: they are as personal as the spend of a repository."""
    facets = {Dimension.REPOSITORY: (subject.repository or subject.name,)}
    ever = Window(EARLIEST, max(filters.today, filters.window.end))
    return Query("ai.spend", ever, filters.granularity, filters.scope, facets)


def visible_costs(subject: Subject, scope: CostScope, filters: Filters) -> Costs:
    """The subject's figures; of too few people only the viewer's own part."""
    access, query = filters.access, query_of(subject, filters)
    counted = count_session_costs(scope)
    if not is_withheld(query, counted.people, access):
        return _costs(cost_sums(scope), counted.sessions, query, access)
    own = replace(scope, whose=replace(scope.whose, person_id=access.visibility.person_id or 0))
    of_own = count_session_costs(own)
    if not of_own.sessions:
        return Costs(hidden=reason(access))
    own_query = replace(query, scope=replace(query.scope, person_id=access.visibility.person_id))
    return replace(_costs(cost_sums(own), of_own.sessions, own_query, access), of_own=True)


def _costs(sums: Sequence[CostSum], sessions: int, query: Query, access: Access) -> Costs:
    is_hidden = any(is_withheld(query, part.people, access) for part in sums if part.state)
    hides_agents = any(is_withheld(query, part.people, access) for part in sums if part.agent is not None)
    spend = {part.state: part.spend for part in sums if part.state}
    by_agent = {part.agent: part.spend for part in sums if part.agent is not None}
    abandoned = sum((spend[state] for state in ABANDONED if state in spend), Decimal(0))
    return Costs(
        spend=sum(spend.values(), Decimal(0)),
        abandoned=None if is_hidden else abandoned,
        sessions=sessions,
        unpriced_tokens=sum(part.unpriced_tokens for part in sums if part.state),
        parts=() if is_hidden else [Part(state, spend[state]) for state in CostState if state in spend],
        agents={} if hides_agents else {name: by_agent[name] for name in in_agent_order(by_agent)},
    )


def visible_session_costs(subject: Subject, scope: CostScope, filters: Filters, *, page: int, size: int) -> RowsPage:
    """The rows behind the figures, the latest session first; of others only where the policy names people."""
    query = query_of(subject, filters)

    def listed(person_id: int | None) -> RowsPage:
        theirs = scope if person_id is None else replace(scope, whose=replace(scope.whose, person_id=person_id))
        rows = [
            {
                "fact_id": cost.session_id,
                "person_id": cost.person_id,
                "started_at": cost.started_at,
                "agent": cost.agent,
                "pull_request": cost.reference,
                "state": LABELS[cost.state],
                "contribution": float(cost.spend),
            }
            for cost in session_costs(theirs, skipped=(page - 1) * size, size=size)
        ]
        return RowsPage(query, COLUMNS, rows, count_session_costs(theirs).rows, page, size, "Σ contribution")

    return visible_page(query, filters.access, people=count_session_costs(scope).people, read=listed)
