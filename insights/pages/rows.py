"""The facts behind a metric's figure, paginated and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join

from core.csv_export import Cell, csv_response
from core.page_links import PAGE_SIZE, links_of_page, read_page
from core.views import page_view, part_view
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.engine.contributions import LARGEST_PAGE, PERSON, ColumnKind, RowColumn, RowsPage, fact_columns
from insights.engine.fact_rows import GREATEST, RowOrder
from insights.pages.answers import InsightsPage, facets_in_words
from insights.pages.drawing import highest_title
from insights.pages.records.labels import method_words, tool_label, tool_url
from insights.pages.units import units_part
from insights.privacy.rows import AGGREGATES_NOTE, LABEL, NOBODY
from insights.privacy.visible import visible_rows
from insights.query.enums import UnitOfMeasure
from insights.query.query import Dimension
from insights.templatetags.headway import mini_bar
from insights.ui import wording
from insights.ui.figure_table import Heading
from insights.ui.filters import Filters
from insights.ui.labels import label_of
from insights.ui.metric_panel import PanelParams, base_template, is_panel, read_panel_params
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.tiles import Link
from orgtree.models import Unit, UnitPlacement
from orgtree.trees.surroundings import Surroundings

ROWS_IN_PANEL = 6
COMMIT_COLUMN, SHORT_SHA = "sha", 10
REFERENCE, CONTRIBUTION, DENOMINATOR = "reference", "contribution", "denominator"
RECORD_PAGES = {  # by the column that identifies a fact in its relation
    "pull_request_id": "pull_request",
    "change_id": "pull_request",
    "item_id": "work_item",
    "deployment_id": "deployment",
    "incident_id": "incident",
    "session_id": "ai_session",
}

NUMBERS = frozenset({ColumnKind.NUMBER, ColumnKind.DURATION, ColumnKind.FACT})
NOT_IN_PANEL = frozenset({ColumnKind.FACT, ColumnKind.INSTANT})  # leaves room for the value there

# The columns that name a fact, the best first, and those that are shown below its name.
NAMING = ("title", "subject", "path", REFERENCE, "note", "entered_via", "fact_id")
BELOW_NAME = (REFERENCE, COMMIT_COLUMN, "path", "entered_via")
WHEN = ("started_at", "day")
SORT, COLUMNS, ALL_COLUMNS = "sort", "columns", "all"


@dataclass(frozen=True)
class RowTable:
    """The context of components/table.html, with the share of all rows that is shown, and the number of folded
    columns.
    """

    caption: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[str]]
    shown: str
    folded: int = 0
    is_compact: bool = False  # whether a row takes one line, even on a phone


@part_view
def metric_rows(request: HttpRequest, key: str) -> HttpResponseBase:
    params = read_panel_params(request, key)
    page, order = read_page(request), read_order(request)
    is_whole = request.GET.get(COLUMNS) == ALL_COLUMNS and not is_panel(request)
    shown = visible_rows(params.query, params.filters.access, page=page, size=PAGE_SIZE, order=order)
    rows_url = reverse("metric_rows", args=[key])
    columns = ALL_COLUMNS if is_whole else ""
    sort = request.GET.get(SORT) or ""
    table = row_table(
        shown,
        order=order,
        sort_url=lambda word: params.filters.url(rows_url, **{SORT: word, COLUMNS: columns}),
        folds=not is_whole,
    )
    around = scope_navigation(request, params.filters, is_part=True)
    context = {
        **rows_context(request, params.filters, shown, table, lambda filters: filters.url(rows_url)),
        "metric": params.metric,
        "narrowed": "; ".join(facets_in_words(params.query.facets)),
        "whose": scope_words(params.filters, around),
        "columns_url": params.filters.url(rows_url, **{SORT: sort, COLUMNS: "" if is_whole else ALL_COLUMNS}),
        "is_whole": is_whole,
        **links_of_page(
            page,
            shown.rows,
            shown.total,
            lambda number: params.filters.url(rows_url, **{SORT: sort, COLUMNS: columns, "page": number}),
            size=PAGE_SIZE,
        ),
        "csv_url": params.filters.url(reverse("metric_rows_csv", args=[key]), sort=sort),
        "how_url": params.filters.url(reverse("metric_how", args=[key])),
        "aggregates": _aggregates(params) if shown.note and not shown.total else None,
        "units": _units_below(request, params, around) if shown.note == AGGREGATES_NOTE else None,
    }
    return render(request, "insights/metric_rows.html", context)


def rows_context(
    request: HttpRequest, filters: Filters, shown: RowsPage, table: RowTable, url: Callable[[Filters], str]
) -> dict[str, Any]:
    """The context shared by pages and panels of rows; `url` returns the address of the rows for other filters."""
    return {
        "base_template": base_template(request),
        "panel_name": table.caption if is_panel(request) else "",
        "recipe": shown.recipe.replace("contribution", "value"),  # the name of the column on pages
        "note": shown.note,
        "elsewhere": rows_elsewhere(filters, shown.note, url),
        "days": wording.days(filters.window),
        "table": table,
    }


def _units_below(request: HttpRequest, params: PanelParams, around: Surroundings) -> Mapping[str, str] | None:
    """The URLs of the figures of the units below, for a viewer who may see these but not the rows."""
    if params.metric.always_by:
        return None
    page = InsightsPage("metric_page", about=(params.metric.key,))
    return units_part(request, page, replace(params.filters, choices=()), around)


def _aggregates(params: PanelParams) -> Link:
    """A link to the figures of the unit and of those below it, for a viewer who may not see the rows."""
    return Link("Figures by unit", params.filters.url(reverse("metric_page", args=[params.metric.key])))


def rows_elsewhere(filters: Filters, note: str, url: Callable[[Filters], str]) -> Link | None:
    """A link to the rows of a unit whose rows the viewer may see, preferably within the scope; None if there is none,
    or if `note` gives another reason than a lack of access.
    """
    visibility = filters.access.visibility
    if note != AGGREGATES_NOTE:
        return None
    units = [unit for _, unit in visibility.homes if visibility.can_see_individuals(unit)]
    if filters.scope.unit and len(units) > 1:
        within = UnitPlacement.objects.filter(
            ancestor__slug=filters.scope.unit, unit__in=units, during__contains=filters.today
        )
        inside = {*within.values_list("unit", flat=True)}
        units.sort(key=lambda unit: unit not in inside)
    else:
        units.sort(key=lambda unit: visibility.slugs.get(visibility.home_unit or "") != unit)
    found = Unit.objects.filter(pk__in=units[:1]).first()
    return Link(f"Rows of {found.name}", url(filters.with_unit(found.slug))) if found else None


def read_order(request: HttpRequest) -> RowOrder:
    """The picked column, in descending order with a leading minus; by default the greatest values come first."""
    word = request.GET.get(SORT) or ""
    if not word:
        return GREATEST
    name = word.removeprefix("-")
    return RowOrder(PERSON.name if name == LABEL else name, descending=word.startswith("-"))


@page_view
def metric_first_rows(request: HttpRequest, key: str) -> HttpResponseBase:
    """The first rows, which the explanation panel loads after it opens."""
    params = read_panel_params(request, key)
    shown = visible_rows(params.query, params.filters.access, size=ROWS_IN_PANEL, order=GREATEST)
    context = {
        "table": row_table(shown, order=GREATEST),
        "note": shown.note,
        "metric": params.metric,
        "aggregates": _aggregates(params) if shown.note and not shown.total else None,
        "rows_url": params.filters.url(reverse("metric_rows", args=[key])),
        "csv_url": params.filters.url(reverse("metric_rows_csv", args=[key])),
    }
    return render(request, "insights/_first_rows.html", context)


@page_view
def metric_rows_csv(request: HttpRequest, key: str) -> HttpResponseBase:
    params = read_panel_params(request, key)

    def read(page: int) -> RowsPage:
        return visible_rows(
            params.query, params.filters.access, page=page, size=LARGEST_PAGE, order=read_order(request)
        )

    return rows_file(f"headway-{key.replace('.', '-')}-rows", read)


def rows_file(name: str, read: Callable[[int], RowsPage]) -> HttpResponseBase:
    """All rows as a CSV file, from the pages that `read` returns by number; the first is read before the response
    begins.
    """
    return csv_response(name, _csv_rows(read(1), read))


def _csv_rows(first: RowsPage, read: Callable[[int], RowsPage]) -> Iterator[list[Cell]]:
    yield [column.label for column in first.columns]
    page = first
    while True:
        for row in page.rows:
            yield [row[column.name] for column in page.columns]
        if page.page * page.size >= page.total:
            return
        page = read(page.page + 1)


def row_table(
    page: RowsPage,
    *,
    order: RowOrder | None = None,
    sort_url: Callable[[str], str] | None = None,
    folds: bool = True,
    without: Collection[ColumnKind] = (),
    record_page: str | None = None,
    with_bars: bool = False,
) -> RowTable:
    """The formatted rows: name, value, author and time; then, unless `folds`, the other columns.

    `sort_url` returns the address of the rows sorted by a column, with a minus for descending.  `record_page` is the
    route of each row's page (empty: none), by default the metric's.  `with_bars` draws a bar next to each value.
    """
    known = [column for column in page.columns if column.kind not in without]
    name, leading, others = _arranged(known)
    record_page = record_page_of(page.query.key) if record_page is None else record_page
    shown = [*leading, *(() if folds else others)]
    unit = get(page.query.key).unit
    longest = max((row[CONTRIBUTION] for row in page.rows), default=0) if with_bars else 0
    rows = [
        [_name(name, known, row, record_page), *(_cell(column, row, unit, longest) for column in shown)]
        for row in page.rows
    ]
    return RowTable(
        caption=f"Rows of {get(page.query.key).name}",
        headings=[_heading(column, known, order, sort_url, stick=column is name) for column in (name, *shown)],
        rows=rows,
        shown=f"{len(page.rows):,} of {page.total:,}",
        folded=len(others) if folds else 0,
        is_compact=with_bars,
    )


def _arranged(columns: Sequence[RowColumn]) -> tuple[RowColumn, Sequence[RowColumn], Sequence[RowColumn]]:
    """The column that names a row, the columns that every reader needs, in order, and the others."""
    by_name = {column.name: column for column in columns}
    naming = next((by_name[name] for name in NAMING if name in by_name), columns[0])
    merged = {naming.name}
    if naming.name in NAMING:
        merged |= {*NAMING, *BELOW_NAME, "url"} & by_name.keys()
    when = next((name for name in WHEN if name in by_name), "")
    leading = [
        by_name[name] for name in (CONTRIBUTION, LABEL, PERSON.name, when) if name in by_name and name not in merged
    ]
    others = [column for column in columns if column.name not in merged and column not in leading]
    return naming, leading, others


def _heading(
    column: RowColumn,
    known: Sequence[RowColumn],
    order: RowOrder | None,
    sort_url: Callable[[str], str] | None,
    *,
    stick: bool,
) -> Heading:
    label = next((other.label for other in known if other.kind is ColumnKind.FACT), column.label)
    label = label if column.name in NAMING else "Value" if column.name == CONTRIBUTION else column.label
    sort = PERSON.name if column.name == LABEL else column.name
    direction = ""
    if order is not None and order.column == sort:
        direction = "descending" if order.descending else "ascending"
    is_number = column.kind in NUMBERS and column.name not in NAMING
    falls_first = is_number or column.kind in (ColumnKind.DAY, ColumnKind.INSTANT)
    descends = direction == "ascending" or (falls_first and not direction)
    word = LABEL if sort == PERSON.name else sort
    url = sort_url(f"-{word}" if descends else word) if sort_url else ""
    return Heading(label, url, direction, is_number, stick=stick)


def _name(column: RowColumn, known: Sequence[RowColumn], row: Mapping[str, Any], record_page: str) -> str:
    """The row's name, linked to its page, with its reference, its commit and file, and a link to its tool below."""
    if column.name not in NAMING:
        return _printed(column, row[column.name])
    columns = {other.name: other for other in known}
    naming = next((name for name in NAMING if name in columns and row.get(name) not in (None, "")), column.name)
    text = _printed(columns[naming], row[naming])
    address = record_url(record_page, row.get("fact_id"))
    if not address and row.get(COMMIT_COLUMN):
        address = reverse("attributed_commit", args=[row[COMMIT_COLUMN]])
    named = format_html('<a href="{}">{}</a>', address, text) if address else escape(text)
    below = ["push"] if naming != "fact_id" and is_push(row.get("fact_id")) else []
    below += [
        format_html("<code>{}</code>", str(row[name])[:SHORT_SHA]) if name == COMMIT_COLUMN else escape(row[name])
        for name in BELOW_NAME
        if name in columns and name != naming and row[name] not in (None, "", row[naming])
    ]
    if tool := tool_link(str(row.get("url") or "")):
        below.append(tool)
    return format_html("{}<small>{}</small>", named, format_html_join(" · ", "{}", ((part,) for part in below)))


def _cell(column: RowColumn, row: Mapping[str, Any], unit: UnitOfMeasure, longest: float) -> str:
    """A value as text; the row's own value has a bar if `longest` is given, relative to it."""
    if row[column.name] is None:
        return ""
    if column.name != CONTRIBUTION:
        return _printed(column, row[column.name])
    value = _contribution(column, row, unit)
    return format_html("{}{}", mini_bar(row[CONTRIBUTION] / longest), value) if longest else value


def _contribution(column: RowColumn, row: Mapping[str, Any], unit: UnitOfMeasure) -> str:
    value: Cell = row[CONTRIBUTION]
    if unit is UnitOfMeasure.SECONDS:
        return _duration(float(str(value)))
    if row.get(DENOMINATOR) is not None:
        return f"{wording.exact(row[CONTRIBUTION])} of {wording.exact(row[DENOMINATOR])}"
    if unit is UnitOfMeasure.CURRENCY:
        return format_html(
            '<span title="{}">{}</span>', wording.exact(row[CONTRIBUTION]), wording.money(row[CONTRIBUTION])
        )
    return _printed(column, value)


def _duration(seconds: float) -> str:
    """The duration in human units; the tooltip and the CSV have the exact number."""
    return format_html('<span title="{} s">{}</span>', wording.exact(seconds), str(wording.duration(seconds)))


def is_push(fact_id: int | None) -> bool:
    """Whether the fact is a push that was deployed without a pull request; the ids of pushes are negative."""
    return (fact_id or 0) < 0


def record_url(record_page: str, fact_id: int | None) -> str:
    """The URL of the record's page; empty if it has none, like totals of people, and pushes."""
    return reverse(record_page, args=[fact_id]) if record_page and (fact_id or 0) > 0 else ""


def record_page_of(key: str) -> str:
    """The route of the page of a metric's facts; empty if they have none."""
    facts = fact_columns(get(key))
    return RECORD_PAGES.get(next(iter(facts)), "") if len(facts) == 1 else ""


def tool_link(url: str) -> str:
    """The link to the tool; empty if the value is not a URL."""
    address = tool_url(url)
    return format_html('<a href="{}" rel="noreferrer">{}</a>', address, tool_label(address)) if address else ""


def _printed(column: RowColumn, value: Any) -> str:
    if isinstance(value, datetime):
        return wording.moment(value)
    if isinstance(value, date):
        return wording.day(value)
    if isinstance(value, int | float):
        return _number(column, value)
    return "" if value is None else _words(column, str(value))


def _number(column: RowColumn, value: float) -> str:
    if column.kind is ColumnKind.FACT:
        return "push" if is_push(int(value)) else f"#{value}"
    return _duration(value) if column.kind is ColumnKind.DURATION else wording.exact(value)


def _words(column: RowColumn, words: str) -> str:
    """Labels instead of the codes of dimensions."""
    if column.kind is ColumnKind.LINK:
        return tool_link(words)
    if column.name == Dimension.METHOD:
        return ", ".join(method_words(method) for method in words.split(", "))
    if column.name in {*Dimension}:
        return ", ".join(label_of(value, Dimension(column.name)) for value in words.split(", "))
    return words


def greatest_rows(filters: Filters, metric: Metric, *, size: int) -> dict[str, Any]:
    """The context of insights/_part_greatest.html: the facts with the greatest values of a metric."""
    shown = visible_rows(filters.query(metric.key), filters.access, size=size, order=GREATEST)
    if all(row.get(LABEL) in (None, *NOBODY.values()) for row in shown.rows):
        shown = replace(shown, columns=[column for column in shown.columns if column.name not in (LABEL, PERSON.name)])
    return {
        "table": replace(row_table(shown, order=GREATEST, with_bars=True), caption=highest_title(metric)),
        "note": shown.note,
        "hides_rows": bool(shown.note and not shown.total),
    }


def greatest_rows_csv(filters: Filters, metric: Metric) -> Iterator[list[Cell]]:
    """The rows of all facts, the greatest first."""

    def read(page: int) -> RowsPage:
        return visible_rows(filters.query(metric.key), filters.access, page=page, size=LARGEST_PAGE, order=GREATEST)

    return _csv_rows(read(1), read)
