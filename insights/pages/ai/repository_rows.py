"""How a figure of the readiness page is computed, and the rows behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from core.csv_export import csv_response
from insights.catalogue.registry import get
from insights.engine.contributions import LARGEST_PAGE, PERSON, ColumnKind, RowColumn, RowsPage
from insights.pages.rows import NOT_IN_PANEL, PAGE_SIZE, csv_rows, printed_recipe, row_table
from insights.privacy.scope_access import access_in
from insights.privacy.visible import visible_page, visible_rows
from insights.privacy.withhold import is_withheld
from insights.query import windows
from insights.query.query import Dimension, Query
from insights.ui import wording
from insights.ui.bad_filter import explains_bad_filters
from insights.ui.filters import BadFilterError, Filters, read_filters
from insights.ui.metric_panel import base_template, is_panel
from insights.ui.page_numbers import page_numbers, read_page
from integrations.code.readiness import SessionNearby, SessionsQuery, count_sessions_near, readiness, sessions_near
from integrations.models import Repository

SESSION = (
    RowColumn("fact_id", "Session", "Headway's number of the session.", ColumnKind.FACT),
    PERSON,
    RowColumn("started_at", "Started", "The session's first event.", ColumnKind.INSTANT),
    RowColumn("agent", "Agent", "The agent.", ColumnKind.WORD),
)
BELONGS = (
    "A session belongs to the repository with most of its committed lines; without any, to the one where its person "
    "committed nearest in time, within a week."
)
SETTLED = "Settled: committed, or 72 hours old with its person's commits known."


@dataclass(frozen=True)
class SessionFigure:
    """A figure of sessions: its label and formula, and the session columns of its numerator and denominator.

    The totals of all sessions have the same names.
    """

    label: str
    formula: str
    numerator: str
    denominator: str = ""

    @property
    def recipe(self) -> str:
        return "Σ contribution ÷ Σ denominator × 100" if self.denominator else "Σ contribution"


SESSION_FIGURES: Mapping[str, SessionFigure] = {
    "sessions": SessionFigure("Sessions", f"Sessions that started in these days. {BELONGS}", "sessions"),
    "spend": SessionFigure("Spend", f"Spend of the sessions. {BELONGS}", "spend"),
    "wasted_share": SessionFigure(
        "Wasted",
        "Spend of settled sessions without an attributed commit ÷ spend of settled sessions × 100. "
        f"{SETTLED} {BELONGS}",
        "wasted_spend",
        "settled_spend",
    ),
    "error_rate": SessionFigure(
        "Error rate", f"Failed tool calls ÷ tool calls × 100. {BELONGS}", "tool_failures", "tool_calls"
    ),
    "ship_rate": SessionFigure(
        "Ship rate",
        "AI lines committed ÷ AI lines generated × 100, over settled sessions whose agent reports lines. "
        f"{SETTLED} {BELONGS}",
        "lines_shipped",
        "lines_generated",
    ),
}
METRIC_KEYS = {"commits": "commit.count", "ai_share": "ai.committed_code_share"}


@dataclass(frozen=True)
class RepositoryRowsParams:
    """The figure and the repository."""

    repository: str
    of: str
    filters: Filters

    @property
    def query(self) -> Query:
        """The query of the rows; rows of sessions are as personal as spend."""
        filters, facets = self.filters, {Dimension.REPOSITORY: (self.repository,)}
        key = METRIC_KEYS.get(self.of, "ai.spend")
        return Query(key, filters.window, filters.granularity, filters.scope, facets)

    @property
    def label(self) -> str:
        return SESSION_FIGURES[self.of].label if self.of in SESSION_FIGURES else get(METRIC_KEYS[self.of]).name

    @property
    def formula(self) -> str:
        return SESSION_FIGURES[self.of].formula if self.of in SESSION_FIGURES else get(METRIC_KEYS[self.of]).formula

    def url(self, name: str = "repository_rows", page: int = 1) -> str:
        pairs = [("repository", self.repository), ("of", self.of), *self.filters.parameters()]
        return f"{reverse(name)}?{urlencode([*pairs, *([('page', str(page))] if page > 1 else [])])}"


def rows_url(repository: str, of: str, filters: Filters) -> str:
    """The URL of a figure's explanation."""
    return RepositoryRowsParams(repository, of, filters).url()


@dataclass(frozen=True)
class Fraction:
    """The formula with numbers put in."""

    numerator: str
    denominator: str
    result: str


@login_required
@require_GET
@vary_on_headers("HX-Request")
@explains_bad_filters
def repository_rows(request: HttpRequest) -> HttpResponseBase:
    params, page = _read_params(request), read_page(request)
    rows = _read(request, params, page, PAGE_SIZE)
    context = {
        "base_template": base_template(request),
        "metric": {"name": f"{params.label}: {params.repository}"},
        "formula": params.formula,
        "fraction": _fraction(request, params),
        "days": wording.days(params.filters.window),
        "recipe": printed_recipe(rows.recipe),
        "note": rows.note,
        "table": row_table(rows, without=NOT_IN_PANEL if is_panel(request) else frozenset()),
        "panel_name": f"Rows of {params.label}" if is_panel(request) else "",
        **page_numbers(
            page, size=PAGE_SIZE, shown=len(rows.rows), total=rows.total, url=lambda number: params.url(page=number)
        ),
        "csv_url": params.url("repository_rows_csv"),
    }
    return render(request, "insights/repositories/rows.html", context)


@login_required
@require_GET
@explains_bad_filters
def repository_rows_csv(request: HttpRequest) -> HttpResponseBase:
    params = _read_params(request)

    def read(page: int) -> RowsPage:
        return _read(request, params, page, LARGEST_PAGE)

    return csv_response(f"headway-ai-repository-{params.of.replace('_', '-')}", csv_rows(read(1), read))


def _read_params(request: HttpRequest) -> RepositoryRowsParams:
    """Raises Http404 for an unknown repository and BadFilterError for a wrong parameter."""
    of, repository = request.GET.get("of", ""), request.GET.get("repository", "")
    if of not in SESSION_FIGURES and of not in METRIC_KEYS:
        raise BadFilterError("of", f"It can be {wording.listed([*METRIC_KEYS, *SESSION_FIGURES])}.")
    if not Repository.objects.filter(name=repository).exists():
        raise Http404("No such repository.")
    filters = read_filters(request.GET, today=windows.local_today(), access=access_in(request)).without_facets()
    return RepositoryRowsParams(repository, of, filters)


def _read(request: HttpRequest, params: RepositoryRowsParams, page: int, size: int) -> RowsPage:
    access = access_in(request)
    if params.of in METRIC_KEYS:
        return visible_rows(params.query, access, page=page, size=size)
    window, figure = params.filters.window, SESSION_FIGURES[params.of]
    columns = (*SESSION, *_contributions(figure))
    figures = tuple(filter(None, (figure.numerator, figure.denominator)))
    query = SessionsQuery(params.repository, figures, window.start, window.end, params.filters.people_filter)

    def listed(person_id: int | None) -> RowsPage:
        theirs = query if person_id is None else replace(query, whose=replace(query.whose, person_id=person_id))
        total = count_sessions_near(theirs).sessions
        rows = [_row(figure, session) for session in sessions_near(theirs, skipped=(page - 1) * size, size=size)]
        return RowsPage(params.query, columns, rows, total, page, size, figure.recipe)

    return visible_page(params.query, access, people=count_sessions_near(query).people, read=listed)


def _fraction(request: HttpRequest, params: RepositoryRowsParams) -> Fraction | None:
    """None where the figure is no ratio, has no data, or is of too few people."""
    figure = SESSION_FIGURES.get(params.of)
    if figure is None or not figure.denominator:
        return None
    window = params.filters.window
    repositories = readiness(window.start, window.end, params.filters.people_filter)
    [nearby] = [repository.nearby for repository in repositories if repository.name == params.repository]
    denominator = float(getattr(nearby, figure.denominator))
    if not denominator or is_withheld(params.query, nearby.people, access_in(request)):
        return None
    numerator = float(getattr(nearby, figure.numerator))
    printed = wording.money if figure.denominator == "settled_spend" else wording.exact
    return Fraction(
        printed(numerator), printed(denominator), str(wording.reading(numerator / denominator * 100, "percent"))
    )


def _row(figure: SessionFigure, session: SessionNearby) -> dict[str, Any]:
    row: dict[str, Any] = {
        "fact_id": session.session_id,
        "person_id": session.person_id,
        "started_at": session.started_at,
        "agent": session.agent,
        "contribution": float(getattr(session, figure.numerator)),
    }
    return row | {"denominator": float(getattr(session, figure.denominator))} if figure.denominator else row


def _contributions(figure: SessionFigure) -> Iterator[RowColumn]:
    yield RowColumn("contribution", "Contribution", "The row's contribution.", ColumnKind.NUMBER)
    if figure.denominator:
        yield RowColumn("denominator", "Denominator", "The row's contribution to the denominator.", ColumnKind.NUMBER)
