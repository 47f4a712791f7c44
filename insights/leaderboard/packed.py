"""Figures of thousands of people as columns of numbers: see insights/people_figures/columns.py.

People stand in the order in which equals stand on the board.  Reasons why there is no value, and lists of agents, are
few: they are listed once, and the columns have their numbers.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from insights.leaderboard.columns import METRICS
from insights.leaderboard.figures import FactFigures
from insights.metrics.by_person import PersonValue
from insights.people_figures.columns import pack, unpack

PERSON, DAY, VALUE, NUMBER = "q", "i", "d", "H"  # types of arrays
MISSING = 1 << 15  # beside the number of the reason


def packed(figures: FactFigures) -> bytes:
    """All of them."""
    people = figures.people
    reasons: dict[str, int] = {"": 0}
    agents: dict[tuple[str, ...], int] = {}
    days = [figures.days(person) for person in people]
    columns: list[array[Any]] = [
        array(PERSON, people),
        array(DAY, (first.toordinal() for first, _ in days)),
        array(DAY, (last.toordinal() for _, last in days)),
        array(NUMBER, (agents.setdefault(tuple(figures.agents(person)), len(agents)) for person in people)),
    ]
    for key in METRICS:
        values = [figures.value(key, person) for person in people]
        columns.append(array(VALUE, (math.nan if each.value is None else each.value for each in values)))
        columns.append(
            array(
                NUMBER,
                (reasons.setdefault(each.reason, len(reasons)) | (MISSING if each.missing else 0) for each in values),
            )
        )
    return pack({"metrics": METRICS, "reasons": [*reasons], "agents": [*agents]}, columns)


def unpacked(content: bytes, read_at: datetime) -> Unpacked:
    """What `packed` was given, as of `read_at`."""
    told, (people, firsts, lasts, agents_of, *columns) = unpack(content)
    return Unpacked(
        read_at,
        people,
        firsts,
        lasts,
        told["agents"],
        agents_of,
        dict(zip(told["metrics"], columns[::2], strict=True)),
        dict(zip(told["metrics"], columns[1::2], strict=True)),
        told["reasons"],
    )


@dataclass(frozen=True, eq=False)
class Unpacked:
    """Figures of everybody; what is there for each person stands at the place of the person."""

    read_at: datetime
    people: Sequence[int]
    firsts: Sequence[int]  # days, as `members` takes them
    lasts: Sequence[int]
    agents_told: Sequence[Sequence[str]]
    agents_of: Sequence[int]  # by their numbers in `agents_told`
    values: Mapping[str, Sequence[float]]  # by metric
    told: Mapping[str, Sequence[int]]  # by metric: the numbers of reasons, and what is MISSING
    reasons: Sequence[str]

    def numbers(self, key: str) -> Sequence[float]:
        return self.values[key]

    def value(self, key: str, person_id: int) -> PersonValue:
        place = self._places[person_id]
        value, told = self.values[key][place], self.told[key][place]
        reason = self.reasons[told & ~MISSING]
        return PersonValue(None if math.isnan(value) else value, reason, missing=bool(told & MISSING))

    def agents(self, person_id: int) -> Sequence[str]:
        return self.agents_told[self.agents_of[self._places[person_id]]]

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return {person: place for place, person in enumerate(self.people)}
