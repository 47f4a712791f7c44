"""What every developer has on the lines of comparisons, week by week, kept of the pages' windows.

Of the whole organisation; a unit takes from it whoever was in the unit on all days of what they did.  The others, and
what nobody known has there, are read from facts.
"""

from __future__ import annotations

import hashlib
import json
import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db import connection

from insights.metrics.figures import fingerprint
from insights.metrics.line_counts import Amounts, buckets_on_line, counts_for_owners, facts_done
from insights.metrics.plan import Clock, Plan, plan
from insights.metrics.query import Dimension, Granularity, MetricQuery, Window
from insights.metrics.reading import Placed
from insights.metrics.registry import get
from insights.people_figures.members import Days, Members, members
from insights.people_figures.store import Kind, kept_of
from integrations.facts.developers import DEVELOPERS_ON_LINES

FORMAT = 1  # of what is packed
KEYS = ("pr.merged_per_developer", "work.delivered_per_developer")
SPLITS = (Dimension.ASSISTANCE, Dimension.AGENT)
ON_LINE = "on line"  # beside the keys, whose facts are counted: the buckets
PERSON, DAY, AMOUNT = "q", "i", "i"  # types of arrays

Column = tuple[str, str, str]  # a key or ON_LINE, the dimension, and the line


def line_counts(each: Plan, line: str, without: str) -> tuple[Amounts, Amounts, datetime]:
    """Facts done and buckets on line, of both lines alone, and the moment whose facts they hold: kept or from facts.

    The plan is split by agent or by assistance, and filtered by the two lines.
    """
    kept = _kept(each)
    if kept is None:
        return facts_done(each), buckets_on_line(each), each.clock.now
    is_all_work = all(dimension in SPLITS for dimension, _ in each.query.facets.items())
    reading = _of_unit if each.placement.placed is Placed.UNIT else _of_whole
    active = reading(kept, each, ON_LINE, (line, without))
    done = reading(kept, each, each.metric.key, (line, without)) if is_all_work else facts_done(each)
    return done, active, kept.read_at


def _kept(each: Plan) -> _Unpacked | None:
    narrowed = each.placement.held or each.placement.person_id is not None
    is_kept = each.placement.placed in (Placed.ANYBODY, Placed.UNIT) and not narrowed and each.metric.key in KEYS
    if not is_kept or each.query.granularity is not Granularity.WEEK:
        return None
    kept = kept_of(LINES, each.query.window)
    return _Unpacked(kept.content, kept.read_at) if kept else None


def _of_whole(kept: _Unpacked, each: Plan, what: str, lines: tuple[str, ...]) -> Amounts:
    dimension = each.segments[0]
    return {
        (person or None, line): amount
        for line in lines
        for person, amount in kept.amounts(what, dimension, line)
        if amount
    }


def _of_unit(kept: _Unpacked, each: Plan, what: str, lines: tuple[str, ...]) -> Amounts:
    found = kept.members(each.placement.ids[0])
    stayed = frozenset(found.stayed)
    amounts = {key: amount for key, amount in _of_whole(kept, each, what, lines).items() if key[0] in stayed}
    read = buckets_on_line if what == ON_LINE else facts_done
    if found.moved:
        amounts |= read(each, replace(each.placement, among=tuple(found.moved)))
    if what != ON_LINE and counts_for_owners(each):
        amounts |= read(each, replace(each.placement, owned_alone=True))
    return amounts


@dataclass(frozen=True, eq=False)
class _Unpacked:
    content: bytes
    read_at: datetime

    def amounts(self, what: str, dimension: Dimension, line: str) -> Iterator[tuple[int, int]]:
        """Person (0: nobody known) and amount; nothing of a line that nobody is on."""
        return zip(self._people, self._columns.get((what, dimension.value, line), ()), strict=False)

    def members(self, unit_id: int) -> Members:
        if unit_id not in self._members:
            self._members[unit_id] = members(unit_id, self._days)
        return self._members[unit_id]

    @cached_property
    def _members(self) -> dict[int, Members]:
        return {}

    @cached_property
    def _days(self) -> Sequence[Days]:
        firsts, lasts = self._read[1], self._read[2]
        return [each for each in map(Days, self._people, firsts, lasts) if each.person_id]

    @property
    def _people(self) -> Sequence[int]:
        return self._read[0]

    @property
    def _columns(self) -> Mapping[Column, Sequence[int]]:
        return self._read[3]

    @cached_property
    def _read(self) -> tuple[Sequence[int], Sequence[int], Sequence[int], Mapping[Column, Sequence[int]]]:
        (length,) = struct.unpack_from(">I", self.content)
        header = json.loads(self.content[4 : 4 + length])
        at, number = 4 + length, header["people"]
        columns: list[Sequence[int]] = []
        for kind in (PERSON, DAY, DAY, *(AMOUNT for _ in header["columns"])):
            column: array[int] = array(kind)
            end = at + column.itemsize * number
            column.frombytes(self.content[at:end])
            columns.append(column)
            at = end
        of_names = {tuple(name): column for name, column in zip(header["columns"], columns[3:], strict=True)}
        return columns[0], columns[1], columns[2], of_names


def _read(window: Window) -> bytes:
    clock = Clock.read()
    found: dict[Column, Mapping[int, int]] = {}
    for dimension in SPLITS:
        for key in KEYS:
            each = plan(MetricQuery(key, window, Granularity.WEEK, segments=(dimension,)), clock)
            found |= _columns(key, dimension, facts_done(each))
        found |= _columns(ON_LINE, dimension, buckets_on_line(each))
    days = _days(window)
    people = sorted({person for amounts in found.values() for person in amounts})
    throughout = (window.start, window.end - timedelta(days=1))
    columns: list[array[int]] = [
        array(PERSON, people),
        array(DAY, (days.get(person, throughout)[0].toordinal() for person in people)),
        array(DAY, (days.get(person, throughout)[1].toordinal() for person in people)),
        *(array(AMOUNT, (amounts.get(person, 0) for person in people)) for amounts in found.values()),
    ]
    told = json.dumps({"people": len(people), "columns": [*found]}).encode()
    return b"".join((struct.pack(">I", len(told)), told, *(column.tobytes() for column in columns)))


def _columns(what: str, dimension: Dimension, amounts: Amounts) -> Mapping[Column, Mapping[int, int]]:
    found: dict[Column, dict[int, int]] = {}
    for (person, line), amount in amounts.items():
        found.setdefault((what, dimension.value, line), {})[person or 0] = amount
    return found


def _days(window: Window) -> Mapping[int, tuple[date, date]]:
    """Of everybody the first and last day in the window that says anything of the lines."""
    relation = DEVELOPERS_ON_LINES
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT person_id, min(day), max(day) FROM ({relation.sql}) AS source"  # noqa: S608  # a constant
            " WHERE day >= %s AND day < %s GROUP BY person_id",
            [window.start, window.end],
        )
        return {person: (first, last) for person, first, last in cursor.fetchall()}


def _measured() -> str:
    told = [(key, get(key).version, *sorted(fingerprint(each) for each in get(key).measures)) for key in KEYS]
    return hashlib.sha256(repr((FORMAT, told)).encode()).hexdigest()


LINES = Kind("lines", _measured, _read)
