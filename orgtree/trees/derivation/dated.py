"""Edits of dated rows: replace values from an effective date on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from orgtree.trees.derivation.structure import FOR_EVER, DateRange

Value = TypeVar("Value")
Dated = tuple[Value, DateRange]


def cut(rows: Iterable[Dated[Value]], on: date) -> list[Dated[Value]]:
    """The part of the rows before the day."""
    return [(value, DateRange(days.start, min(days.end, on))) for value, days in rows if days.start < on]


def with_value_from(rows: Iterable[Dated[Value]], value: Value, on: date) -> list[Dated[Value]]:
    """The rows with `value` from that day on; later rows are dropped."""
    return joined([*cut(rows, on), (value, DateRange(on, FOR_EVER))])


def joined(rows: Iterable[Dated[Value]]) -> list[Dated[Value]]:
    """The rows by day, with adjacent rows of equal value merged."""
    merged: list[Dated[Value]] = []
    for value, days in sorted(rows, key=lambda row: row[1].start):
        if merged and merged[-1][0] == value and merged[-1][1].end == days.start:
            merged[-1] = (value, DateRange(merged[-1][1].start, days.end))
        else:
            merged.append((value, days))
    return merged


def overlap(one: DateRange, other: DateRange) -> DateRange | None:
    start, end = max(one.start, other.start), min(one.end, other.end)
    return DateRange(start, end) if start < end else None


def through(rows: Iterable[Dated[Value]], days: DateRange) -> list[Dated[Value]]:
    """The part of the rows within those days."""
    return [(value, common) for value, own in rows if (common := overlap(own, days)) is not None]
