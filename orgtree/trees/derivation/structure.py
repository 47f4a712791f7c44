"""The shape of a tree over time: the result of derivations, stored by `store_structure`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

SINCE_EVER = date.min
FOR_EVER = date.max
ROOT = 0  # number of the unit for the whole tree, if there is one


@dataclass(frozen=True, slots=True)
class DateRange:
    """Half-open range of days: [start, end)."""

    start: date
    end: date

    def holds(self, day: date) -> bool:
        return self.start <= day < self.end


class Timeline(Generic[Key, Value]):
    """Dated values by key, recorded in the order of days; None: no value."""

    def __init__(self) -> None:
        self._open: dict[Key, tuple[Value, date]] = {}
        self._closed: list[tuple[Key, Value, DateRange]] = []

    def put(self, key: Key, value: Value | None, on: date) -> None:
        """Set the key's value from that day on."""
        held = self._open.get(key)
        if held is not None:
            if held[0] == value:
                return
            if held[1] < on:
                self._closed.append((key, held[0], DateRange(held[1], on)))
            del self._open[key]
        if value is not None:
            self._open[key] = (value, on)

    def rows(self) -> Iterator[tuple[Key, Value, DateRange]]:
        """One row per key, value and contiguous range of days."""
        yield from self._closed
        for key, (value, since) in self._open.items():
            yield key, value, DateRange(since, FOR_EVER)


@dataclass
class DerivedUnit:
    """A derived unit, identified by number until it is matched with a stored one.

    The first of `keys` is its current key.  The others are keys it would have had if its history had started later;
    they recognise a unit stored from a different history.  All keys of a structure differ.
    """

    number: int
    keys: list[str]
    name: str = ""
    likeness: str = ""  # level and value: matches a stored unit if no key does and it is unique
    leader_id: int | None = None
    named_after_id: int | None = None  # person it is named after, if it has no name of its own


@dataclass(frozen=True)
class Place:
    """Unit `number` is a child of `parent`; None: a root."""

    number: int
    parent: int | None
    during: DateRange


@dataclass(frozen=True)
class Member:
    person_id: int
    number: int
    during: DateRange


@dataclass
class Structure:
    """Units with their places and members on all days."""

    units: list[DerivedUnit] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
