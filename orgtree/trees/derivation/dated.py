"""Changing what holds from a day on, in rows that each hold for a stretch of days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from orgtree.trees.derivation.structure import FOR_EVER, Stretch

Value = TypeVar("Value")
Dated = tuple[Value, Stretch]


def cut(rows: Iterable[Dated[Value]], on: date) -> list[Dated[Value]]:
    """What of the rows lies before the day."""
    return [(value, Stretch(days.start, min(days.end, on))) for value, days in rows if days.start < on]


def held_from(rows: Iterable[Dated[Value]], value: Value, on: date) -> list[Dated[Value]]:
    """The rows with `value` from that day on for ever: what was planned for later gives way."""
    return joined([*cut(rows, on), (value, Stretch(on, FOR_EVER))])


def joined(rows: Iterable[Dated[Value]]) -> list[Dated[Value]]:
    """The rows in the order of their days, with neighbours of equal value made one."""
    found: list[Dated[Value]] = []
    for value, days in sorted(rows, key=lambda row: row[1].start):
        if found and found[-1][0] == value and found[-1][1].end == days.start:
            found[-1] = (value, Stretch(found[-1][1].start, days.end))
        else:
            found.append((value, days))
    return found


def overlap(one: Stretch, other: Stretch) -> Stretch | None:
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Stretch(start, end) if start < end else None


def through(rows: Iterable[Dated[Value]], days: Stretch) -> list[Dated[Value]]:
    """What the rows say of those days."""
    return [(value, common) for value, own in rows if (common := overlap(own, days)) is not None]
