"""Readiness: repositories with context files for agents, and the outcome of their sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import Cell, csv_response
from core.views import page_view
from insights.pages.ai.costs.repositories import UNKNOWN_REPOSITORY
from insights.pages.ai.tabs import AI_PAGE
from insights.pages.answers import Answers, PageQuery, how_url, rows_url
from insights.pages.drawing import NAMELESS, rows_of_part
from insights.pages.filter_bar import head_of_window
from insights.query.query import Dimension, MetricValue
from insights.ui import tiles, wording
from insights.ui.figure_table import FigureCell, headings, sorted_by_value
from insights.ui.filters import Choice, Filters, filters_of
from insights.ui.scope_bar import scope_navigation
from integrations.code.git.context_files import context_files_by_repository
from integrations.models import ContextFile

Figures = Mapping[str, MetricValue]
"""A repository's figures by metric; without an entry nothing is known."""

HIGH_WASTE_PERCENT, HIGH_ERROR_PERCENT = 30.0, 10.0
FILES_LISTED = 3
FEW_SESSIONS = 5  # with fewer, there is no advice
BY_NAME, BY_FILES = "repository", "context_files"


@dataclass(frozen=True)
class Column:
    """A figure in `unit`; `metric` is the one whose rows it leads to."""

    key: str
    label: str
    metric: str
    unit: str = "percent"
    value: Callable[[Figures], float | None] | None = None  # by default the metric's

    def of(self, figures: Figures) -> float | None:
        return self.value(figures) if self.value else _value(figures, self.metric)

    def printed(self, value: float) -> str:
        return wording.exact(value) if self.unit == "count" else str(wording.reading(value, self.unit))


def _value(figures: Figures, metric: str) -> float | None:
    return figures[metric].value if metric in figures else None


def _wasted_share(figures: Figures) -> float | None:
    """The wasted percentage of the spend whose outcome is known."""
    wasted, committed = (figures.get(key) for key in ("ai.spend_wasted", "ai.spend_committed"))
    if any(figure and figure.withheld for figure in (wasted, committed)):
        return None
    lost, known = (wasted and wasted.value) or 0.0, (committed and committed.value) or 0.0
    return lost / (lost + known) * 100 if lost + known else None


COLUMNS = {
    column.key: column
    for column in (
        Column("commits", "Commits", "commit.count", "count"),
        Column("ai_share", "AI share", "ai.committed_code_share"),
        Column("sessions", "Sessions", "ai.sessions", "count"),
        Column("spend", "Spend", "ai.spend", "currency"),
        Column("wasted_share", "Wasted", "ai.spend_wasted", value=_wasted_share),
        Column("error_rate", "Error rate", "ai.error_rate"),
        Column("ship_rate", "Ship rate", "ai.ship_rate"),
    )
}
SORT = Choice("sort", {word: word for key in ("spend", BY_NAME, BY_FILES, *COLUMNS) for word in (f"-{key}", key)})
METRICS = (*(column.metric for column in COLUMNS.values()), "ai.spend_committed")
QUERIES = (
    *(PageQuery(metric, Dimension.REPOSITORY, whole=True) for metric in METRICS),
    PageQuery("ai.enabled_repositories", whole=True),
)


@dataclass(frozen=True)
class RepositoryRow:
    """A row of the table; `name` is empty for activity without a known repository."""

    name: str
    context_files: Sequence[ContextFile]  # the oldest first
    figures: Figures

    @property
    def label(self) -> str:
        return self.name or UNKNOWN_REPOSITORY

    @property
    def since(self) -> str:
        return wording.day(self.context_files[0].present_from) if self.context_files else ""

    @property
    def advice(self) -> str:
        """The advice for the repository; empty if nothing stands out."""
        if not self.name or (COLUMNS["sessions"].of(self.figures) or 0) < FEW_SESSIONS:
            return ""
        fails = (COLUMNS["error_rate"].of(self.figures) or 0) >= HIGH_ERROR_PERCENT
        if not self.context_files:
            return "Add AGENTS.md or CLAUDE.md: how to build, test and write here" + (
                ", and which tools fail" if fails else ""
            )
        if fails:
            return "See which tools fail, and state in the context file what to use instead"
        wastes = (COLUMNS["wasted_share"].of(self.figures) or 0) >= HIGH_WASTE_PERCENT
        return "Look at sessions without a commit: were the tasks too large, or exploratory?" if wastes else ""


@page_view
def ai_repositories(request: HttpRequest) -> HttpResponseBase:
    filters = _filters(request)
    sort, url = filters.picked[SORT.parameter], reverse("ai_repositories")
    around = scope_navigation(request, filters)
    answers = AI_PAGE.read(filters, QUERIES)
    labels = {BY_NAME: "Repository", BY_FILES: "Context files", **{key: c.label for key, c in COLUMNS.items()}}
    context = {
        **head_of_window(filters, around, request.path, lambda other: other.url(url)),
        "enabled": _enabled(answers.figure("ai.enabled_repositories")),
        "headings": headings(
            labels,
            sort,
            lambda word: filters.with_pick(SORT, word).url(url),
            texts=(BY_NAME, BY_FILES),
            stick=BY_NAME,
            first=lambda key: key if key == BY_NAME else f"-{key}",
        ),
        "rows": [(row, _files(row), _cells(row, filters, sort.removeprefix("-"))) for row in _rows(answers, sort)],
        "enabled_how_url": how_url(filters, "ai.enabled_repositories"),
        "enabled_rows_url": rows_url(filters, "ai.enabled_repositories"),
        "csv_url": filters.url(reverse("ai_repositories_csv")),
        "connect_link": tiles.Link("Connect a repository", reverse("connect_repository")),
    }
    return render(request, "insights/repositories/readiness.html", context)


@page_view
def ai_repositories_csv(request: HttpRequest) -> HttpResponseBase:
    filters = _filters(request)
    rows = _rows(AI_PAGE.read(filters, QUERIES), filters.picked[SORT.parameter])
    return csv_response("headway-ai-repositories", _csv_rows(rows))


def _csv_rows(rows: Sequence[RepositoryRow]) -> Iterator[list[Cell]]:
    units = {"count": "", "currency": " (USD)", "percent": " (percent)"}
    yield [
        *("Repository", "Context files", "Since"),
        *(f"{column.label}{units[column.unit]}" for column in COLUMNS.values()),
        "What to do",
    ]
    for row in rows:
        files = " ".join(file.path for file in row.context_files)
        yield [row.label, files, row.since, *(column.of(row.figures) for column in COLUMNS.values()), row.advice]


def _enabled(figure: MetricValue) -> str:
    if not figure.denominator:
        return "No repository has agent activity in this period."
    repositories = wording.count(int(figure.denominator), "repository", "repositories")
    return f"{figure.numerator or 0:,.0f} of {repositories} with agent activity have a context file."


def _rows(answers: Answers, sort: str) -> list[RepositoryRow]:
    """Every repository, and activity without one, sorted by the column that `sort` names."""
    figures: dict[str, dict[str, MetricValue]] = {}
    for metric in METRICS:
        for name, figure in answers.by_segment(metric, Dimension.REPOSITORY).items():
            figures.setdefault(name, {})[metric] = figure
    rows = [RepositoryRow(name, files, figures.get(name, {})) for name, files in context_files_by_repository().items()]
    if NAMELESS in figures:
        rows.append(RepositoryRow("", (), figures[NAMELESS]))
    key, descending = sort.removeprefix("-"), sort.startswith("-")
    if key == BY_NAME:
        return sorted(rows, key=lambda row: row.label, reverse=descending)
    if key == BY_FILES:
        return sorted(rows, key=lambda row: (len(row.context_files), row.name), reverse=descending)
    return sorted_by_value(rows, lambda row: COLUMNS[key].of(row.figures), descending=descending)


def _files(row: RepositoryRow) -> tuple[Sequence[ContextFile], int]:
    """The context files to list, and the number of others."""
    return row.context_files[:FILES_LISTED], max(0, len(row.context_files) - FILES_LISTED)


def _cells(row: RepositoryRow, filters: Filters, by: str) -> list[FigureCell]:
    values = [(column, column.of(row.figures)) for column in COLUMNS.values()]
    return [
        FigureCell(
            "" if value is None else column.printed(value),
            sorted=column.key == by,
            rows_url=rows_of_part(filters, column.metric, Dimension.REPOSITORY, row.name or NAMELESS),
            label=f"{column.label} of {row.label}",
        )
        for column, value in values
    ]


def _filters(request: HttpRequest) -> Filters:
    return filters_of(request, (SORT,), facets=())
