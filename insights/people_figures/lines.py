"""What every developer has on the lines of comparisons, week by week, kept of the pages' windows.

Of the whole organisation; a unit takes from it whoever was in the unit on all days of what they did.  The others, and
what nobody known has there, are read from facts.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import count
from typing import Any

from django.db import connection
from psycopg import sql

from insights.metrics.line_counts import Amounts, buckets_on_line, counts_for_owners, facts_done
from insights.metrics.plan import Clock, Plan, plan
from insights.metrics.query import Dimension, Granularity, MetricQuery, Window
from insights.metrics.reading import Placed, Placement
from insights.people_figures.columns import pack, unpack
from insights.people_figures.members import Members, members
from insights.people_figures.store import Kind, kept_of
from integrations.facts.developers import DEVELOPERS_ON_LINES
from orgtree.models import Identity

KEYS = ("pr.merged_per_developer", "work.delivered_per_developer")
SPLITS = (Dimension.ASSISTANCE, Dimension.AGENT)
ON_LINE = "on line"  # beside the keys, whose facts are counted: the buckets
PERSON, DAY, AMOUNT = "q", "i", "i"  # types of arrays

Column = tuple[str, str, str]  # a key or ON_LINE, the dimension, and the line


class LineCounts:
    """What developers have on lines, of the comparisons of one page: of one scope, work and window; each read once."""

    def __init__(self) -> None:
        self._kept: dict[Window, _KeptLines | None] = {}
        self._members: dict[tuple[Placement, Window], Members] = {}
        self._active: dict[tuple[Placement, Window, str], Amounts] = {}

    def of(self, each: Plan, line: str, without: str) -> tuple[Amounts, Amounts, datetime]:
        """Facts done and buckets on line, of both lines alone, kept or from facts, and the moment whose facts they are.

        The plan is split by agent or by assistance, and filtered by the two lines.
        """
        kept = self._kept_of(each)
        if kept is None:
            return facts_done(each), buckets_on_line(each), each.clock.now
        found = self._members_of(each, kept) if each.placement.placed is Placed.UNIT else None
        active = self._active_of(each, kept, found, (line, without))
        if not all(dimension in SPLITS for dimension in each.query.facets):  # of some of the work
            return facts_done(each), active, kept.read_at
        done = _with_movers(kept.amounts(each.metric.key, each, (line, without), found), found, each, facts_done)
        if found is not None and counts_for_owners(each):
            done = {**done, **facts_done(each, replace(each.placement, owned_alone=True))}
        return done, active, kept.read_at

    def _kept_of(self, each: Plan) -> _KeptLines | None:
        if not _is_kept(each):
            return None
        if each.query.window not in self._kept:
            self._kept[each.query.window] = _kept(each.query.window)
        return self._kept[each.query.window]

    def _members_of(self, each: Plan, kept: _KeptLines) -> Members:
        key = (each.placement, each.query.window)
        if key not in self._members:
            self._members[key] = members(each.placement.ids[0], kept.people, kept.firsts, kept.lasts)
        return self._members[key]

    def _active_of(self, each: Plan, kept: _KeptLines, found: Members | None, lines: tuple[str, str]) -> Amounts:
        """Whichever of KEYS it is: all divide by the same people."""
        key = (each.placement, each.query.window, lines[0])
        if key not in self._active:
            amounts = kept.amounts(ON_LINE, each, lines, found)
            self._active[key] = _with_movers(amounts, found, each, _buckets_of_few)
        return self._active[key]


@dataclass(frozen=True, eq=False)
class _KeptLines:
    """Of everybody, 0 for nobody known; what is there for each person stands at the place of the person."""

    read_at: datetime
    people: Sequence[int]
    firsts: Sequence[int]  # days, as `members` takes them
    lasts: Sequence[int]
    columns: Mapping[Column, Sequence[int]]  # none of a line that nobody is on

    def amounts(self, what: str, each: Plan, lines: Sequence[str], found: Members | None) -> Amounts:
        """Of everybody, or of those members who stayed."""
        places = range(len(self.people)) if found is None else [self._places[person] for person in found.stayed]
        split = each.segments[0].value
        columns = {line: self.columns.get((what, split, line)) for line in lines}
        return {
            (self.people[place] or None, line): column[place]
            for line, column in columns.items()
            if column is not None
            for place in places
            if column[place]
        }

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return dict(zip(self.people, count()))


def _is_kept(each: Plan) -> bool:
    narrowed = each.placement.held or each.placement.person_id is not None
    of_units = each.placement.placed in (Placed.ANYBODY, Placed.UNIT) and not narrowed
    return of_units and each.metric.key in KEYS and each.query.granularity is Granularity.WEEK


def _kept(window: Window) -> _KeptLines | None:
    kept = kept_of(LINES, window)
    if kept is None:
        return None
    names, (people, firsts, lasts, *columns) = unpack(kept.content)
    of_names = {(what, split, line): column for (what, split, line), column in zip(names, columns, strict=True)}
    return _KeptLines(kept.read_at, people, firsts, lasts, of_names)


def _with_movers(
    kept: Amounts, found: Members | None, each: Plan, read: Callable[[Plan, Placement], Amounts]
) -> Amounts:
    """What is kept, and what is read of those who were members for a part."""
    if found is None or not found.moved:
        return kept
    return {**kept, **read(each, replace(each.placement, among=tuple(found.moved)))}


def _buckets_of_few(each: Plan, placement: Placement) -> Amounts:
    """As `buckets_on_line`, found by the accounts of the people."""
    accounts = Identity.objects.filter(person_id__in=placement.among).values_list("pk", flat=True)
    return buckets_on_line(each, replace(placement, accounts=tuple(accounts)))


def _read(window: Window) -> bytes:
    clock = Clock.read()
    found: dict[Column, Mapping[int, int]] = {}
    for dimension in SPLITS:
        for key in KEYS:
            each = plan(MetricQuery(key, window, Granularity.WEEK, segments=(dimension,)), clock)
            found |= _columns(key, dimension, facts_done(each))
        found |= _columns(ON_LINE, dimension, buckets_on_line(each))  # whichever the key: all divide by the same people
    days = _days(window)
    people = sorted({person for amounts in found.values() for person in amounts})
    throughout = (window.start, window.end - timedelta(days=1))
    columns: list[array[Any]] = [
        array(PERSON, people),
        array(DAY, (days.get(person, throughout)[0].toordinal() for person in people)),
        array(DAY, (days.get(person, throughout)[1].toordinal() for person in people)),
        *(array(AMOUNT, (amounts.get(person, 0) for person in people)) for amounts in found.values()),
    ]
    return pack([*found], columns)


def _columns(what: str, dimension: Dimension, amounts: Amounts) -> Mapping[Column, Mapping[int, int]]:
    found: dict[Column, dict[int, int]] = {}
    for (person, line), amount in amounts.items():
        found.setdefault((what, dimension.value, line), {})[person or 0] = amount
    return found


def _days(window: Window) -> Mapping[int, tuple[date, date]]:
    """Of everybody the first and last day in the window that says anything of the lines."""
    statement = sql.SQL(
        "SELECT person_id, min(day), max(day) FROM ({}) AS source WHERE day >= %s AND day < %s GROUP BY person_id"
    ).format(sql.SQL(DEVELOPERS_ON_LINES.sql))
    with connection.cursor() as cursor:
        cursor.execute(statement, [window.start, window.end])
        return {person: (first, last) for person, first, last in cursor.fetchall()}


LINES = Kind("lines", 2, KEYS, _read)
