"""An answer in a form that can be compared."""

from __future__ import annotations

from collections.abc import Mapping

from insights.query.query import Answer, MetricValue


def comparable(answer: Answer) -> object:
    figures = [_compared(figure) for figure in (*answer.total, *answer.series)]
    return (answer.query.key, answer.query.segments, figures, rounded(answer.unmatched))


def _compared(figure: MetricValue) -> object:
    """Sums of floats depend on the order in which rows are read, in their last digits."""
    return tuple(map(rounded, vars(figure).values()))


def rounded(value: object) -> object:
    if isinstance(value, Mapping):
        return sorted((key, rounded(item)) for key, item in value.items())
    return float(f"{value:.9g}") if isinstance(value, float) else value
