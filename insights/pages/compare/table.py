"""The table of the comparison: a row per unit, a column per metric, a mark for the rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.csv_export import Cell
from insights.catalogue.declarations import Metric
from insights.pages.answers import how_url
from insights.pages.compare.heat import MIDDLE, Heat, heat_of
from insights.pages.compare.params import CompareParams
from insights.pages.units import BY_NAME, SORT, Row
from insights.query.enums import UnitOfMeasure
from insights.query.query import MetricValue
from insights.ui import wording
from insights.ui.figure_table import Heading, headings


def table_headings(params: CompareParams) -> list[Heading]:
    """Names sort ascending, metrics best first; the next click reverses the order."""
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
    heats = [
        heat_of([_ranked(row.figures[at], metric) for row in rows], metric.better) for at, metric in _columns(params)
    ]
    return [
        {
            "name": row.name,
            "url": row.url,
            "cells": [
                _cell(
                    metric,
                    row.figures[at],
                    heats[at][number],
                    how_url(params.filters.with_unit(row.slug), metric.key),
                    params,
                )
                for at, metric in _columns(params)
            ],
        }
        for number, row in enumerate(rows)
    ]


def whole_row(name: str, url: str, figures: Sequence[MetricValue], params: CompareParams) -> dict[str, Any]:
    """The row of the whole, which has no rank."""
    cells = [
        _cell(metric, figures[at], MIDDLE, how_url(params.filters, metric.key), params)
        for at, metric in _columns(params)
    ]
    return {"name": name, "url": url, "cells": cells}


def csv_rows(rows: Sequence[Row], params: CompareParams) -> Iterator[list[Cell]]:
    heads: list[Cell] = ["Unit"]
    for metric in params.metrics:
        heads += [f"{metric.name} ({metric.unit})", f"{metric.name}: facts", f"{metric.name}: among these units"]
    yield heads
    heats = [
        heat_of([_ranked(row.figures[at], metric) for row in rows], metric.better) for at, metric in _columns(params)
    ]
    for number, row in enumerate(rows):
        cells: list[Cell] = [row.name]
        for at, metric in _columns(params):
            figure = row.figures[at]
            words = "too few facts" if _is_small(figure, metric) else heats[at][number].words
            cells += ["hidden" if figure.withheld else figure.value, figure.sample_size, words]
        yield cells


def _columns(params: CompareParams) -> Sequence[tuple[int, Metric]]:
    return list(enumerate(params.metrics))


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
    is_sorted = params.sort.removeprefix("-") == metric.key
    if figure.value is None:
        return {
            "text": "",
            "heat": MIDDLE,
            "note": figure.reason or "",
            "how_url": url,
            "sorted": is_sorted,
            "is_hidden": figure.withheld,
        }
    printed = wording.reading(figure.value, metric.unit)
    is_short = metric.unit in (UnitOfMeasure.LINES, UnitOfMeasure.TOKENS)
    facts = wording.count(figure.sample_size, "fact")
    if _is_small(figure, metric):
        note = f"{facts}: {metric.minimum_sample} needed to rank it"
        return {
            "text": str(printed),
            "heat": MIDDLE,
            "note": note,
            "how_url": url,
            "sorted": is_sorted,
            "is_small": True,
        }
    note = f"{heat.words}, {facts}" if heat.mark else facts
    return {
        "text": printed.value if is_short else str(printed),
        "heat": heat,
        "note": note,
        "how_url": url,
        "sorted": is_sorted,
    }
