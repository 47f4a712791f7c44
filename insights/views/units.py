"""The units below a page's unit, side by side in one table: a column for each of the page's headline figures.

The table is a part that the page asks for once it stands.  At the root of a tree it ends with the row *Unassigned*,
which no snapshot keeps and which therefore comes last, by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from insights import wording
from insights.filters import Choice, Filters
from insights.metrics.query import Figure, MetricQuery, Scope, SeriesAnswer
from insights.metrics.registry import get
from insights.metrics.terms import UnitOfMeasure
from insights.metrics.visible import Freshness, SideBySide, visible_together, visible_totals
from insights.views.scope_bar import last_day, look_around
from orgtree.csv_export import Cell, csv_response
from orgtree.queries.surroundings import StandingUnit, Surroundings

BY_NAME = "name"
SORT = "sort"
UNASSIGNED = "Unassigned"


@dataclass(frozen=True)
class Column:
    """A figure of each unit; `pick` takes from it what is shown, in `unit`."""

    key: str  # by which the table is sorted in the address
    label: str
    metric: str
    unit: UnitOfMeasure
    of_window_before: bool = False
    pick: Callable[[Figure], float | None] = lambda figure: figure.value

    def query(self, filters: Filters) -> MetricQuery:
        query = filters.query(self.metric, window=filters.previous if self.of_window_before else None)
        heeded = get(self.metric).facets
        return replace(query, facets={name: chosen for name, chosen in query.facets.items() if name in heeded})


@dataclass(frozen=True)
class UnitsOfPage:
    """What a page's table shows, where the page and the row *Unassigned* are found, and what the CSV is called."""

    filters: Filters
    columns: Sequence[Column]
    page_url: str
    unassigned_url: str
    csv_name: str

    @property
    def sort(self) -> str:
        """A column's key, with a minus for the greatest first; by name unless the address says otherwise."""
        return self.filters.picked[SORT]


@dataclass(frozen=True)
class Heading:
    label: str
    url: str
    sorted: str  # "", "ascending" or "descending"
    number: bool


@dataclass(frozen=True)
class PrintedCell:
    text: str  # empty: no data
    note: str  # why there is none, or what is hidden
    sorted: bool
    fraction: float | None = None  # 0–1, of the longest bar of the column


@dataclass(frozen=True)
class Row:
    """One unit's figures, in the order of the columns."""

    name: str
    url: str
    figures: Sequence[Figure]


@dataclass(frozen=True)
class PrintedRow:
    name: str
    url: str
    cells: Sequence[PrintedCell]


def _of_metric(key: str, label: str) -> Column:
    return Column(key, label, key, get(key).unit)


AI_COLUMNS = (
    _of_metric("ai.active_developers", "Active developers"),
    _of_metric("ai.adoption_rate", "Adoption"),
    _of_metric("ai.sessions_per_developer", "Sessions/dev"),
    _of_metric("ai.committed_code_share", "AI committed"),
    _of_metric("ai.spend", "Spend"),
    _of_metric("ai.spend_per_developer", "Spend/dev"),
    _of_metric("ai.spend_wasted", "Wasted"),
    _of_metric("ai.cache_hit_rate", "Cache hits"),
    _of_metric("ai.error_rate", "Error rate"),
    _of_metric("ai.ship_rate", "Ship rate"),
)


def units_choice(columns: Sequence[Column]) -> Choice:
    """How the table may be sorted, as a parameter of the page."""
    keys = (BY_NAME, *(column.key for column in columns))
    return Choice(SORT, {word: word for key in keys for word in (key, f"-{key}")})


@dataclass(frozen=True)
class UnitsPart:
    """Where a page's table and its CSV come from."""

    url: str
    csv_url: str
    below: str


def has_units(filters: Filters, around: Surroundings) -> bool:
    """Whether there is a table: what a person did in each unit is not compared."""
    return bool(around.children) and filters.scope.person_id is None


def units_table(request: HttpRequest, of_page: UnitsOfPage) -> HttpResponseBase:
    """The table as a part, or as a page of its own."""
    around = look_around(request, of_page.filters)
    rows = _sorted(_rows(of_page, around), of_page)
    context = {
        "title": f"Units below {around.unit.name}" if around.unit else "Units",
        "part": "insights/_units_table.html",
        "headings": _headings(of_page),
        "rows": _printed(rows, of_page),
        "width": len(of_page.columns) + 1,
        "unassigned_url": of_page.unassigned_url if _tells_unassigned(of_page.filters, around) else "",
        "below": around.unit.name if around.unit else "",
        "day": wording.day(last_day(of_page.filters)),
    }
    template = context["part"] if request.headers.get("HX-Request") else "insights/part_page.html"
    return render(request, str(template), context)


def unassigned_row(request: HttpRequest, of_page: UnitsOfPage) -> HttpResponseBase:
    """The table's last row: whose person is in no unit of the tree, or could not be matched."""
    around = look_around(request, of_page.filters)
    rows = [_unassigned(of_page, around)] if _tells_unassigned(of_page.filters, around) else []
    context = {
        "title": UNASSIGNED,
        "part": "insights/_units_rows.html",
        "rows": [replace(row, cells=[replace(c, fraction=None) for c in row.cells]) for row in _printed(rows, of_page)],
    }
    template = context["part"] if request.headers.get("HX-Request") else "insights/unassigned_page.html"
    return render(request, str(template), context | {"headings": _headings(of_page)})


def units_csv(request: HttpRequest, of_page: UnitsOfPage) -> HttpResponseBase:
    around = look_around(request, of_page.filters)
    rows = _sorted(_rows(of_page, around), of_page)
    if _tells_unassigned(of_page.filters, around):
        rows.append(_unassigned(of_page, around))
    return csv_response(of_page.csv_name, _csv_rows(rows, of_page.columns))


def _csv_rows(rows: Sequence[Row], columns: Sequence[Column]) -> Iterator[list[Cell]]:
    yield ["Unit", *(f"{column.label} ({column.unit})" for column in columns)]
    for row in rows:
        values = [column.pick(figure) for column, figure in zip(columns, row.figures, strict=True)]
        hidden = [figure.withheld for figure in row.figures]
        yield [row.name, *("hidden" if gone else value for value, gone in zip(values, hidden, strict=True))]


def _rows(of_page: UnitsOfPage, around: Surroundings) -> list[Row]:
    filters = of_page.filters
    if not has_units(filters, around):
        return []
    queries = [column.query(filters) for column in of_page.columns]
    asked = SideBySide(queries, [unit.pk for unit in around.children])
    [by_unit] = visible_together(filters.access, units=[asked], freshness=Freshness.OF_PAGES).units
    return [_row(unit, by_unit[unit.pk], of_page) for unit in around.children if unit.pk in by_unit]


def _row(unit: StandingUnit, answers: Sequence[SeriesAnswer], of_page: UnitsOfPage) -> Row:
    url = of_page.filters.with_unit(unit.slug).url(of_page.page_url)
    return Row(unit.name, url, [answer.total[0] for answer in answers])


def _tells_unassigned(filters: Filters, around: Surroundings) -> bool:
    return around.is_root and filters.access.sight.whole and filters.scope.person_id is None


def _unassigned(of_page: UnitsOfPage, around: Surroundings) -> Row:
    filters = of_page.filters
    tree = around.path[0].tree_slug
    elsewhere = replace(filters, scope=Scope(unassigned=tree, where=filters.scope.where))
    queries = [column.query(elsewhere) for column in of_page.columns]
    answers = visible_totals(queries, filters.access, freshness=Freshness.OF_PAGES)
    return Row(UNASSIGNED, elsewhere.url(of_page.page_url), [answer.total[0] for answer in answers])


def _sorted(rows: Sequence[Row], of_page: UnitsOfPage) -> list[Row]:
    """What is not known stands last, whichever way the table is sorted."""
    key, descending = of_page.sort.removeprefix("-"), of_page.sort.startswith("-")
    if key == BY_NAME:
        return sorted(rows, key=lambda row: row.name.casefold(), reverse=descending)
    position = [column.key for column in of_page.columns].index(key)
    pick = of_page.columns[position].pick
    values = {id(row): pick(row.figures[position]) for row in rows}
    known = [row for row in rows if values[id(row)] is not None]
    known.sort(key=lambda row: values[id(row)] or 0.0, reverse=descending)
    return [*known, *(row for row in rows if values[id(row)] is None)]


def _headings(of_page: UnitsOfPage) -> list[Heading]:
    words: Mapping[str, str] = {BY_NAME: "Unit", **{column.key: column.label for column in of_page.columns}}
    [choice] = [each for each in of_page.filters.choices if each.parameter == SORT]

    def url(key: str) -> str:
        ascending_next = of_page.sort == f"-{key}" or (key == BY_NAME and of_page.sort != BY_NAME)
        word = key if ascending_next else f"-{key}"
        return f"{of_page.filters.with_pick(choice, word).url(of_page.page_url)}#units"

    return [
        Heading(
            label,
            url(key),
            {key: "ascending", f"-{key}": "descending"}.get(of_page.sort, ""),
            number=key != BY_NAME,
        )
        for key, label in words.items()
    ]


def _printed(rows: Sequence[Row], of_page: UnitsOfPage) -> list[PrintedRow]:
    columns = of_page.columns
    by = of_page.sort.removeprefix("-")
    with_bars = by if by != BY_NAME else columns[0].key
    greatest = {
        column.key: max((column.pick(row.figures[i]) or 0.0 for row in rows), default=0.0)
        for i, column in enumerate(columns)
    }

    def cell(column: Column, figure: Figure) -> PrintedCell:
        value, is_sorted = column.pick(figure), column.key == by
        if figure.withheld:
            return PrintedCell("Hidden", figure.reason or "", is_sorted)
        if value is None:
            return PrintedCell("", figure.reason or "", is_sorted)
        longest = greatest[column.key]
        fraction = value / longest if column.key == with_bars and longest else None
        return PrintedCell(_in_words(column, figure, value), "", is_sorted, fraction)

    return [
        PrintedRow(
            row.name, row.url, [cell(column, figure) for column, figure in zip(columns, row.figures, strict=True)]
        )
        for row in rows
    ]


def _in_words(column: Column, figure: Figure, value: float) -> str:
    if column.metric == "ai.active_developers" and figure.denominator:
        return f"{value:,.0f} of {figure.denominator:,.0f}"
    printed = wording.reading(value, column.unit)
    return printed.value if column.unit in (UnitOfMeasure.LINES, UnitOfMeasure.TOKENS) else str(printed)
