"""The visible cost of one pull request or work item: sums over enough people, and rows as far as the policy on
individual data allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from insights.catalogue.agents import in_agent_order
from insights.engine.contributions import PERSON, ColumnKind, RowColumn, RowsPage
from insights.privacy.visible import visible_page
from insights.privacy.withhold import is_withheld, reason
from insights.query.errors import QueryError
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
from integrations.delivery.records.visible import visible_pull_requests, visible_work_items
from integrations.models import Repository, WorkItem
from orgtree.access.access import Access
from orgtree.trees.people_filter import EVERYBODY

KINDS = ("repository", "pull_request", "work_item")
LONGEST_NUMBER = 18
ONE = 1  # person: figures of nobody are treated like those of one person
_PULL_REQUEST = re.compile(r"(?P<repository>.+)#(?P<number>[0-9]{1,9})")


@dataclass(frozen=True)
class Subject:
    """The subject of the page: `kind` is one of KINDS, or empty for all repositories; a pull request and a work item
    have a `scope`.
    """

    kind: str = ""
    value: str = ""
    name: str = "Repositories"
    title: str = ""
    repository: str = ""  # the repository whose privacy rules apply to the figures
    record_url: str = ""
    scope: CostScope | None = None

    @property
    def parameters(self) -> Mapping[str, str]:
        return {self.kind: self.value} if self.kind else {}


def read_subject(request: HttpRequest, filters: Filters) -> Subject:
    """The subject of the page.  Raises QueryError for more than one or an invalid id, Http404 for an invisible one."""
    named = [kind for kind in KINDS if request.GET.get(kind)]
    if len(named) > 1:
        raise QueryError(named[1], f"Choose either a {_words(named[0])} or a {_words(named[1])}.")
    if not named:
        return Subject()
    [kind], value = named, request.GET[named[0]]
    if kind == "repository":
        get_object_or_404(Repository, name=value)
        return Subject(kind, value, value, repository=value)
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER):
        raise QueryError(kind, f"It must be the number of a {_words(kind)}.")
    return _pull_request(value, filters) if kind == "pull_request" else _work_item(value, filters)


def _pull_request(pk: str, filters: Filters) -> Subject:
    found = get_object_or_404(visible_pull_requests(filters.access).select_related("repository"), pk=pk)
    return Subject(
        "pull_request",
        pk,
        f"{found.repository.name}#{found.number}",
        found.title,
        found.repository.name,
        reverse("pull_request", args=[found.pk]),
        CostScope(pull_request_id=found.pk, whose=filters.people_filter),
    )


def _work_item(pk: str, filters: Filters) -> Subject:
    found = get_object_or_404(visible_work_items(filters.access), pk=pk)
    return Subject(
        "work_item",
        pk,
        found.key,
        found.title,
        "",
        reverse("work_item", args=[found.pk]),
        CostScope(work_item_id=found.pk, whose=filters.people_filter),
    )


def named_in(text: str, access: Access) -> Mapping[str, str] | None:
    """The parameter that refers to `text`: acme/shop, acme/shop#12 or SHOP-12; None if nothing has this name."""
    if "\x00" in text:
        return None
    if match := _PULL_REQUEST.fullmatch(text):
        pull_request = (
            visible_pull_requests(access)
            .filter(repository__name__iexact=match["repository"].strip(), number=int(match["number"]))
            .first()
        )
        if pull_request is not None:
            return {"pull_request": str(pull_request.pk)}
    repository = Repository.objects.filter(name__iexact=text).first()
    if repository is not None:
        return {"repository": repository.name}
    item: WorkItem | None = visible_work_items(access).filter(key__iexact=text).order_by("pk").first()
    return {"work_item": str(item.pk)} if item is not None else None


def _words(kind: str) -> str:
    return kind.replace("_", " ")


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
class Costs:
    """The visible costs of a subject: the total, by state and by agent; `hidden` is the reason if nothing is visible.

    `states` and `agents` are each empty if they would reveal figures of few people.
    """

    spend: Decimal = Decimal(0)
    sessions: int = 0
    unpriced_tokens: int = 0
    states: Mapping[CostState, Decimal] = field(default_factory=dict)
    agents: Mapping[str, Decimal] = field(default_factory=dict)
    hidden: str = ""
    of_own: bool = False  # only the viewer's own sessions are counted

    @property
    def abandoned(self) -> Decimal | None:
        """The cost of abandoned work; None if states are hidden."""
        abandoned = (spend for state, spend in self.states.items() if state in ABANDONED)
        return sum(abandoned, Decimal(0)) if self.states else None


def query_of(subject: Subject, filters: Filters) -> Query:
    """The query whose policy applies to the figures: they are as personal as the spend of a repository."""
    facets = {Dimension.REPOSITORY: (subject.repository or subject.name,)}
    ever = Window(EARLIEST, max(filters.today, filters.window.end))
    return Query("ai.spend", ever, filters.granularity, filters.scope, facets)


def visible_costs(subject: Subject, scope: CostScope, filters: Filters) -> Costs:
    """The subject's figures; if they are of too few people, or of nobody, only the viewer's own part.

    Few people work on one pull request or item, so the fact that nobody used an agent would reveal as much about them.
    For a unit's part, the people whom it leaves out must be enough as well, and it is not divided any further.
    """
    access, query = filters.access, query_of(subject, filters)
    counted, everybody = count_session_costs(scope), count_session_costs(replace(scope, whose=EVERYBODY))
    groups = [counted.people]
    if is_part := counted.sessions < everybody.sessions:
        groups.append(everybody.people - counted.people)
    if not any(is_withheld(query, people or ONE, access) for people in groups):
        costs = _costs(cost_sums(scope), counted.sessions, query, access)
        return replace(costs, states={}, agents={}) if is_part and is_withheld(query, ONE, access) else costs
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
    return Costs(
        spend=sum(spend.values(), Decimal(0)),
        sessions=sessions,
        unpriced_tokens=sum(part.unpriced_tokens for part in sums if part.state),
        states={} if is_hidden else {state: spend[state] for state in CostState if state in spend},
        agents={} if hides_agents else {name: by_agent[name] for name in in_agent_order(by_agent)},
    )


def visible_session_costs(subject: Subject, scope: CostScope, filters: Filters, *, page: int, size: int) -> RowsPage:
    """The rows behind the figures, the latest session first; those of other people only if the policy names people."""
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

    return visible_page(query, filters.access, people=count_session_costs(scope).people or ONE, read=listed)
