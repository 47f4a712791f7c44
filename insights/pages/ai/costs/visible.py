"""What of the costs a viewer may see: sums of enough people, and rows as the policy on individual data allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from insights.engine.contributions import PERSON, ColumnKind, RowColumn, RowsPage
from insights.pages.ai.costs.subject import Subject
from insights.privacy.visible import visible_page
from insights.privacy.withhold import is_withheld, reason
from insights.query.query import Dimension, Query
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
    CostState.LOST: "Commits that no branch holds any more",
    CostState.NO_COMMIT: "Without a commit or branch",
}
COLUMNS = (
    RowColumn("fact_id", "Session", "Headway's number of the session.", ColumnKind.FACT),
    PERSON,
    RowColumn("started_at", "Started", "The session's first event.", ColumnKind.INSTANT),
    RowColumn("agent", "Agent", "The agent.", ColumnKind.WORD),
    RowColumn("pull_request", "Pull request", "Behind which this part of the session is.", ColumnKind.PLACE),
    RowColumn("state", "State", "What became of the work.", ColumnKind.WORD),
    RowColumn("contribution", "Spend", "This part of the session's spend, in US dollars.", ColumnKind.NUMBER),
)


@dataclass(frozen=True)
class Part:
    """The spend of one state."""

    state: CostState
    spend: Decimal


@dataclass(frozen=True)
class RepositoryCost:
    """`abandoned` is None where it would tell of few people."""

    name: str
    spend: Decimal
    abandoned: Decimal | None
    sessions: int


@dataclass(frozen=True)
class Costs:
    """What may be shown of a subject: the total, what was abandoned, and each state; `hidden` says why nothing may.

    `parts` is empty where one of them would tell of few people, and then `abandoned` may be None.
    """

    spend: Decimal = Decimal(0)
    abandoned: Decimal | None = Decimal(0)
    sessions: int = 0
    unpriced_tokens: int = 0
    parts: Sequence[Part] = ()
    hidden: str = ""
    of_own: bool = False  # only the viewer's own sessions are counted


def query_of(subject: Subject, filters: Filters) -> Query:
    """The query whose policy the figures have: they are as personal as the spend of a repository."""
    facets = {Dimension.REPOSITORY: (subject.repository or subject.name,)}
    return Query("ai.spend", subject.window, filters.granularity, filters.scope, facets)


def visible_costs(subject: Subject, filters: Filters) -> Costs:
    """The subject's figures; of too few people only the viewer's own part."""
    access, query = filters.access, query_of(subject, filters)
    counted = count_session_costs(subject.scope)
    if not is_withheld(query, counted.people, access):
        return _costs(cost_sums(subject.scope), counted.sessions, query, access)
    own = _own(subject.scope, access)
    of_own = count_session_costs(own)
    if not of_own.sessions:
        return Costs(hidden=reason(access))
    own_query = replace(query, scope=replace(query.scope, person_id=access.visibility.person_id))
    return replace(_costs(cost_sums(own), of_own.sessions, own_query, access), of_own=True)


def _own(scope: CostScope, access: Access) -> CostScope:
    return replace(scope, whose=replace(scope.whose, person_id=access.visibility.person_id or 0))


def _costs(sums: Sequence[CostSum], sessions: int, query: Query, access: Access) -> Costs:
    spend: dict[CostState, Decimal] = defaultdict(Decimal)
    people: dict[CostState, int] = defaultdict(int)
    for found in sums:
        spend[found.state] += found.spend
        people[found.state] = max(people[found.state], found.people)
    is_hidden = any(is_withheld(query, number, access) for number in people.values())
    return Costs(
        spend=sum(spend.values(), Decimal(0)),
        abandoned=None if is_hidden else _abandoned(sums),
        sessions=sessions,
        unpriced_tokens=sum(found.unpriced_tokens for found in sums),
        parts=() if is_hidden else [Part(state, spend[state]) for state in CostState if state in spend],
    )


def _abandoned(sums: Sequence[CostSum]) -> Decimal:
    return sum((found.spend for found in sums if found.state in ABANDONED), Decimal(0))


def visible_repositories(subject: Subject, filters: Filters) -> tuple[list[RepositoryCost], int]:
    """Repositories by spend, the greatest first, and how many are hidden because of few people.

    Where one is hidden, the one of the fewest people beside it is, too: else it could be computed from the whole.
    """
    access = filters.access
    by_name: dict[str, list[CostSum]] = defaultdict(list)
    for found in cost_sums(subject.scope):
        by_name[found.name].append(found)
    people = {name: count_people(subject.scope, sums[0].repository_id, sums) for name, sums in by_name.items()}
    queries = {name: query_of(replace(subject, name=name), filters) for name in by_name}
    hidden = {name for name in by_name if is_withheld(queries[name], people[name], access)}
    if hidden and len(hidden) < len(by_name):
        hidden.add(min(by_name.keys() - hidden, key=lambda name: (people[name], name)))
    rows = []
    for name, sums in by_name.items():
        if name in hidden:
            continue
        sides = [
            max((found.people for found in sums if (found.state in ABANDONED) == side), default=0)
            for side in (True, False)
        ]
        few = any(is_withheld(queries[name], number, access) for number in sides)
        spend = sum((found.spend for found in sums), Decimal(0))
        rows.append(
            RepositoryCost(name, spend, None if few else _abandoned(sums), sum(found.sessions for found in sums))
        )
    return sorted(rows, key=lambda row: (-row.spend, row.name)), len(hidden)


def count_people(scope: CostScope, repository_id: int | None, sums: Sequence[CostSum]) -> int:
    """The people behind a repository: of one state they are known, of several they may be the same."""
    return (
        sums[0].people
        if len(sums) == 1 or repository_id is None
        else (count_session_costs(replace(scope, repository_id=repository_id)).people)
    )


def visible_session_costs(subject: Subject, filters: Filters, *, page: int, size: int) -> RowsPage:
    """The rows behind the figures, the latest session first; of others only where the policy names people."""
    query = query_of(subject, filters)

    def listed(person_id: int | None) -> RowsPage:
        scope = subject.scope
        if person_id is not None:
            scope = replace(scope, whose=replace(scope.whose, person_id=person_id))
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
            for cost in session_costs(scope, skipped=(page - 1) * size, size=size)
        ]
        return RowsPage(query, COLUMNS, rows, count_session_costs(scope).rows, page, size, "Σ contribution")

    return visible_page(query, filters.access, people=count_session_costs(subject.scope).people, read=listed)
