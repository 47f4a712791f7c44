"""How far the picked line and Non-AI are apart, and how sure that is: a part of its own, for it is read from facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.csv_export import Cell
from insights.catalogue.registry import get
from insights.engine.comparison import WITHOUT, Comparison, Group
from insights.pages.ai.lines import (
    COMPARED,
    CYCLE,
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
    """One metric's two groups in words, and their difference with its interval; `reason` says why there is none."""

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
    """The same as numbers; of what may not be told no more than why."""
    line = line_name(filters.picked[LINE.parameter])
    of_each = (f"{line}: facts", f"{line}: developers", "Non-AI", "Non-AI: facts", "Non-AI: developers")
    yield ["Metric", "Unit", line, *of_each, "Difference", "Interval from", "Interval to", "Why none"]
    for found in _found(filters):
        groups = [cell for each in (found.first, found.second) for cell in (each.value, each.facts, each.developers)]
        interval = [found.interval.low, found.interval.high] if found.interval else [None, None]
        metric = get(found.query.key)
        yield [
            *(metric.key, str(metric.unit), *([None] * len(groups) if found.withheld else groups)),
            *(found.difference, *interval, found.reason),
        ]


def _found(filters: Filters) -> list[Comparison]:
    line, narrowed = filters.picked[LINE.parameter], of_work(filters)
    return visible_comparisons([query_of(narrowed, key) for key in COMPARED], line, filters.access)


def differences(filters: Filters) -> Differences:
    line = filters.picked[LINE.parameter]
    found = _found(filters)
    narrowed = of_work(filters)
    rows = [_row(narrowed, line, each, compared) for each, compared in zip(found, COMPARED.values(), strict=True)]
    return Differences(line_name(line), marker(line), line_name(WITHOUT), rows)


def _row(filters: Filters, line: str, found: Comparison, compared: Compared) -> Difference:
    key = compared.key
    first_rows_url, second_rows_url = (
        rows_of_part(filters, key, Dimension.AGENT, marker(each)) for each in (line, WITHOUT)
    )
    statistic = f", {CYCLE.options[found.query.statistic].lower()}" if found.query.statistic else ""
    delta, interval = found.difference, found.interval
    verdict, words = _verdict(found)
    return Difference(
        title=f"{compared.title}{statistic}" + (" per developer" if get(key).over_buckets else ""),
        first=_value(found.first, key),
        first_of=_size(found.first, compared),
        second=_value(found.second, key),
        second_of=_size(found.second, compared),
        difference="" if delta is None else _signed(delta, key),
        interval="" if interval is None else f"{_signed(interval.low, key)} to {_signed(interval.high, key)}",
        verdict=verdict,
        words=words,
        reason=found.reason or ("" if delta is not None else "One of the groups has nothing to compare."),
        unmatched=f"Of known developers: {wording.count(found.unmatched, *compared.fact)} of nobody known left out."
        if found.unmatched
        else "",
        first_rows_url=first_rows_url,
        second_rows_url=second_rows_url,
    )


def _verdict(found: Comparison) -> tuple[Literal["", "better", "worse", "steady"], str]:
    if found.interval is None or found.difference is None:
        return "", ""
    if found.interval.holds_nothing:
        return "steady", "No difference shown: the interval holds 0."
    higher = found.difference > 0
    better = higher == (get(found.query.key).better == "higher")
    direction = "Higher" if higher else "Lower"
    return ("better" if better else "worse"), f"{direction} than chance between developers explains."


def _value(group: Group, key: str) -> str:
    return "–" if group.value is None else value_words(group.value, key)


def _size(group: Group, compared: Compared) -> str:
    facts = wording.count(group.facts, *compared.fact)
    return f"{facts} · {wording.count(group.developers, 'developer')}"


def _signed(value: float, key: str) -> str:
    return f"{'−' if value < 0 else '+'}{value_words(abs(value), key)}"
