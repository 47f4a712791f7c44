"""The difference between the picked line and Non-AI, with its interval; a separate part, because it reads facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.csv_export import Cell
from insights.catalogue.registry import get
from insights.engine.comparison import ANY_AGENT, WITHOUT, Comparison, Group
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
from insights.pages.drill import rows_of_part
from insights.privacy.visible import visible_comparisons
from insights.query.query import Dimension
from insights.ui import wording
from insights.ui.filters import Filters


@dataclass(frozen=True)
class Difference:
    """One metric of both groups, and their difference with its interval; `reason` says why there is none."""

    title: str
    first: str
    first_of: str
    second: str
    second_of: str
    difference: str
    interval: str
    verdict: Literal["", "better", "worse", "steady"]
    words: str
    reason: str
    unmatched: str
    first_rows_url: str
    second_rows_url: str


@dataclass(frozen=True)
class Differences:
    line: str
    line_key: str
    without: str
    rows: Sequence[Difference]


def differences_table(filters: Filters) -> Iterator[list[Cell]]:
    """The same as numbers; of withheld figures only the reason."""
    line = line_name(filters.picked[LINE.parameter])
    by_line = (f"{line}: facts", f"{line}: developers", "Non-AI", "Non-AI: facts", "Non-AI: developers")
    yield ["Metric", "Unit", line, *by_line, "Difference", "Interval from", "Interval to", "Why none"]
    for comparison in _comparisons(filters):
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


def _comparisons(filters: Filters) -> list[Comparison]:
    line, narrowed = filters.picked[LINE.parameter], of_work(filters)
    return visible_comparisons([query_of(narrowed, key) for key in COMPARED], line, filters.access)


def differences(filters: Filters) -> Differences:
    line = filters.picked[LINE.parameter]
    comparisons = _comparisons(filters)
    narrowed = of_work(filters)
    rows = [
        _row(narrowed, line, comparison, compared)
        for comparison, compared in zip(comparisons, COMPARED.values(), strict=True)
    ]
    return Differences(line_name(line), marker(line), line_name(WITHOUT), rows)


def fate_differences(filters: Filters) -> Differences:
    """What becomes of pull requests with any agent and without; a repository's commits name no agent."""
    narrowed = replace(of_work(filters), facets={})
    comparisons = visible_comparisons([query_of(narrowed, key) for key in FATE], ANY_AGENT, filters.access)
    rows = [
        _row(narrowed, ANY_AGENT, comparison, compared)
        for comparison, compared in zip(comparisons, FATE.values(), strict=True)
    ]
    return Differences(line_name(ANY_AGENT), marker(ANY_AGENT), line_name(WITHOUT), rows)


def _row(filters: Filters, line: str, comparison: Comparison, compared: Compared) -> Difference:
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
    return Difference(
        title=f"{compared.title}{statistic}" + (" per developer" if get(key).over_buckets else ""),
        first=_value(comparison.first, key),
        first_of=_size(comparison.first, compared),
        second=_value(comparison.second, key),
        second_of=_size(comparison.second, compared),
        difference="" if delta is None else _signed(delta, key),
        interval="" if interval is None else f"{_signed(interval.low, key)} to {_signed(interval.high, key)}",
        verdict=verdict,
        words=words,
        reason=comparison.reason or ("" if delta is not None else "One of the groups has nothing to compare."),
        unmatched=f"{wording.count(comparison.unmatched, *compared.fact)} without a known developer left out."
        if comparison.unmatched
        else "",
        first_rows_url=first_rows_url,
        second_rows_url=second_rows_url,
    )


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
    facts = wording.count(group.facts, *compared.fact)
    return f"{facts} · {wording.count(group.developers, 'developer')}"


def _signed(value: float, key: str) -> str:
    return f"{'−' if value < 0 else '+'}{value_words(abs(value), key)}"
