"""Trees by attributes: sites, their departments, their teams.  docs/org-trees.md states the rules.

One pass over the days on which any value changes.  A person's *path* is their values from the first level up to the
first missing one; every path that somebody has, and every prefix of it, is a unit.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from orgtree.trees.derivation.structure import (
    FOR_EVER,
    ROOT,
    SINCE_EVER,
    DateRange,
    DerivedUnit,
    Member,
    Place,
    Structure,
    Timeline,
)

Path = tuple[str, ...]
LONGEST_KEY = 1000  # of Unit.key


@dataclass(frozen=True, slots=True)
class AttributeValue:
    person_id: int
    level: int
    value: str
    during: DateRange


def likeness_of(key: str) -> str:
    """The unit's own level and value as encoded in its stored key; empty for a hashed key."""
    if not key.startswith("["):
        return ""
    pairs = [part for part in json.loads(key) if isinstance(part, list)]
    return json.dumps(pairs[-1], ensure_ascii=False)


def tree_by_attributes(
    levels: Sequence[str],
    values: Iterable[AttributeValue],
    presence: Mapping[int, Sequence[DateRange]],
) -> Structure:
    """A unit for every path that somebody has on some day, below one permanent root.

    `levels` are attribute slugs.  `presence` holds the days of employment; people without an entry are always
    employed.  People without a value on the first level are in no unit.
    """
    sweep = _Sweep(levels)
    changes: dict[date, list[tuple[int, int, str | None]]] = defaultdict(list)
    moves: dict[date, list[tuple[int, bool]]] = defaultdict(list)
    for one in values:
        changes[one.during.start].append((one.person_id, one.level, one.value))
        if one.during.end < FOR_EVER:
            changes[one.during.end].append((one.person_id, one.level, None))
    for person_id, date_ranges in presence.items():
        sweep.absent.add(person_id)  # until they arrive
        for days in date_ranges:
            moves[days.start].append((person_id, True))
            if days.end < FOR_EVER:
                moves[days.end].append((person_id, False))
    for day in sorted(changes.keys() | moves.keys()):
        sweep.step(day, changes[day], moves[day])
    return sweep.structure()


class _Sweep:
    """The state on the current day, and the rows of all earlier days."""

    def __init__(self, levels: Sequence[str]) -> None:
        self.levels = levels
        self.absent: set[int] = set()
        self.values: dict[int, list[str | None]] = {}
        self.path: dict[int, Path] = {}
        self.people: dict[Path, set[int]] = defaultdict(set)
        self.unit_of: dict[Path, int] = {(): ROOT}
        self.last_path: dict[int, Path] = {}
        self.last_unit: dict[Path, int] = {}
        self.keys_used: set[Path] = set()
        self.units: list[DerivedUnit] = [DerivedUnit(ROOT, [""])]
        self.parents: Timeline[int, int] = Timeline()
        self.members: Timeline[int, int] = Timeline()

    def step(
        self, day: date, changes: Sequence[tuple[int, int, str | None]], moves: Sequence[tuple[int, bool]]
    ) -> None:
        touched = self._apply(changes, moves)
        joined: set[Path] = set()
        left: dict[Path, set[int]] = defaultdict(set)
        for person in touched:
            before, after = self.path.get(person, ()), self._path(person)
            self.path[person] = after
            shared = _shared(before, after)
            for length in range(shared + 1, len(before) + 1):
                self.people[before[:length]].discard(person)
                left[before[:length]].add(person)
            for length in range(shared + 1, len(after) + 1):
                self.people[after[:length]].add(person)
                joined.add(after[:length])
        started = sorted((path for path in joined if path not in self.unit_of), key=lambda path: (len(path), path))
        ended = sorted(path for path in left if not self.people[path])
        self._assign_units(started, ended, left, day)
        for person in touched:
            path = self.path[person]
            self.members.put(person, self.unit_of[path] if path else None, day)

    def _apply(self, changes: Sequence[tuple[int, int, str | None]], moves: Sequence[tuple[int, bool]]) -> set[int]:
        """Apply the day's rows and return the people affected.  A starting row takes precedence over an ending one."""
        for person, level, value in sorted(changes, key=lambda change: change[2] is not None):
            self.values.setdefault(person, [None] * len(self.levels))[level] = value
        for person, arrives in sorted(moves, key=lambda move: move[1]):
            if arrives:
                self.absent.discard(person)
            else:
                self.absent.add(person)
        return {person for person, _, _ in changes} | {person for person, _ in moves}

    def _path(self, person: int) -> Path:
        if person in self.absent:
            return ()
        known: list[str] = []
        for value in self.values.get(person, ()):
            if value is None:
                break
            known.append(value)
        return tuple(known)

    def _assign_units(
        self, started: Sequence[Path], ended: Sequence[Path], left: Mapping[Path, set[int]], day: date
    ) -> None:
        """Assign a unit to each new path, parents first: a unit that moved, a former unit, or a new one."""
        units = {path: self.unit_of.pop(path) for path in ended}
        claims: dict[Path, list[tuple[int, int]]] = defaultdict(list)
        new = set(started)
        for path in ended:
            target, strength = self._moved_to(path, left[path])
            if target in new:
                claims[target].append((-strength, units[path]))
        winners = {path: min(claims[path])[1] for path in claims}
        for path in started:
            unit = winners.get(path)
            if unit is None:
                unit = self._resume_or_create(path, day)
            else:
                self.units[unit].keys.append(self._key(path, day))
            self.unit_of[path] = unit
            self.last_path[unit] = path
            self.last_unit[path] = unit
            self.parents.put(unit, self.unit_of[path[:-1]], day)
        for unit in set(units.values()).difference(self.unit_of[path] for path in started):
            self.parents.put(unit, None, day)

    def _moved_to(self, path: Path, people: Iterable[int]) -> tuple[Path, int]:
        """The path with the same last value that most of the remaining people moved to; () if there is none."""
        staying = [self.path[person] for person in people if self.path[person]]
        chosen = Counter(after[: len(path)] for after in staying if after[len(path) - 1 : len(path)] == path[-1:])
        if not chosen:
            return (), 0
        target, strength = min(chosen.items(), key=lambda one: (-one[1], one[0]))
        return (target, strength) if 2 * strength > len(staying) else ((), 0)

    def _resume_or_create(self, path: Path, day: date) -> int:
        """The last unit on this path unless it has moved since; otherwise a new unit."""
        last = self.last_unit.get(path)
        if last is not None and self.last_path[last] == path:
            return last
        likeness = json.dumps([self.levels[len(path) - 1], path[-1]], ensure_ascii=False)
        unit = DerivedUnit(len(self.units), [self._key(path, day)], path[-1], likeness)
        self.units.append(unit)
        return unit.number

    def _key(self, path: Path, day: date) -> str:
        named: list[object] = [*zip(self.levels, path, strict=False)]
        if path in self.keys_used:
            named.append(str(day))
        self.keys_used.add(path)
        key = json.dumps(named, ensure_ascii=False)
        return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()

    def structure(self) -> Structure:
        places = [Place(ROOT, None, DateRange(SINCE_EVER, FOR_EVER))]
        places += [Place(unit, parent, during) for unit, parent, during in self.parents.rows()]
        members = [Member(person, unit, during) for person, unit, during in self.members.rows()]
        return Structure(self.units, places, members)


def _shared(one: Path, other: Path) -> int:
    """Length of the common prefix."""
    length = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        length += 1
    return length
