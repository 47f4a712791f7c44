"""Figures of thousands of people as bytes: columns of numbers, which are read within milliseconds.

A header (JSON, after its length in four bytes) names the metrics, the reasons why there is no value, and the lists of
agents; the columns follow, each with a number for every person, in the order in which equals stand on the board.
"""

from __future__ import annotations

import json
import math
import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from insights.leaderboard.columns import METRICS
from insights.leaderboard.figures import FactFigures
from insights.metrics.by_person import PersonValue
from insights.people_figures.members import Days

PERSON, DAY, VALUE, NUMBER = "q", "i", "d", "H"  # types of arrays
MISSING = 1 << 15  # beside the number of the reason


def packed(figures: FactFigures) -> bytes:
    """All of them."""
    people = figures.people
    reasons: dict[str, int] = {"": 0}
    agents: dict[tuple[str, ...], int] = {}
    days = [figures.days(person) for person in people]
    columns: list[array[int] | array[float]] = [
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
    header = {"people": len(people), "metrics": METRICS, "reasons": [*reasons], "agents": [*agents]}
    told = json.dumps(header).encode()
    return b"".join((struct.pack(">I", len(told)), told, *(column.tobytes() for column in columns)))


@dataclass(frozen=True, eq=False)
class Unpacked:
    """Figures of `packed`, as of `read_at`."""

    content: bytes
    read_at: datetime

    @cached_property
    def people(self) -> Sequence[int]:
        return self._columns.people

    @property
    def days(self) -> Sequence[Days]:
        columns = self._columns
        return list(map(Days, columns.people, columns.firsts, columns.lasts))

    def numbers(self, key: str) -> Mapping[int, float | None]:
        columns = self._columns
        told = zip(columns.people, columns.values[key], strict=True)
        return {person: None if math.isnan(value) else value for person, value in told}

    def value(self, key: str, person_id: int) -> PersonValue:
        columns, place = self._columns, self._places[person_id]
        value, told = columns.values[key][place], columns.told[key][place]
        reason = columns.reasons[told & ~MISSING]
        return PersonValue(None if math.isnan(value) else value, reason, missing=bool(told & MISSING))

    def agents(self, person_id: int) -> Sequence[str]:
        columns = self._columns
        return columns.agents[columns.agents_of[self._places[person_id]]]

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return {person: place for place, person in enumerate(self.people)}

    @cached_property
    def _columns(self) -> _Columns:
        return _Columns(self.content)


class _Columns:
    def __init__(self, content: bytes) -> None:
        (length,) = struct.unpack_from(">I", content)
        header = json.loads(content[4 : 4 + length])
        self._content, self._at, self._length = memoryview(content), 4 + length, header["people"]
        self.reasons: Sequence[str] = header["reasons"]
        self.agents: Sequence[Sequence[str]] = header["agents"]
        self.people: Sequence[int] = self._whole(PERSON)
        self.firsts: Sequence[int] = self._whole(DAY)
        self.lasts: Sequence[int] = self._whole(DAY)
        self.agents_of: Sequence[int] = self._whole(NUMBER)
        self.values: dict[str, array[float]] = {}
        self.told: dict[str, Sequence[int]] = {}
        for key in header["metrics"]:
            self.values[key] = array(VALUE, self._next(VALUE))
            self.told[key] = self._whole(NUMBER)

    def _whole(self, kind: str) -> Sequence[int]:
        return array(kind, self._next(kind))

    def _next(self, kind: str) -> bytes:
        end = self._at + array(kind).itemsize * self._length
        column = bytes(self._content[self._at : end])
        self._at = end
        return column
