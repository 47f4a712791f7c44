"""The comparison: its parameters (units, metrics, and the sort column), and its table.

A row per unit, a column per metric, and the unit's rank as a colour and a mark.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest

from core.csv_export import Cell
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import metrics
from insights.pages.answers import InsightsPage, how_url
from insights.pages.delivery.tabs import DELIVERY_PAGE
from insights.pages.units import (
    BY_NAME,
    SORT,
    TREE,
    ListedUnits,
    Row,
    UnitsOfPage,
    columns_of,
    listed_units,
    units_choice,
)
from insights.query.enums import Better
from insights.query.errors import QueryError, UnknownUnitError
from insights.query.query import MetricValue
from insights.ui import wording
from insights.ui.figure_table import Heading, headings
from insights.ui.filters import STATISTIC, Filters, filters_of
from insights.ui.scope_bar import scope_navigation
from orgtree.trees.surroundings import visible_units

METRICS, UNITS = "metrics", "units"
MOST_METRICS, MOST_UNITS = 8, 30
DEFAULT_METRICS = (
    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
    *("dora.rework_rate", "pr.pickup_time", "pr.size", "ai.committed_code_share"),
)


@dataclass(frozen=True)
class CompareParams:
    """The state of the page; `units` are slugs; if empty, the units below the scope are compared."""

    filters: Filters
    metrics: Sequence[Metric]
    units: Sequence[str]
    sort: str  # a metric's key or `name`, with a minus for descending
    tree: str

    @property
    def page(self) -> InsightsPage:
        return InsightsPage("compare", facets=DELIVERY_PAGE.facets, extra_params=self.parameters())

    def parameters(self) -> Mapping[str, str]:
        """The parameters besides the filters; defaults are omitted."""
        keys = [metric.key for metric in self.metrics]
        values = {
            METRICS: "" if tuple(keys) == DEFAULT_METRICS else ",".join(keys),
            UNITS: ",".join(self.units),
            SORT: "" if self.sort == BY_NAME else self.sort,
            TREE: self.tree,
        }
        return {name: value for name, value in values.items() if value}

    def url(self, **changed: str) -> str:
        """The page's URL with changed parameters; empty ones are omitted."""
        parameters = {**self.parameters(), **changed}
        return self.filters.url(self.page.path, **{name: value for name, value in parameters.items() if value})

    def of_page(self) -> UnitsOfPage:
        return UnitsOfPage(self.page, self.filters, columns_of(metric.key for metric in self.metrics), self.tree)


def read_params(request: HttpRequest) -> CompareParams:
    """The request's parameters.  Raises QueryError."""
    chosen = _chosen_metrics(request)
    filters = filters_of(request, (STATISTIC, units_choice(columns_of(metric.key for metric in chosen))))
    units = _words(request, UNITS)
    if len(units) > MOST_UNITS:
        raise QueryError(UNITS, f"At most {MOST_UNITS} units can be compared.")
    return CompareParams(
        filters=replace(filters, choices=(STATISTIC,)),
        metrics=chosen,
        units=units,
        sort=filters.picked[SORT],
        tree=request.GET.get(TREE, ""),
    )


def comparable_metrics() -> Sequence[Metric]:
    """Metrics with a single figure per unit."""
    return [metric for metric in metrics() if not metric.always_by]


def compared_units(request: HttpRequest, params: CompareParams) -> ListedUnits:
    """The chosen units, or all units below the page's.  Raises UnknownUnitError for an unknown or hidden one."""
    if not params.units:
        return listed_units(scope_navigation(request, params.filters, is_part=True), params.of_page())
    known = {unit.slug: unit for unit in visible_units(params.units, params.filters.access.visibility)}
    for slug in params.units:
        if slug not in known:
            raise UnknownUnitError(slug)
    return ListedUnits([known[slug] for slug in params.units], wording.count(len(params.units), "chosen unit"))


def _chosen_metrics(request: HttpRequest) -> Sequence[Metric]:
    by_key = {metric.key: metric for metric in comparable_metrics()}
    keys = _words(request, METRICS) or list(DEFAULT_METRICS)
    if len(keys) > MOST_METRICS:
        raise QueryError(METRICS, f"At most {MOST_METRICS} metrics can be compared.")
    for key in keys:
        if key not in by_key:
            raise QueryError(METRICS, f"There is no metric {key} that can be compared.")
    return [by_key[key] for key in keys]


def _words(request: HttpRequest, name: str) -> list[str]:
    """The values of a repeated parameter, as forms send it, or of a comma-separated one."""
    given = (word.strip() for value in request.GET.getlist(name) for word in value.split(","))
    return list(dict.fromkeys(word for word in given if word))


FEWEST_RANKED = 3  # of two, one is always the best


@dataclass(frozen=True)
class Heat:
    key: str  # b2, b1, w1, w2; empty in the middle
    mark: str  # ++ + − −−: readable without colour
    words: str


MIDDLE = Heat("", "", "")
LEVELS = (  # by relative rank, 0 for the best
    (0.2, Heat("b2", "++", "Top 20%")),
    (0.4, Heat("b1", "+", "Top 40%")),
    (0.6, Heat("", "", "Middle")),
    (0.8, Heat("w1", "−", "Bottom 40%")),
    (1.0, Heat("w2", "−−", "Bottom 20%")),
)
LEGEND = tuple(heat for _, heat in LEVELS)


def heat_of(values: Sequence[float | None], better: Better) -> Sequence[Heat]:
    """The heat of each value by its rank; ties share a rank, missing values and small sets have none.

    Ranks are used instead of distances, because a single outlier would take the colour from all other values.
    """
    known = [value for value in values if value is not None]
    if better is Better.NEITHER or len(known) < FEWEST_RANKED:
        return [MIDDLE] * len(values)
    places = _places(known)
    return [MIDDLE if value is None else _level(places[value], better) for value in values]


def _places(known: Sequence[float]) -> Mapping[float, float]:
    """Value → its relative rank, 0 for the smallest and 1 for the greatest; ties get their mean."""
    ordered = sorted(known)
    last = len(ordered) - 1
    return {value: (bisect_left(ordered, value) + bisect_right(ordered, value) - 1) / 2 / last for value in set(known)}


def _level(place: float, better: Better) -> Heat:
    """The heat of a relative rank, which is 0 for the smallest value."""
    from_best = place if better is Better.LOWER else 1 - place
    return next(heat for limit, heat in LEVELS if from_best <= limit + 1e-9)


def table_headings(params: CompareParams) -> list[Heading]:
    """The headings: names sort ascending, metrics best first; the next click reverses the order."""
    return headings(
        {BY_NAME: "Unit", **{metric.key: metric.marked_name for metric in params.metrics}},
        params.sort,
        lambda word: params.url(**{SORT: word}),
        texts=(BY_NAME,),
        stick=BY_NAME,
        first=lambda key: _best_first(key, params),
        notes={metric.key: params.filters.ignored_filters(metric) for metric in params.metrics},
    )


def compared_rows(rows: Sequence[Row], params: CompareParams) -> list[dict[str, Any]]:
    """The formatted rows, in the given order."""
    return [
        {"name": row.name, "url": row.url, "cells": _cells(row.figures, heats, params, row.slug)}
        for row, heats in zip(rows, _heats(rows, params), strict=True)
    ]


def whole_row(name: str, url: str, figures: Sequence[MetricValue], params: CompareParams) -> dict[str, Any]:
    """The row of the whole, which has no rank."""
    return {"name": name, "url": url, "cells": _cells(figures, [MIDDLE] * len(figures), params)}


def csv_rows(rows: Sequence[Row], params: CompareParams) -> Iterator[list[Cell]]:
    heads: list[Cell] = ["Unit"]
    for metric in params.metrics:
        heads += [f"{metric.name} ({metric.unit})", f"{metric.name}: sample", f"{metric.name}: rank"]
    yield heads
    for row, heats in zip(rows, _heats(rows, params), strict=True):
        cells: list[Cell] = [row.name]
        for metric, figure, heat in zip(params.metrics, row.figures, heats, strict=True):
            words = "too few records" if _is_small(figure, metric) else heat.words
            cells += ["hidden" if figure.withheld else figure.value, figure.sample_size, words]
        yield cells


def _heats(rows: Sequence[Row], params: CompareParams) -> list[tuple[Heat, ...]]:
    """The heat of each row, by metric."""
    by_metric = [
        heat_of([_ranked(row.figures[at], metric) for row in rows], metric.better)
        for at, metric in enumerate(params.metrics)
    ]
    return list(zip(*by_metric, strict=True))


def _cells(
    figures: Sequence[MetricValue], heats: Sequence[Heat], params: CompareParams, unit: str | None = None
) -> list[dict[str, Any]]:
    """The cells of a unit's row, or of the whole."""
    filters = params.filters if unit is None else params.filters.with_unit(unit)
    return [
        _cell(metric, figure, heat, how_url(filters, metric.key), params)
        for metric, figure, heat in zip(params.metrics, figures, heats, strict=True)
    ]


def _best_first(key: str, params: CompareParams) -> str:
    if key == BY_NAME:
        return BY_NAME
    [metric] = [candidate for candidate in params.metrics if candidate.key == key]
    return key if metric.better == "lower" else f"-{key}"


def _is_small(figure: MetricValue, metric: Metric) -> bool:
    return figure.value is not None and figure.sample_size < metric.minimum_sample


def _ranked(figure: MetricValue, metric: Metric) -> float | None:
    """The value to rank by; None if it is hidden or below the minimum sample."""
    return None if figure.withheld or _is_small(figure, metric) else figure.value


def _cell(metric: Metric, figure: MetricValue, heat: Heat, url: str, params: CompareParams) -> dict[str, Any]:
    cell = {"heat": MIDDLE, "how_url": url, "sorted": params.sort.removeprefix("-") == metric.key}
    if figure.value is None:
        return {**cell, "text": "", "note": figure.reason or "", "is_hidden": figure.withheld}
    facts = wording.count(figure.sample_size, metric.fact)
    if _is_small(figure, metric):
        note = f"{facts}: {metric.minimum_sample} needed to rank it"
        return {**cell, "text": str(wording.reading(figure.value, metric.unit)), "note": note, "is_small": True}
    note = f"{heat.words}, {facts}" if heat.mark else facts
    return {**cell, "text": wording.in_column(figure.value, metric.unit), "heat": heat, "note": note}
