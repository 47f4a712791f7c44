"""Work with agents compared with work without: both values of a metric, their difference and its interval, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from core.csv_export import Cell
from insights.catalogue.agents import agent_name
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.engine.compared_lines import ANY_AGENT, WITHOUT
from insights.engine.comparison import Comparison, Group
from insights.pages.drawing import rows_of_part
from insights.privacy.visible import visible_comparisons
from insights.query.query import Dimension
from insights.ui import wording
from insights.ui.filters import STATISTIC_LABELS, Filters


def line_name(line: str) -> str:
    return {ANY_AGENT: "Any agent", WITHOUT: "Non-AI"}.get(line) or agent_name(line)


def marker(line: str) -> str:
    """The key of its marker and colour."""
    return {WITHOUT: "none", ANY_AGENT: "any"}.get(line, line)


def value_words(value: float, key: str) -> str:
    """Figures per developer have two decimals, as in publications."""
    metric = get(key)
    return f"{value:,.2f}" if metric.over_buckets else str(wording.reading(value, metric.unit))


def beside_non_ai(filters: Filters, line: str, keys: Iterable[str]) -> dict[str, Any]:
    """The context of insights/_part_differences.html."""
    comparisons = visible_comparisons([filters.query(key) for key in keys], line, filters.access)
    rows = [_row(filters, line, comparison) for comparison in comparisons]
    return {"line": line_name(line), "line_key": marker(line), "without": line_name(WITHOUT), "rows": rows}


def beside_non_ai_csv(filters: Filters, line: str, keys: Iterable[str]) -> Iterator[list[Cell]]:
    """The same as numbers; of withheld figures only the reason."""
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
    verdict, words = _verdict(comparison)
    title = f"{metric.label}{statistic}"
    return {
        # the chart beside it says another value: of everybody
        "title": f"{title}, known developers" if comparison.unmatched else title,
        "first": _value(comparison.first, key),
        "first_of": _size(comparison.first, metric),
        "second": _value(comparison.second, key),
        "second_of": _size(comparison.second, metric),
        "difference": "" if delta is None else _signed(delta, key),
        "interval": "" if interval is None else f"{_signed(interval.low, key)} to {_signed(interval.high, key)}",
        "verdict": verdict,
        "words": words,
        "reason": comparison.reason or ("" if delta is not None else "No comparison: one group has no data."),
        "unmatched": f"{wording.count(comparison.unmatched, metric.fact)} without a matched author excluded."
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


def _signed(value: float, key: str) -> str:
    return f"{'−' if value < 0 else '+'}{value_words(abs(value), key)}"
