"""The page `/insights/ai/costs/`: AI cost of a subject, its abandoned part, and its sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.csv_export import csv_response
from core.page_links import PAGE_SIZE, links_of_page, read_page
from core.views import page_view
from insights.catalogue.agents import agent_name, in_agent_order
from insights.engine.contributions import LARGEST_PAGE, RowsPage
from insights.pages.ai.costs.repositories import (
    ABANDONED,
    BY_ANCESTOR,
    BY_REPOSITORY,
    SPEND,
    ancestor_tables,
    csv_lines,
    hidden_repositories,
    repository_lines,
)
from insights.pages.ai.costs.visible import (
    LABELS,
    Costs,
    Subject,
    named_in,
    read_subject,
    visible_costs,
    visible_session_costs,
)
from insights.pages.ai.spend import BY_OUTCOME, outcome_shares
from insights.pages.ai.tabs import AI_PAGE
from insights.pages.answers import PageQuery, figures_view
from insights.pages.drawing import Share, rows_of_part, shares
from insights.pages.filter_bar import head_of_window
from insights.pages.rows import row_table, rows_file
from insights.privacy.visible import visible_rows
from insights.query.query import Dimension
from insights.ui import tiles, wording
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_navigation
from integrations.code.costs import ABANDONED as ABANDONED_STATES
from integrations.code.costs import CostScope

SpendLine = tuple[Share, str, bool]
"""A part of the spend, the address of its rows, if they can be opened, and whether it was abandoned."""

LONGEST_SEARCH = 200
BY_AGENT = PageQuery(SPEND, Dimension.AGENT, whole=True)
OF_A_REPOSITORY = (PageQuery(SPEND, compared=True), PageQuery(ABANDONED, compared=True), BY_OUTCOME, BY_AGENT)


def _filters_of(request: HttpRequest) -> Filters:
    """The filters without facets, and without carrying a repository: in the address it is the subject of the page."""
    filters = filters_of(request, facets=())
    return replace(filters, carried=[pair for pair in filters.carried if pair[0] != Dimension.REPOSITORY.value])


@figures_view
def ai_costs(request: HttpRequest) -> HttpResponseBase:
    filters = _filters_of(request)
    search = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    if search:
        chosen = named_in(search, filters.access)
        if chosen is not None:
            return redirect(filters.url(reverse("ai_costs"), **chosen))
    subject = read_subject(request, filters)
    around = scope_navigation(request, filters)
    context: dict[str, Any] = {
        "subject": subject,
        **head_of_window(filters, around, request.path, lambda other: _url(other, subject), subject.parameters),
        "search": search,
        "not_found": bool(search),
        "fields": filters.parameters(),
        "all_url": filters.url(reverse("ai_costs")),
    }
    if subject.scope is not None:
        context |= {"days": "", "ranges": (), **_of_record(request, subject, subject.scope, filters)}
    elif subject.kind:
        context |= _of_repository(request, subject, filters)
    else:
        context |= _of_repositories(filters)
    return render(request, "insights/costs/costs.html", context)


@page_view
def ai_costs_csv(request: HttpRequest) -> HttpResponseBase:
    """The rows behind a record's figures; for all repositories, their figures."""
    filters = _filters_of(request)
    subject = read_subject(request, filters)
    if subject.scope is None:
        if subject.kind:
            return redirect(_of(subject, filters).url(reverse("metric_rows_csv", args=[SPEND])))
        return csv_response(
            "headway-ai-costs", csv_lines(repository_lines(AI_PAGE.read(filters, BY_REPOSITORY), filters))
        )
    scope = subject.scope

    def page_of(number: int) -> RowsPage:
        return visible_session_costs(subject, scope, filters, page=number, size=LARGEST_PAGE)

    return rows_file("headway-ai-cost-rows", page_of)


def _of(subject: Subject, filters: Filters) -> Filters:
    return replace(filters, facets={Dimension.REPOSITORY: (subject.value,)})


def _of_repositories(filters: Filters) -> dict[str, Any]:
    answers = AI_PAGE.read(filters, (*BY_REPOSITORY, *BY_ANCESTOR))
    return {
        "repositories": repository_lines(answers, filters),
        "hidden": hidden_repositories(answers),
        "ancestors": ancestor_tables(answers),
        "csv_url": filters.url(reverse("ai_costs_csv")),
    }


def _of_repository(request: HttpRequest, subject: Subject, filters: Filters) -> dict[str, Any]:
    """The context of a repository's costs: its metrics and the rows of its spend."""
    narrowed = _of(subject, filters)
    answers = AI_PAGE.read(narrowed, OF_A_REPOSITORY)
    pull_requests = answers.figure(ABANDONED).sample_size
    page = read_page(request)
    rows = visible_rows(narrowed.query(SPEND), filters.access, page=page, size=PAGE_SIZE)
    return {
        "tiles": [
            answers.tile(SPEND, sample=wording.count(answers.figure(SPEND).sample_size, "session")),
            answers.tile(ABANDONED, label="Abandoned", sample=wording.count(pull_requests, "closed pull request")),
        ],
        "states": [(share, "", False) for share in outcome_shares(answers)],
        "agents": _agents(
            {name: figure.value or 0.0 for name, figure in answers.split(SPEND, Dimension.AGENT).items()}, narrowed
        ),
        **_rows(rows, page, subject, filters),
    }


def _of_record(request: HttpRequest, subject: Subject, scope: CostScope, filters: Filters) -> dict[str, Any]:
    """The context for the cost of a pull request or a work item."""
    costs = visible_costs(subject, scope, filters)
    page = read_page(request)
    rows = visible_session_costs(subject, scope, filters, page=page, size=PAGE_SIZE)
    return {
        "of_own": costs.of_own,
        "tiles": _tiles(costs),
        "states": _states(costs),
        "agents": _agents({name: float(spend) for name, spend in costs.agents.items()}),
        **_rows(rows, page, subject, filters),
    }


def _rows(rows: RowsPage, page: int, subject: Subject, filters: Filters) -> dict[str, Any]:
    return {
        "note": rows.note,
        "table": row_table(rows, folds=False, record_page="ai_session"),
        **links_of_page(
            page, rows.rows, rows.total, lambda number: _url(filters, subject, page=number), size=PAGE_SIZE
        ),
        "csv_url": filters.url(reverse("ai_costs_csv"), **subject.parameters),
    }


def _tiles(costs: Costs) -> list[tiles.Tile]:
    if costs.hidden:
        return [tiles.Tile("cost", "Spend", None, state="hidden", reason=costs.hidden)]
    sample = wording.count(costs.sessions, "session") + (" of yours" if costs.of_own else "")
    unpriced = f"excludes {wording.compact(costs.unpriced_tokens)} tokens without a price"
    if not costs.sessions:
        return [tiles.Tile("cost", "Spend", None, state="no_data", reason="No agent session is known for it.")]
    spend = tiles.Tile(
        "cost",
        "Spend",
        wording.money(float(costs.spend)),
        sample=sample,
        note=unpriced if costs.unpriced_tokens else "",
    )
    if costs.abandoned is None:
        reason = "Hidden: by outcome, it would reveal a group of few people."
        return [spend, tiles.Tile("abandoned", "Abandoned", None, state="hidden", reason=reason)]
    share = f"{wording.percent_of(float(costs.abandoned), float(costs.spend))} of the spend"
    return [spend, tiles.Tile("abandoned", "Abandoned", wording.money(float(costs.abandoned)), sample=share)]


def _states(costs: Costs) -> list[SpendLine]:
    spend = {state.value: float(amount) for state, amount in costs.states.items()}
    labels = {state.value: label for state, label in LABELS.items()}
    parts = shares(spend, "currency", role="outcome", labels=labels, most=len(LABELS))
    return [(share, "", share.key in ABANDONED_STATES) for share in parts]


def _agents(spend: Mapping[str, float], filters: Filters | None = None) -> list[SpendLine]:
    """Spend by agent, in the agents' order; `filters` are those of the rows behind each."""
    in_order = {name: spend[name] for name in in_agent_order(spend)}
    names = {name: agent_name(name) for name in spend}
    parts = shares(in_order, "currency", role="agent", labels=names, most=len(spend))
    urls = [rows_of_part(filters, SPEND, Dimension.AGENT, name) if filters else "" for name in in_order]
    return [(share, url, False) for share, url in zip(parts, urls, strict=True)]


def _url(filters: Filters, subject: Subject, **more: str) -> str:
    return filters.url(reverse("ai_costs"), **subject.parameters, **more)
