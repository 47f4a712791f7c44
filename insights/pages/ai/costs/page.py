"""The page `/insights/ai/costs/`: what something cost in AI, what of it was abandoned, and from which sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.csv_export import csv_response
from insights.engine.contributions import LARGEST_PAGE, RowsPage
from insights.pages.ai.costs.subject import Subject, found, read_subject
from insights.pages.ai.costs.visible import (
    LABELS,
    Costs,
    RepositoryCost,
    visible_costs,
    visible_repositories,
    visible_session_costs,
)
from insights.pages.rows import csv_rows, row_table
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import tiles, wording
from insights.ui.bad_filter import explains_bad_filters
from insights.ui.filters import WEEK_RANGES, Filters, read_filters
from insights.ui.page_numbers import page_numbers, read_page
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from integrations.code.costs import ABANDONED

PAGE_SIZE = 50
LONGEST_SEARCH = 200
UNKNOWN_REPOSITORY = "Unknown repository"


@dataclass(frozen=True)
class CostLine:
    """A state or a repository: its spend, and the share of the whole as a fraction for its bar."""

    label: str
    url: str
    spend: str
    share: str
    fraction: float
    abandoned: str = ""
    sessions: str = ""
    is_abandoned: bool = False


@login_required
@require_GET
@explains_bad_filters
def ai_costs(request: HttpRequest) -> HttpResponseBase:
    filters = _filters(request)
    search = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    if search:
        chosen = found(search, filters.access)
        if chosen is not None:
            return redirect(filters.url(reverse("ai_costs"), **chosen))
    subject = read_subject(request, filters)
    around = scope_navigation(request, filters)
    has_window = subject.scope.first_day is not None
    context: dict[str, Any] = {
        "subject": subject,
        "days": wording.days(filters.window) if has_window else "",
        "scope": scope_bar(filters, around, {}, request.path, extra_params=subject.parameters),
        "whose": scope_words(filters, around),
        "ranges": [
            tiles.Picker(wording.count(weeks, "week"), _url(filters.with_range(name), subject), filters.range == name)
            for name, weeks in WEEK_RANGES.items()
        ]
        if has_window
        else (),
        "search": search,
        "not_found": bool(search),
        "fields": filters.parameters(),
        "all_url": filters.url(reverse("ai_costs")),
    }
    if subject.kind:
        context |= _of_subject(request, subject, filters)
    else:
        context |= _of_repositories(subject, filters)
    return render(request, "insights/costs/costs.html", context)


@login_required
@require_GET
@explains_bad_filters
def ai_costs_csv(request: HttpRequest) -> HttpResponseBase:
    """The rows behind a subject's figures; of all repositories, their figures."""
    filters = _filters(request)
    subject = read_subject(request, filters)
    if not subject.kind:
        rows, _ = visible_repositories(subject, filters)
        cells = [[row.name or UNKNOWN_REPOSITORY, row.spend, row.abandoned, row.sessions] for row in rows]
        return csv_response("headway-ai-costs", [["Repository", "Spend (USD)", "Abandoned (USD)", "Sessions"], *cells])

    def read(page: int) -> RowsPage:
        return visible_session_costs(subject, filters, page=page, size=LARGEST_PAGE)

    return csv_response("headway-ai-cost-rows", csv_rows(read(1), read))


def _filters(request: HttpRequest) -> Filters:
    return read_filters(request.GET, today=windows.local_today(), access=access_in(request)).without_facets()


def _of_repositories(subject: Subject, filters: Filters) -> dict[str, Any]:
    rows, hidden = visible_repositories(subject, filters)
    return {
        "repositories": repository_lines(rows, filters),
        "hidden": f"{wording.count(hidden, 'repository', 'repositories')} hidden because of few people."
        if hidden
        else "",
        "csv_url": filters.url(reverse("ai_costs_csv")),
    }


def repository_lines(rows: Sequence[RepositoryCost], filters: Filters) -> list[CostLine]:
    whole = float(sum(row.spend for row in rows))
    return [
        CostLine(
            label=row.name or UNKNOWN_REPOSITORY,
            url=filters.url(reverse("ai_costs"), repository=row.name) if row.name else "",
            spend=wording.money(float(row.spend)),
            share=wording.percent_of(float(row.spend), whole),
            fraction=float(row.spend) / whole if whole else 0.0,
            abandoned="hidden" if row.abandoned is None else wording.money(float(row.abandoned)),
            sessions=f"{row.sessions:,}",
        )
        for row in rows
    ]


def _of_subject(request: HttpRequest, subject: Subject, filters: Filters) -> dict[str, Any]:
    costs = visible_costs(subject, filters)
    page = read_page(request)
    rows = visible_session_costs(subject, filters, page=page, size=PAGE_SIZE)
    return {
        "costs": costs,
        "tiles": _tiles(costs),
        "states": _states(costs),
        "note": rows.note,
        "table": row_table(rows, without=frozenset(), record_page="ai_session"),
        **page_numbers(
            page,
            size=PAGE_SIZE,
            shown=len(rows.rows),
            total=rows.total,
            url=lambda number: _url(filters, subject, page=str(number)),
        ),
        "csv_url": filters.url(reverse("ai_costs_csv"), **subject.parameters),
    }


def _tiles(costs: Costs) -> list[tiles.Tile]:
    if costs.hidden:
        return [tiles.Tile("cost", "Spend", None, state="hidden", reason=costs.hidden)]
    sample = wording.count(costs.sessions, "session") + (" of yours" if costs.of_own else "")
    unpriced = f"excludes {wording.compact(costs.unpriced_tokens)} tokens without a price"
    if not costs.sessions:
        return [tiles.Tile("cost", "Spend", None, state="no_data", reason="No agent session is known behind it.")]
    spend = tiles.Tile(
        "cost",
        "Spend",
        wording.money(float(costs.spend)),
        sample=sample,
        note=unpriced if costs.unpriced_tokens else "",
    )
    if costs.abandoned is None:
        reason = "Hidden: by state it would tell of few people."
        return [spend, tiles.Tile("abandoned", "Abandoned", None, state="hidden", reason=reason)]
    share = f"{wording.percent_of(float(costs.abandoned), float(costs.spend))} of the spend"
    return [spend, tiles.Tile("abandoned", "Abandoned", wording.money(float(costs.abandoned)), sample=share)]


def _states(costs: Costs) -> list[CostLine]:
    whole = float(costs.spend)
    return [
        CostLine(
            label=LABELS[part.state],
            url="",
            spend=wording.money(float(part.spend)),
            share=wording.percent_of(float(part.spend), whole),
            fraction=float(part.spend) / whole if whole else 0.0,
            is_abandoned=part.state in ABANDONED,
        )
        for part in costs.parts
    ]


def _url(filters: Filters, subject: Subject, **more: str) -> str:
    return filters.url(reverse("ai_costs"), **subject.parameters, **more)
