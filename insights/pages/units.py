"""The table of a page's child units, with a column for each of the page's headline figures.

For the whole organisation these are the top units of one of its trees, the first unless `tree=` names another. The
table loads after the page.  At the root of a tree it ends with the row *Unassigned*, which is slow to compute and
therefore loads last, separately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.csv_export import Cell, csv_response
from core.page_links import Picker
from insights.catalogue import registry as headlines
from insights.catalogue.registry import get
from insights.pages.answers import InsightsPage
from insights.privacy.visible import Freshness, UnitQueries, visible_together
from insights.query.enums import UnitOfMeasure
from insights.query.errors import QueryError
from insights.query.query import MetricValue, Query, Scope
from insights.ui import wording
from insights.ui.figure_table import FigureCell, Heading, headings, sorted_by_value, with_bars
from insights.ui.filters import Choice, Filters
from insights.ui.scope_bar import EVERYBODY, last_day, scope_navigation, unit_name
from insights.ui.tiles import lagging
from insights.ui.views import render_part
from orgtree.trees.surroundings import Surroundings, TreeUnit, surroundings

BY_NAME = "name"
SORT = "sort"
TREE = "tree"
UNASSIGNED = "Unassigned"
UNASSIGNED_PART = "-unassigned"  # suffix of a card's name: the part with that row


@dataclass(frozen=True)
class Column:
    """A column of the table; `pick` selects the shown value of a figure, in `unit`."""

    key: str  # in the sort parameter
    label: str
    metric: str
    unit: UnitOfMeasure
    of_window_before: bool = False
    pick: Callable[[MetricValue], float | None] = lambda figure: figure.value

    def query(self, filters: Filters) -> Query:
        window = filters.previous if self.of_window_before else None
        return filters.query(self.metric, window=window, statistic=filters.statistic)


@dataclass(frozen=True)
class UnitsOfPage:
    """A page's table."""

    page: InsightsPage
    filters: Filters
    columns: Sequence[Column]
    tree: str  # of the units, for the whole organisation; empty: the first tree
    sort_by: str = SORT  # the parameter of its order
    anchor: str = "units"
    is_card: bool = False  # of a section, which loads as a part of the page

    def url(self, filters: Filters) -> str:
        """The page's URL with other filters and the same tree."""
        return filters.url(self.page.path, **{**self.page.extra_params, TREE: self.tree})

    @property
    def sort(self) -> str:
        """A column's key, with a minus for descending; the name by default."""
        return self.filters.picked[self.sort_by]


@dataclass(frozen=True)
class Row:
    """One unit's figures, in the order of the columns."""

    name: str
    url: str
    figures: Sequence[MetricValue]
    slug: str = ""  # empty: not a unit
    as_of: str = ""  # in words, if it is worth mentioning


def columns_of(keys: Iterable[str]) -> Sequence[Column]:
    return tuple(Column(key, get(key).short, key, get(key).unit) for key in keys)


AI_COLUMNS, DELIVERY_COLUMNS = columns_of(headlines.AI), columns_of(headlines.DELIVERY)


def units_choice(columns: Sequence[Column], parameter: str = SORT) -> Choice:
    """The sort picker of the table."""
    keys = (BY_NAME, *(column.key for column in columns))
    return Choice(parameter, {word: word for key in keys for word in (key, f"-{key}")})


@dataclass(frozen=True)
class ListedUnits:
    """The units of the table, the name of their parent, and the tree whose *Unassigned* is shown, if any.

    `trees` link to the units of other trees.
    """

    units: Sequence[TreeUnit]
    below: str
    unassigned_of: str = ""
    trees: Sequence[Picker] = ()


def units_part(
    request: HttpRequest, page: InsightsPage, filters: Filters, around: Surroundings
) -> dict[str, str] | None:
    """The URLs of a page's table; None without child units, or for one person."""
    if not has_units(filters, around):
        return None
    tree = {TREE: request.GET.get(TREE, "")} if _is_whole(filters) else {}
    url, csv_url = (page.route_url(filters, route, **tree, **page.origin) for route in ("units", "units_csv"))
    return {"url": url, "csv_url": csv_url, "below": unit_name(around.unit)}


def has_units(filters: Filters, around: Surroundings) -> bool:
    return filters.scope.person_id is None and bool(around.children or (_is_whole(filters) and around.tops))


def _is_whole(filters: Filters) -> bool:
    return filters.scope.unit_word is None and filters.scope.person_id is None


def listed_units(around: Surroundings, of_page: UnitsOfPage) -> ListedUnits:
    """The units shown together.  Raises QueryError for an unknown tree."""
    filters = of_page.filters
    if filters.scope.person_id is not None:
        return ListedUnits((), "")
    if around.unit is not None:
        tree = around.path[0].tree_slug if around.is_root and filters.access.visibility.whole else ""
        return ListedUnits(around.children, around.unit.name, tree)
    if not (_is_whole(filters) and around.tops):
        return ListedUnits((), EVERYBODY)
    trees = {top.tree_slug: top.tree_name for top in around.tops}
    chosen = of_page.tree or next(iter(trees))
    if chosen not in trees:
        raise QueryError(TREE, f"It can be {wording.listed(list(trees))}.")
    pickers = [
        Picker(name, f"{replace(of_page, tree=slug).url(filters)}#{of_page.anchor}", slug == chosen)
        for slug, name in trees.items()
    ]
    highest = _highest(around, chosen, filters)
    return ListedUnits(highest, trees[chosen], chosen, pickers if len(pickers) > 1 else ())


def _highest(around: Surroundings, tree: str, filters: Filters) -> Sequence[TreeUnit]:
    """The roots of a tree that the viewer sees, or the children of a single root."""
    tops = [top for top in around.tops if top.tree_slug == tree]
    if len(tops) != 1:
        return tops
    below = surroundings(tops[0].slug, filters.access.visibility, on=last_day(filters), today=filters.today).children
    return below or tops


def units_table(request: HttpRequest, of_page: UnitsOfPage) -> HttpResponseBase:
    """The table as a part, or as a separate page."""
    return render_part(request, units_context(_around(request, of_page), of_page))


def _around(request: HttpRequest, of_page: UnitsOfPage) -> Surroundings:
    return scope_navigation(request, of_page.filters, is_part=True)


def units_context(around: Surroundings, of_page: UnitsOfPage) -> dict[str, Any]:
    """The context of insights/_units_table.html."""
    listed = listed_units(around, of_page)
    rows = unit_rows(of_page, listed)
    return {
        "title": f"Units below {listed.below}",
        "part": "insights/_units_table.html",
        "headings": _headings(of_page),
        "rows": _printed(rows, of_page),
        "width": len(of_page.columns) + 1,
        "is_card": of_page.is_card,
        "unassigned_url": _unassigned_url(of_page) if listed.unassigned_of else "",
        "below": listed.below,
        "trees": listed.trees,
        "day": wording.day(last_day(of_page.filters)),
    }


def _unassigned_url(of_page: UnitsOfPage) -> str:
    page, filters = of_page.page, of_page.filters
    if of_page.is_card:
        return page.part_url(filters, f"{of_page.anchor}{UNASSIGNED_PART}")
    return page.route_url(filters, "units_unassigned", **{TREE: of_page.tree}, **page.origin)


def unassigned_row(request: HttpRequest, of_page: UnitsOfPage) -> HttpResponseBase:
    context = unassigned_context(_around(request, of_page), of_page)
    return render_part(request, context, page="insights/unassigned_page.html")


def unassigned_context(around: Surroundings, of_page: UnitsOfPage) -> dict[str, Any]:
    """The context of the table's last row: people in no unit of the tree, and unmatched facts."""
    listed = listed_units(around, of_page)
    rows = [_unassigned(of_page, listed.unassigned_of)] if listed.unassigned_of else []
    return {
        "title": UNASSIGNED,
        "part": "insights/_units_rows.html",
        "rows": [
            {**row, "cells": [replace(cell, fraction=None) for cell in row["cells"]]} for row in _printed(rows, of_page)
        ],
        "headings": _headings(of_page),
    }


def units_csv(request: HttpRequest, of_page: UnitsOfPage) -> HttpResponseBase:
    rows = units_csv_rows(_around(request, of_page), of_page)
    return csv_response(f"{of_page.page.file_name}-units", rows)


def units_csv_rows(around: Surroundings, of_page: UnitsOfPage) -> Iterator[list[Cell]]:
    """The table's CSV file."""
    listed = listed_units(around, of_page)
    rows = unit_rows(of_page, listed)
    if listed.unassigned_of:
        rows.append(_unassigned(of_page, listed.unassigned_of))
    return _csv_rows(rows, of_page.columns)


def _csv_rows(rows: Sequence[Row], columns: Sequence[Column]) -> Iterator[list[Cell]]:
    yield ["Unit", *(f"{column.label} ({column.unit})" for column in columns)]
    for row in rows:
        figures = zip(columns, row.figures, strict=True)
        yield [row.name, *("hidden" if figure.withheld else column.pick(figure) for column, figure in figures)]


def unit_rows(of_page: UnitsOfPage, listed: ListedUnits) -> list[Row]:
    """The figures of the listed units that the viewer may see, sorted; unknown values come last in both directions."""
    filters = of_page.filters
    if not listed.units:
        return []
    query = UnitQueries([column.query(filters) for column in of_page.columns], [unit.pk for unit in listed.units])
    together = visible_together(filters.access, units=[query], freshness=Freshness.OF_PAGES)
    [by_unit] = together.units
    rows = [
        Row(
            unit.name,
            filters.with_unit(unit.slug).url(of_page.page.path),
            [answer.total[0] for answer in by_unit[unit.pk]],
            unit.slug,
        )
        for unit in listed.units
        if unit.pk in by_unit
    ]
    key, descending = of_page.sort.removeprefix("-"), of_page.sort.startswith("-")
    if key == BY_NAME:
        return sorted(rows, key=lambda row: row.name.casefold(), reverse=descending)
    position = [column.key for column in of_page.columns].index(key)
    pick = of_page.columns[position].pick
    return sorted_by_value(rows, lambda row: pick(row.figures[position]), descending=descending)


def _unassigned(of_page: UnitsOfPage, tree: str) -> Row:
    filters = of_page.filters
    elsewhere = replace(filters, scope=Scope(unassigned=tree, where=filters.scope.where))
    totals = [column.query(elsewhere) for column in of_page.columns]
    together = visible_together(filters.access, totals=totals, freshness=Freshness.OF_PAGES)
    oldest = min(together.totals, key=lambda answer: answer.computed_at)
    figures = [answer.total[0] for answer in together.totals]
    return Row(UNASSIGNED, elsewhere.url(of_page.page.path), figures, as_of=lagging(oldest))


def _headings(of_page: UnitsOfPage) -> list[Heading]:
    filters = of_page.filters
    [choice] = [option for option in filters.choices if option.parameter == of_page.sort_by]
    return headings(
        {BY_NAME: "Unit", **{column.key: column.label for column in of_page.columns}},
        of_page.sort,
        lambda word: f"{of_page.url(filters.with_pick(choice, word))}#{of_page.anchor}",
        texts=(BY_NAME,),
        stick=BY_NAME,
        notes={column.key: filters.ignored_filters(get(column.metric)) for column in of_page.columns},
    )


def _printed(rows: Sequence[Row], of_page: UnitsOfPage) -> list[dict[str, Any]]:
    columns = of_page.columns
    cells = [[_cell(column, figure) for column, figure in zip(columns, row.figures, strict=True)] for row in rows]
    keys = [column.key for column in columns]
    return [
        {"name": row.name, "url": row.url, "as_of": row.as_of, "cells": marked}
        for row, marked in zip(rows, with_bars(cells, keys, of_page.sort, otherwise=keys[0]), strict=True)
    ]


def _cell(column: Column, figure: MetricValue) -> FigureCell:
    value = None if figure.withheld else column.pick(figure)
    if value is None:
        return FigureCell("Hidden" if figure.withheld else "", figure.reason or "")
    return FigureCell(_in_words(column, figure, value), value=value)


def _in_words(column: Column, figure: MetricValue, value: float) -> str:
    if column.metric == "ai.active_developers" and figure.denominator:
        return f"{value:,.0f} of {figure.denominator:,.0f}"
    return wording.in_column(value, column.unit)
