"""Work with agents compared with work without: both values of a metric, their difference and its interval, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from core.csv_export import Cell
from insights.catalogue.agents import agent_name
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.engine.compared_lines import ANY_AGENT, WITHOUT
from insights.engine.comparison import Comparison, Group
from insights.pages.drawing import rows_of_part
from insights.privacy.visible import visible_comparisons
from insights.query.enums import Better
from insights.query.query import Dimension
from insights.ui import wording
from insights.ui.filters import STATISTIC_LABELS, Filters
from insights.ui.labels import LABELS


def line_name(line: str) -> str:
    return LABELS[Dimension.ASSISTANCE].get(line) or agent_name(line)


def marker(line: str) -> str:
    """The key of the line's marker and colour."""
    return {WITHOUT: "none", ANY_AGENT: "any"}.get(line, line)


def value_words(value: float, key: str) -> str:
    """The value in words; figures per developer have two decimals, as in publications."""
    metric = get(key)
    return f"{value:,.2f}" if metric.over_buckets else str(wording.reading(value, metric.unit))


def beside_non_ai(filters: Filters, line: str, keys: Iterable[str]) -> dict[str, Any]:
    """The context of insights/_part_differences.html."""
    comparisons = visible_comparisons([filters.query(key) for key in keys], line, filters.access)
    plots = interval_plots(comparisons)
    rows = [{**_row(filters, line, one), "plot": plot} for one, plot in zip(comparisons, plots, strict=True)]
    names = {"line": line_name(line), "line_key": marker(line), "without": line_name(WITHOUT)}
    return {**names, "rows": rows, "has_plots": any(plots)}


def interval_plots(comparisons: Sequence[Comparison]) -> list[dict[str, Any] | None]:
    """Each difference and its interval relative to the value of Non-AI, with more being better.

    All share one scale.  Differences above 100 % do not stretch it: such ends lie beyond −1 and 1.  None without an
    interval, or if neither direction is better.
    """
    parts = [_relative(comparison) for comparison in comparisons]
    largest = max((max(map(abs, of)) for of in parts if of), default=0.0)
    scale = min(1.0, largest) or 1.0
    names = ("low", "at", "high")
    return [dict(zip(names, (value / scale for value in of), strict=True)) if of else None for of in parts]


def _relative(comparison: Comparison) -> tuple[float, float, float] | None:
    """The low end, the difference and the high end as shares of Non-AI's value."""
    interval, difference, beside = comparison.interval, comparison.difference, comparison.second.value
    better = get(comparison.query.key).better
    if interval is None or difference is None or not beside or better is Better.NEITHER:
        return None
    sign = 1 if better is Better.HIGHER else -1
    low, high = sorted(sign * end / abs(beside) for end in (interval.low, interval.high))
    return low, sign * difference / abs(beside), high


def beside_non_ai_csv(filters: Filters, line: str, keys: Iterable[str]) -> Iterator[list[Cell]]:
    """The differences as numbers; withheld figures only have the reason."""
    name = line_name(line)
    by_line = (f"{name}: facts", f"{name}: developers", "Non-AI", "Non-AI: facts", "Non-AI: developers")
    yield ["Metric", "Unit", name, *by_line, "Difference", "Interval from", "Interval to", "Why none"]
    for comparison in visible_comparisons([filters.query(key) for key in keys], line, filters.access):
        groups = [
            value
            for group in (comparison.first, comparison.second)
            for value in (group.value, group.facts, group.developers)
        ]
        interval = [comparison.interval.low, comparison.interval.high] if comparison.interval else [None, None]
        metric = get(comparison.query.key)
        yield [
            *(metric.key, str(metric.unit), *([None] * len(groups) if comparison.withheld else groups)),
            *(comparison.difference, *interval, comparison.reason),
        ]


def _row(filters: Filters, line: str, comparison: Comparison) -> dict[str, Any]:
    key = comparison.query.key
    metric = get(key)
    first_rows_url, second_rows_url = (
        rows_of_part(filters, key, Dimension.AGENT, marker(name)) for name in (line, WITHOUT)
    )
    statistic = f", {STATISTIC_LABELS[comparison.query.statistic].lower()}" if comparison.query.statistic else ""
    delta, interval = comparison.difference, comparison.interval
    ends = (interval.low, interval.high) if interval else ()
    difference, *reach = _signed((delta, *ends), metric) if delta is not None else ("",)
    verdict, words = _verdict(comparison)
    return {
        "title": f"{metric.label}{statistic}",
        "first": _value(comparison.first, key),
        "first_of": _size(comparison.first, metric),
        "second": _value(comparison.second, key),
        "second_of": _size(comparison.second, metric),
        "difference": difference,
        "interval": " to ".join(reach),
        "verdict": verdict,
        "words": words,
        "reason": comparison.reason or ("" if delta is not None else "No comparison: one group has no data."),
        "unmatched": f"{wording.count(comparison.unmatched, metric.fact)} without a matched author."
        if comparison.unmatched
        else "",
        "first_rows_url": first_rows_url,
        "second_rows_url": second_rows_url,
    }


def _verdict(comparison: Comparison) -> tuple[Literal["", "better", "worse", "steady"], str]:
    if comparison.interval is None or comparison.difference is None:
        return "", ""
    if comparison.interval.holds_nothing:
        return "steady", "Not significant: the interval includes 0."
    higher = comparison.difference > 0
    better = higher == (get(comparison.query.key).better == "higher")
    return ("better" if better else "worse"), "Statistically significant."


def _value(group: Group, key: str) -> str:
    return "–" if group.value is None else value_words(group.value, key)


def _size(group: Group, metric: Metric) -> str:
    facts = wording.count(group.facts, metric.fact)
    return f"{facts} · {wording.count(group.developers, 'developer')}"


def _signed(values: Sequence[float], metric: Metric) -> list[str]:
    return wording.signed(values, "" if metric.over_buckets else metric.unit)
