"""A section's figures as CSV: one line per metric, with the previous window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.csv_export import Cell
from insights.catalogue.registry import get
from insights.pages.answers import Answers


def section_rows(answers: Answers, keys: Sequence[str]) -> Iterator[list[Cell]]:
    yield ["Metric", "Key", "Unit", "Statistic", "Value", "Window before", "Facts", "Left out", "People", "Why not"]
    for key in keys:
        metric, figure, before = get(key), answers.figure(key), answers.figure_before(key)
        statistic = answers.answer(key).query.statistic or metric.statistic
        yield [
            metric.name,
            key,
            metric.unit.value,
            statistic.value if statistic else "",
            "hidden" if figure.withheld else figure.value,
            "hidden" if before.withheld else before.value,
            *(figure.sample_size, figure.left_out, figure.people, figure.reason or ""),
        ]
