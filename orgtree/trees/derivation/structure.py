"""The shape of a tree over time, as the derivations hand it over to be stored."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

SINCE_EVER = date.min
FOR_EVER = date.max
ROOT = 0  # the number of the unit that stands for the whole tree, where there is one


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days from `start` up to `end`, which no longer belongs to it."""

    start: date
    end: date

    def holds(self, day: date) -> bool:
        return self.start <= day < self.end


class Timeline(Generic[Key, Value]):
    """What holds for each key on which days, told day after day in order; None: nothing."""

    def __init__(self) -> None:
        self._open: dict[Key, tuple[Value, date]] = {}
        self._closed: list[tuple[Key, Value, Stretch]] = []

    def put(self, key: Key, value: Value | None, on: date) -> None:
        """From that day on the value holds for the key."""
        held = self._open.get(key)
        if held is not None:
            if held[0] == value:
                return
            if held[1] < on:
                self._closed.append((key, held[0], Stretch(held[1], on)))
            del self._open[key]
        if value is not None:
            self._open[key] = (value, on)

    def now(self, key: Key) -> Value | None:
        """What holds for the key on the last day told of it, and after."""
        held = self._open.get(key)
        return held[0] if held else None

    def rows(self) -> Iterator[tuple[Key, Value, Stretch]]:
        """Everything told, one row per key, value and unbroken stretch of days."""
        yield from self._closed
        for key, (value, since) in self._open.items():
            yield key, value, Stretch(since, FOR_EVER)


@dataclass
class DerivedUnit:
    """A unit as a derivation knows it: by number, until it is matched with a stored one.

    The first of `keys` is its own.  By the others it was recognised if the history was once told differently: keys
    under which it would be known had it begun later.  All keys of a structure differ.
    """

    number: int
    keys: list[str]
    name: str = ""
    likeness: str = ""  # what else recognises it when no key does and no second unit is alike: its level and value
    leader_id: int | None = None
    named_after_id: int | None = None  # the person whose name it takes, if it has none itself


@dataclass(frozen=True)
class Place:
    """Unit `number` stands below `parent`, or at the top (None)."""

    number: int
    parent: int | None
    during: Stretch


@dataclass(frozen=True)
class Member:
    person_id: int
    number: int
    during: Stretch


@dataclass
class Structure:
    """Units with their places and members on all days."""

    units: list[DerivedUnit] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
