"""The facts behind a metric's figure, paginated and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html

from core.csv_export import Cell, csv_response
from core.page_links import links_of_page
from insights.catalogue.agents import agent_name
from insights.catalogue.registry import get
from insights.engine.contributions import ColumnKind, RowColumn, RowsPage, fact_columns
from insights.pages.answers import facet_label
from insights.pages.records.labels import tool_label, tool_url
from insights.privacy.visible import visible_rows
from insights.query.enums import UnitOfMeasure
from insights.query.query import Dimension
from insights.ui import wording
from insights.ui.filters import FACETS, FACETS_OF_ROWS
from insights.ui.metric_panel import PanelParams, base_template, is_panel, read_panel_params
from insights.ui.page_numbers import PAGE_SIZE, read_page
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.views import page_view, part_view

ROWS_IN_PANEL = 6
CSV_PAGE_SIZE = 1000
COMMIT_COLUMN, SHORT_SHA = "sha", 10
REFERENCE, CONTRIBUTION = "reference", "contribution"
RECORD_PAGES = {  # by the column that identifies a fact in its relation
    "pull_request_id": "pull_request",
    "change_id": "pull_request",
    "item_id": "work_item",
    "deployment_id": "deployment",
    "incident_id": "incident",
    "session_id": "ai_session",
}

NUMBERS = frozenset({ColumnKind.NUMBER, ColumnKind.DURATION, ColumnKind.FACT})
NOT_IN_PANEL = frozenset({ColumnKind.FACT, ColumnKind.INSTANT})  # keeps the value in sight there


@dataclass(frozen=True)
class Column:
    label: str
    number: bool


@dataclass(frozen=True)
class RowTable:
    """The context of components/table.html, with the shown share of all rows."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    shown: str


@part_view
def metric_rows(request: HttpRequest, key: str) -> HttpResponseBase:
    params = read_panel_params(request, key)
    page = read_page(request)
    shown = visible_rows(params.query, params.filters.access, page=page, size=PAGE_SIZE)
    rows_url = reverse("metric_rows", args=[key])
    context = {
        "base_template": base_template(request),
        "metric": params.metric,
        "panel_name": f"Rows of {params.metric.name}" if is_panel(request) else "",
        "recipe": printed_recipe(shown.recipe),
        "note": shown.note,
        "days": wording.days(params.filters.window),
        "narrowed": _narrowed(params),
        "whose": scope_words(params.filters, scope_navigation(request, params.filters, is_part=True)),
        "table": row_table(shown, without=NOT_IN_PANEL if is_panel(request) else frozenset()),
        **links_of_page(
            page, shown.rows, shown.total, lambda number: params.filters.url(rows_url, page=number), size=PAGE_SIZE
        ),
        "csv_url": params.filters.url(reverse("metric_rows_csv", args=[key])),
        "how_url": params.filters.url(reverse("metric_how", args=[key])),
    }
    return render(request, "insights/metric_rows.html", context)


@page_view
def metric_first_rows(request: HttpRequest, key: str) -> HttpResponseBase:
    """The first rows, which the explanation panel loads after it opens."""
    params = read_panel_params(request, key)
    shown = visible_rows(params.query, params.filters.access, size=ROWS_IN_PANEL)
    context = {
        "table": row_table(shown, without=NOT_IN_PANEL),
        "note": shown.note,
        "metric": params.metric,
        "rows_url": params.filters.url(reverse("metric_rows", args=[key])),
        "csv_url": params.filters.url(reverse("metric_rows_csv", args=[key])),
    }
    return render(request, "insights/_first_rows.html", context)


@page_view
def metric_rows_csv(request: HttpRequest, key: str) -> HttpResponseBase:
    params = read_panel_params(request, key)

    def read(page: int) -> RowsPage:
        return visible_rows(params.query, params.filters.access, page=page, size=CSV_PAGE_SIZE)

    return csv_response(f"headway-{key.replace('.', '-')}-rows", csv_rows(read(1), read))


def csv_rows(first: RowsPage, read: Callable[[int], RowsPage]) -> Iterator[list[Cell]]:
    """The headings and all rows: those of `first`, and of the further pages that `read` returns by number."""
    yield [column.label for column in first.columns]
    page = first
    while True:
        for row in page.rows:
            yield [row[column.name] for column in page.columns]
        if page.page * page.size >= page.total:
            return
        page = read(page.page + 1)


def _narrowed(params: PanelParams) -> str:
    """The chosen facets, for a sentence; empty without any."""
    names = {**FACETS, **FACETS_OF_ROWS}
    return "; ".join(
        f"{names.get(dimension, dimension.value)}: {' or '.join(facet_label(dimension, value) for value in values)}"
        for dimension, values in params.query.facets.items()
    )


def printed_recipe(recipe: str) -> str:
    """With the name that the column of contributions has on pages."""
    return recipe.replace("contribution", "value")


def row_table(page: RowsPage, *, without: Collection[ColumnKind], record_page: str | None = None) -> RowTable:
    """The formatted rows, without columns of the kinds in `without`.

    `record_page` is the route of each row's page (empty: none), by default the metric's.
    """
    columns = [column for column in page.columns if column.kind not in without]
    if record_page is None:
        record_page = record_page_of(page.query.key)
    leading = ColumnKind.DAY if ColumnKind.FACT in without else ColumnKind.FACT
    in_seconds = get(page.query.key).unit is UnitOfMeasure.SECONDS
    return RowTable(
        caption=f"Rows of {page.query.key}",
        columns=[
            Column("Value" if column.name == CONTRIBUTION else column.label, column.kind in NUMBERS)
            for column in columns
        ],
        rows=[
            [
                _duration(row[column.name])
                if in_seconds and column.name == CONTRIBUTION
                else _cell(column, row, record_page, leading)
                for column in columns
            ]
            for row in page.rows
        ],
        shown=f"{len(page.rows):,} of {page.total:,}",
    )


def _cell(column: RowColumn, row: Mapping[str, Any], record_page: str, leading: ColumnKind) -> str:
    """A formatted cell; commits and records link to their pages, URLs to the provider.

    A record's link is on its reference, else on the column of the kind `leading`.
    """
    value: Cell = row[column.name]
    if value is None:
        return ""
    if column.name == COMMIT_COLUMN:
        explained = reverse("attributed_commit", args=[value])
        return format_html('<a href="{}" title="{}"><code>{}</code></a>', explained, value, str(value)[:SHORT_SHA])
    if column.kind is ColumnKind.LINK:
        address = tool_url(str(value))
        return format_html('<a href="{}" rel="noreferrer">{}</a>', address, tool_label(address)) if address else ""
    printed = _printed(column, value)
    leads = column.name == REFERENCE if REFERENCE in row else column.kind is leading
    if leads and (address := record_url(record_page, row.get("fact_id"))):
        return format_html('<a href="{}">{}</a>', address, printed)
    return printed


def _duration(seconds: float) -> str:
    """In human units; the tooltip and the CSV have the exact number."""
    return format_html('<span title="{} s">{}</span>', wording.exact(seconds), str(wording.duration(seconds)))


def record_url(record_page: str, fact_id: int | None) -> str:
    """Empty for what has no page: totals of people, and pushes, whose ids are negative."""
    return reverse(record_page, args=[fact_id]) if record_page and (fact_id or 0) > 0 else ""


def record_page_of(key: str) -> str:
    """The route of the page of a metric's facts; empty if they have none."""
    facts = fact_columns(get(key))
    return RECORD_PAGES.get(next(iter(facts)), "") if len(facts) == 1 else ""


def _printed(column: RowColumn, value: Any) -> str:
    if isinstance(value, datetime):
        return wording.moment(value)
    if isinstance(value, date):
        return wording.day(value)
    if column.kind is ColumnKind.FACT:
        return "push" if int(value) < 0 else f"#{value}"
    if isinstance(value, int | float) and column.kind in (ColumnKind.NUMBER, ColumnKind.DURATION):
        return wording.exact(value) if column.kind is ColumnKind.NUMBER else _duration(value)
    words = str(value)
    return ", ".join(map(agent_name, words.split(", "))) if column.name == Dimension.AGENT else words
