"""The difference between the picked line and Non-AI, with its interval; a separate part, because it reads facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from core.csv_export import Cell
from insights.catalogue.registry import get
from insights.engine.compared_lines import ANY_AGENT, WITHOUT
from insights.engine.comparison import Comparison, Group
from insights.pages.ai.lines import (
    COMPARED,
    CYCLE,
    FATE,
    LINE,
    Compared,
    line_name,
    marker,
    of_work,
    query_of,
    value_words,
)
from insights.pages.drawing import rows_of_part
from insights.privacy.visible import visible_comparisons, visible_totals
from insights.query.query import Dimension, Freshness
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.tiles import by_segment

WHY_LEFT_OUT = {"pending": "merged less than 21 full days ago", "unknown": "without a clone that shows their lines"}


def differences_table(filters: Filters) -> Iterator[list[Cell]]:
    """The same as numbers; of withheld figures only the reason."""
    line = line_name(filters.picked[LINE.parameter])
    by_line = (f"{line}: facts", f"{line}: developers", "Non-AI", "Non-AI: facts", "Non-AI: developers")
    yield ["Metric", "Unit", line, *by_line, "Difference", "Interval from", "Interval to", "Why none"]
    narrowed = of_work(filters)
    queries = [query_of(narrowed, key) for key in COMPARED]
    for comparison in visible_comparisons(queries, filters.picked[LINE.parameter], filters.access):
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


def differences(filters: Filters) -> dict[str, Any]:
    return _beside_non_ai(of_work(filters), filters.picked[LINE.parameter], COMPARED)


def fate_differences(filters: Filters) -> dict[str, Any]:
    """Pull request outcomes with any agent and without; a repository's commits name no agent."""
    narrowed = replace(of_work(filters), facets={})
    return {**_beside_non_ai(narrowed, ANY_AGENT, FATE), "note": _lines_left_out(narrowed)}


def _beside_non_ai(filters: Filters, line: str, metrics: Mapping[str, Compared]) -> dict[str, Any]:
    comparisons = visible_comparisons([query_of(filters, key) for key in metrics], line, filters.access)
    rows = [
        _row(filters, line, comparison, compared)
        for comparison, compared in zip(comparisons, metrics.values(), strict=True)
    ]
    return {"line": line_name(line), "line_key": marker(line), "without": line_name(WITHOUT), "rows": rows}


def _lines_left_out(filters: Filters) -> str:
    """Of how many pull requests it is not known how many lines were rewritten."""
    query = replace(query_of(filters, "pr.rewritten_left_out"), segments=(Dimension.LINES_KNOWN,))
    [answer] = visible_totals([query], filters.access, freshness=Freshness.OF_PAGES)
    known = by_segment(answer, Dimension.LINES_KNOWN)
    counted = {name: int(known[name].numerator or 0) for name in WHY_LEFT_OUT if name in known}
    parts = [f"{wording.count(count, 'PR')} {WHY_LEFT_OUT[name]}" for name, count in counted.items() if count]
    return f"Lines rewritten leave out {' and '.join(parts)}." if parts else ""


def _row(filters: Filters, line: str, comparison: Comparison, compared: Compared) -> dict[str, Any]:
    key = compared.key
    first_rows_url, second_rows_url = (
        rows_of_part(filters, key, Dimension.ASSISTANCE, name)
        if key in FATE
        else rows_of_part(filters, key, Dimension.AGENT, marker(name))
        for name in (line, WITHOUT)
    )
    statistic = f", {CYCLE.options[comparison.query.statistic].lower()}" if comparison.query.statistic else ""
    delta, interval = comparison.difference, comparison.interval
    verdict, words = _verdict(comparison)
    title = f"{compared.title}{statistic}" + (" per developer" if get(key).over_buckets else "")
    return {
        # the chart beside it says another value: of everybody
        "title": f"{title}, known developers" if comparison.unmatched else title,
        "first": _value(comparison.first, key),
        "first_of": _size(comparison.first, compared),
        "second": _value(comparison.second, key),
        "second_of": _size(comparison.second, compared),
        "difference": "" if delta is None else _signed(delta, key),
        "interval": "" if interval is None else f"{_signed(interval.low, key)} to {_signed(interval.high, key)}",
        "verdict": verdict,
        "words": words,
        "reason": comparison.reason or ("" if delta is not None else "One of the groups has no data to compare."),
        "unmatched": f"{wording.count(comparison.unmatched, compared.fact)} without a known developer left out."
        if comparison.unmatched
        else "",
        "first_rows_url": first_rows_url,
        "second_rows_url": second_rows_url,
    }


def _verdict(comparison: Comparison) -> tuple[Literal["", "better", "worse", "steady"], str]:
    if comparison.interval is None or comparison.difference is None:
        return "", ""
    if comparison.interval.holds_nothing:
        return "steady", "No significant difference: the interval includes 0."
    higher = comparison.difference > 0
    better = higher == (get(comparison.query.key).better == "higher")
    direction = "Higher" if higher else "Lower"
    return ("better" if better else "worse"), f"{direction} than chance between developers explains."


def _value(group: Group, key: str) -> str:
    return "–" if group.value is None else value_words(group.value, key)


def _size(group: Group, compared: Compared) -> str:
    facts = wording.count(group.facts, compared.fact)
    return f"{facts} · {wording.count(group.developers, 'developer')}"


def _signed(value: float, key: str) -> str:
    return f"{'−' if value < 0 else '+'}{value_words(abs(value), key)}"
