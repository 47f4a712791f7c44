"""A table by the values of a dimension: a row for each value, a column for each metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.csv_export import Cell
from insights.catalogue.registry import get
from insights.pages.answers import Answers, InsightsPage, PageQuery
from insights.pages.drawing import NAMELESS, rows_of_part
from insights.query.query import MetricValue
from insights.ui import wording
from insights.ui.cards import SplitTable
from insights.ui.figure_table import FigureCell, Heading, headings, sorted_by_value, with_bars
from insights.ui.filters import DIMENSION_LABELS, Choice, Filters
from insights.ui.labels import label_of

BY_VALUE = "value"  # of the dimension


@dataclass(frozen=True)
class SplitRow:
    """A value of the dimension with its figures, in the order of the metrics; None for a metric without facts."""

    value: str
    label: str
    figures: Sequence[MetricValue | None]


def sort_of_split(card: SplitTable) -> Choice:
    """The order of the table: by the first metric, the highest first, unless another is picked."""
    first, *others = card.metrics
    words = [f"-{first}", first, *(word for key in (*others, BY_VALUE) for word in (f"-{key}", key))]
    return Choice(f"{card.name}_sort", {word: word for word in words})


def split_context(card: SplitTable, page: InsightsPage, filters: Filters) -> dict[str, Any]:
    """The context of insights/_part_split.html."""
    rows = _rows(card, answers := _read(card, page, filters), filters)
    hidden = max(answers.left_out(key, card.by) for key in card.metrics)
    beyond = len(rows) - card.most
    notes = [
        f"{wording.count(beyond, 'further row')} in the CSV file." if beyond > 0 else "",
        f"{wording.count(hidden, 'row')} hidden in part: too few people." if hidden else "",
    ]
    return {
        "headings": _headings(card, page, filters),
        "rows": _printed(rows, card, filters),
        "note": " ".join(filter(None, notes)),
    }


def split_csv(card: SplitTable, page: InsightsPage, filters: Filters) -> Iterator[list[Cell]]:
    """All rows of the table as a CSV file."""
    metrics = [get(key) for key in card.metrics]
    yield [DIMENSION_LABELS[card.by], *(f"{metric.short} ({metric.unit.value})" for metric in metrics)]
    for row in _rows(card, _read(card, page, filters), filters):
        yield [
            row.label,
            *(None if figure is None else "hidden" if figure.withheld else figure.value for figure in row.figures),
        ]


def _read(card: SplitTable, page: InsightsPage, filters: Filters) -> Answers:
    return page.read(filters, [PageQuery(key, card.by, whole=True) for key in card.metrics])


def _rows(card: SplitTable, answers: Answers, filters: Filters) -> list[SplitRow]:
    by_metric = [answers.by_segment(key, card.by) for key in card.metrics]
    values = dict.fromkeys(value for figures in by_metric for value in figures)
    rows = [SplitRow(value, label_of(value, card.by), [of.get(value) for of in by_metric]) for value in values]
    sort = _sort(card, filters)
    key, is_descending = sort.removeprefix("-"), sort.startswith("-")
    by_label = sorted(rows, key=lambda row: row.label.casefold(), reverse=is_descending and key == BY_VALUE)
    if key == BY_VALUE:
        return by_label
    position = card.metrics.index(key)
    return sorted_by_value(by_label, lambda row: _value(row.figures[position]), descending=is_descending)


def _value(figure: MetricValue | None) -> float | None:
    return None if figure is None or figure.withheld else figure.value


def _printed(rows: Sequence[SplitRow], card: SplitTable, filters: Filters) -> list[tuple[str, list[FigureCell]]]:
    """The first rows, with bars in the column that sorts them, otherwise in the first one."""

    def cell(row: SplitRow, key: str, figure: MetricValue | None) -> FigureCell:
        metric, value = get(key), _value(figure)
        if figure is None or value is None:
            return FigureCell("Hidden" if figure and figure.withheld else "", (figure and figure.reason) or "")
        return FigureCell(
            wording.in_column(value, metric.unit),
            rows_url=rows_of_part(filters, key, card.by, row.value or NAMELESS),
            label=f"{metric.label}: {row.label}",
            value=value,
        )

    shown = rows[: card.most]
    cells = [[cell(row, key, figure) for key, figure in zip(card.metrics, row.figures, strict=True)] for row in shown]
    marked = with_bars(cells, card.metrics, _sort(card, filters), otherwise=card.metrics[0])
    return [(row.label, of_row) for row, of_row in zip(shown, marked, strict=True)]


def _headings(card: SplitTable, page: InsightsPage, filters: Filters) -> list[Heading]:
    choice = sort_of_split(card)
    return headings(
        {BY_VALUE: DIMENSION_LABELS[card.by], **{key: get(key).short for key in card.metrics}},
        _sort(card, filters),
        lambda word: f"{page.url(filters.with_pick(choice, word))}#{card.name.replace('_', '-')}",
        texts=(BY_VALUE,),
        stick=BY_VALUE,
        notes={key: filters.ignored_filters(get(key)) for key in card.metrics},
    )


def _sort(card: SplitTable, filters: Filters) -> str:
    choice = sort_of_split(card)
    return filters.picked.get(choice.parameter, choice.default)
