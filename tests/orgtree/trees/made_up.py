"""Random small organisations over a few days: employment, reporting lines and attributes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from orgtree.trees.derivation.by_attributes import AttributeValue
from orgtree.trees.derivation.by_manager import ReportingLine
from orgtree.trees.derivation.structure import FOR_EVER, SINCE_EVER, DateRange

Value = TypeVar("Value", int, str, bool)
FIRST_DAY = date(2026, 3, 2)
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(12)]
LEVELS = ("site", "department", "team")
VALUES = (("Pune", "Oslo"), ("Engineering", "Product"), ("Payments", "Search", "Platform"))


@dataclass
class MadeUp:
    """A state for each of `DAYS`; the state of the last day holds for ever after."""

    people: list[int]
    there: dict[date, set[int]] = field(default_factory=dict)
    manager: dict[date, dict[int, int]] = field(default_factory=dict)
    values: dict[date, dict[int, tuple[str | None, ...]]] = field(default_factory=dict)

    def presence(self) -> dict[int, list[DateRange]]:
        """Employment; who is there on every day has none, as people found in synced data."""
        presence: dict[int, list[DateRange]] = {}
        for person in self.people:
            if any(person not in self.there[day] for day in DAYS):
                presence[person] = [
                    date_range for _, date_range in _date_ranges([(person in self.there[day]) or None for day in DAYS])
                ]
        return presence

    def lines(self) -> list[ReportingLine]:
        return [
            ReportingLine(person, manager, date_range)
            for person in self.people
            for manager, date_range in _date_ranges([self.manager[day].get(person) for day in DAYS])
        ]

    def attribute_values(self) -> list[AttributeValue]:
        return [
            AttributeValue(person, level, value, date_range)
            for person in self.people
            for level in range(len(LEVELS))
            for value, date_range in _date_ranges([self.values[day][person][level] for day in DAYS])
        ]


def made_up_organisation(rng: random.Random) -> MadeUp:
    """People with moves of one and of many at once, leavers, returners and successions; no circles."""
    today = _Today(rng)
    made = MadeUp(today.people)
    for day in DAYS:
        if day != FIRST_DAY:
            for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
                rng.choice(EVENTS)(today)
        made.there[day], made.manager[day] = set(today.there), dict(today.manager)
        made.values[day] = dict(today.values)
    return made


class _Today:
    """The organisation as it is, and what can happen to it.

    A person reports to one with a lower number only, so that no circle can arise.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.people = list(range(1, rng.randint(4, 14) + 1))
        self.there = {person for person in self.people if rng.random() < 0.9}
        self.manager = {person: rng.randrange(1, person) for person in self.people[1:] if rng.random() < 0.9}
        self.values = {person: tuple(_value(rng, level) for level in range(len(LEVELS))) for person in self.people}

    def move_one(self) -> None:
        person = self.rng.choice(self.people[1:])
        self.manager[person] = self.rng.randrange(1, person)

    def hand_over_a_team(self) -> None:
        old, new = self.rng.sample(self.people, 2)
        for person in range(new + 1, self.people[-1] + 1):
            if self.manager.get(person) == old and self.rng.random() < 0.9:
                self.manager[person] = new

    def leave(self) -> None:
        person = self.rng.choice(self.people)
        self.there.discard(person)
        if self.rng.random() < 0.5:
            self.manager.pop(person, None)

    def come(self) -> None:
        self.there.add(self.rng.choice(self.people))

    def lose_the_manager(self) -> None:
        self.manager.pop(self.rng.choice(self.people), None)

    def change_a_value(self) -> None:
        person, level = self.rng.choice(self.people), self.rng.randrange(len(LEVELS))
        self._say(person, level, _value(self.rng, level))

    def move_a_team(self) -> None:
        team, department = _value(self.rng, 2), _value(self.rng, 1)
        for person in self.people:
            if self.values[person][2] == team and self.rng.random() < 0.95:
                self._say(person, 1, department)

    def _say(self, person: int, level: int, value: str | None) -> None:
        path = self.values[person]
        self.values[person] = (*path[:level], value, *path[level + 1 :])


EVENTS = (
    _Today.move_one,
    _Today.hand_over_a_team,
    _Today.leave,
    _Today.come,
    _Today.lose_the_manager,
    _Today.change_a_value,
    _Today.move_a_team,
)


def _value(rng: random.Random, level: int) -> str | None:
    return None if rng.random() < 0.08 else rng.choice(VALUES[level])


def _date_ranges(by_day: Sequence[Value | None]) -> list[tuple[Value, DateRange]]:
    """Values of consecutive days as stretches; the first begins since ever, the last never ends."""
    merged: list[tuple[Value, DateRange]] = []
    for number, value in enumerate(by_day):
        if value is None:
            continue
        start = SINCE_EVER if number == 0 else DAYS[number]
        end = DAYS[number + 1] if number + 1 < len(DAYS) else FOR_EVER
        if merged and merged[-1][0] == value and merged[-1][1].end == start:
            merged[-1] = (value, DateRange(merged[-1][1].start, end))
        else:
            merged.append((value, DateRange(start, end)))
    return merged
