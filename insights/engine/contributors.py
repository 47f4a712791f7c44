"""The contributors to a query's measures, as sets of people: the input of insights/privacy/.

They are read together with the values of the same groups.  If no values are requested, they are read on their own, once
for all windows: by date ranges and places that do not overlap, so that the people of a window or unit are the union
over its ranges or places.

Unconfirmed people, who are known from telemetry alone, do not count towards the minimum group size (docs/access.md),
although their activity counts in every value.  A token that belongs to nobody can claim any address, and could make a
group of two look like one of five.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise

from core.cache import Cache
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.engine import measures, scan
from insights.engine.fact_query import Chosen, FactQuery, ResolvedScope, ScopeKind, StockQuery
from insights.engine.measures import set_in, sets_in
from insights.engine.plan import Clock, MeasureQuery, ScopeResolver, facets_of, measure_queries_of, needed_buckets
from insights.engine.results import MeasuredFacts
from insights.engine.scan import MeasuredGroups
from insights.engine.statement import windows_of
from insights.engine.tables import BEFORE_VALUE
from insights.query import windows
from insights.query.measures import Measure
from insights.query.query import Dimension, Query, Scope, Window
from integrations.facts.unconfirmed import unconfirmed_people

People = int
"""A set of people: bit n is the person with the id n."""

Segment = tuple[str, ...]
Place = frozenset[int]
"""The units, among those asked about, that somebody was in on a day."""

_Group = tuple[Place, tuple[str, ...]]  # by which people are grouped: their units, and their values of attributes

NOBODY: People = 0
NOWHERE: Place = frozenset()


def people_of(ids: Iterable[int]) -> People:
    """The set of these people."""
    people = NOBODY
    for person_id in ids:
        people |= 1 << person_id
    return people


@dataclass(frozen=True)
class PeopleQuery:
    """Asks who contributes to the query's metric, in its window and its buckets.

    `segments` replace the query's own, and may use any column.  `units` replace the query's own unit: people are
    grouped by which of these units they were in, and with `outside` people in none of them are included.  `attributes`
    are slugs: each segment then starts with the person's values on the day, empty where there is none.
    """

    query: Query
    segments: tuple[Dimension | Chosen, ...] = ()
    units: tuple[int, ...] = ()
    outside: bool = False
    of_buckets: bool = True
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Reading:
    """Sets of people of one measure, by group (place and attribute values), days and segment."""

    measure: Measure
    split: tuple[int, ...]
    sets: Mapping[tuple[_Group, Window, Segment], Sequence[People]]
    adds_up: bool  # the people of a window are the union over its days


@dataclass(frozen=True)
class Contributors:
    """The people behind a metric's values."""

    metric: Metric
    windows: Sequence[Window]
    buckets: Sequence[Window]  # excludes the whole window
    readings: Mapping[Measure, _Reading]

    @property
    def adds_up(self) -> bool:
        """Whether the people of a window are the union over its days, for every measure."""
        return all(reading.adds_up for reading in self.readings.values())

    def people_in(
        self, window: Window, also: Sequence[Measure] = ()
    ) -> Sequence[Mapping[tuple[Place, Segment], People]]:
        """The sets of people that a value of the window reveals something about, each by place and segment.

        First those of the metric (`Metric.groups`), then those of the measures in `also`.
        """
        of_window = [
            (measure, reading.split, self._unions(measure).get(window, {}))
            for measure, reading in self.readings.items()
        ]
        widest = max((len(split) for _, split, _ in of_window), default=0)
        keys = {key: None for _, split, found in of_window if len(split) == widest for key in found}
        segments = dict.fromkeys(segment for _, segment in keys)
        undivided = {place: None for _, split, found in of_window if len(split) < widest for place, _ in found}
        keys |= {(place, segment): None for place in undivided for segment in segments}
        by_key = []
        for place, segment in keys:
            sets = {
                measure: found.get((place, tuple(segment[position] for position in split)), NOBODY)
                for measure, split, found in of_window
            }
            by_key.append((*self.metric.groups(sets.__getitem__), *(sets[measure] for measure in also)))
        groups = [(place, (*values, *segment)) for (place, values), segment in keys]
        return [dict(zip(groups, people, strict=True)) for people in zip(*by_key, strict=True)]

    def _unions(self, measure: Measure) -> Mapping[Window, Mapping[tuple[_Group, Segment], People]]:
        """The people by window, group and segment: unions over the days of each window."""
        if measure not in self._united:
            reading = self.readings[measure]
            united: dict[Window, dict[tuple[_Group, Segment], Sequence[People]]] = defaultdict(dict)
            for (place, days, segment), sets in reading.sets.items():
                for window in self._windows_with(days) if reading.adds_up else (days,):
                    of_window = united[window]
                    known = of_window.get((place, segment))
                    together = sets if known is None else [a | b for a, b in zip(known, sets, strict=True)]
                    of_window[place, segment] = together
            self._united[measure] = {
                window: {key: measures.who_contributes(reading.measure, sets) for key, sets in of_window.items()}
                for window, of_window in united.items()
            }
        return self._united[measure]

    @cached_property
    def _united(self) -> dict[Measure, Mapping[Window, Mapping[tuple[_Group, Segment], People]]]:
        return {}

    @cached_property
    def _by_days(self) -> dict[Window, Sequence[Window]]:
        return {}

    def _windows_with(self, days: Window) -> Sequence[Window]:
        if days not in self._by_days:
            self._by_days[days] = [
                window for window in self.windows if window.start <= days.start and days.end <= window.end
            ]
        return self._by_days[days]


@dataclass(frozen=True)
class PeoplePlan:
    """A PeopleQuery with a measure query for each measure of its metric."""

    question: PeopleQuery
    metric: Metric
    buckets: Sequence[Window]
    measure_queries: Mapping[Measure, MeasureQuery]


def contributors_of(planned: Sequence[PeoplePlan], facts: MeasuredFacts) -> list[Contributors]:
    """The contributors for each plan, in order.  Sets of people come from the groups in `facts` where these have them;
    the rest are read with one statement per relation, scope, filters and segments.

    Call it within the block in which the other values of the answer are read: insights/engine/read.py.
    """
    measures_by_query: dict[FactQuery | StockQuery, dict[Measure, None]] = defaultdict(dict)
    windows_by_query: dict[FactQuery | StockQuery, dict[Window, None]] = defaultdict(dict)
    for plan in planned:
        for measure_query in plan.measure_queries.values():
            merged = measure_query.query.without_windows()
            measures_by_query[merged][measure_query.measure] = None
            windows_by_query[merged].update(dict.fromkeys(measure_query.query.windows))
    found = {
        merged: _sets_of(facts.with_people[merged], measures_read)
        if isinstance(merged, FactQuery) and merged in facts.with_people
        else _read(merged, tuple(measures_read), tuple(windows_by_query[merged]))
        for merged, measures_read in measures_by_query.items()
    }
    return [
        Contributors(
            plan.metric,
            (plan.question.query.window, *plan.buckets),
            plan.buckets,
            {
                measure: _Reading(
                    measure_query.measure,
                    measure_query.split,
                    found[measure_query.query.without_windows()][measure_query.measure],
                    not (isinstance(measure_query.query, FactQuery) and measure_query.query.relation.stock),
                )
                for measure, measure_query in plan.measure_queries.items()
            },
        )
        for plan in planned
    ]


def plan_people(question: PeopleQuery, clock: Clock, scopes: ScopeResolver) -> PeoplePlan:
    query, metric = question.query, get(question.query.key)
    if question.units or question.attributes:
        people = scopes.of(Scope(where=query.scope.where))
        by_attributes = tuple(
            attribute for slug in question.attributes for attribute, _ in scopes.of(Scope(where={slug: ()})).attributes
        )
        outside = question.outside or not question.units
        scope = replace(people, kind=ScopeKind.PLACES, ids=question.units, outside=outside, by_attributes=by_attributes)
    else:
        scope = scopes.of(query.scope)
    in_buckets = windows.buckets(query.window, query.granularity) if question.of_buckets else needed_buckets(query)
    buckets = tuple(bucket.clipped for bucket in in_buckets)
    edges = tuple((window.start, window.end) for window in dict.fromkeys((query.window, *buckets)))
    measure_queries = measure_queries_of(
        metric,
        edges,
        scope,
        clock,
        facets=facets_of(query.facets),
        segments=question.segments,
    )
    return PeoplePlan(question, metric, buckets, measure_queries)


Sets = Mapping[Measure, Mapping[tuple[_Group, Window, Segment], Sequence[People]]]


def _sets_of(groups: MeasuredGroups, measures_read: Iterable[Measure]) -> Sets:
    """The same as `_read`, from groups that were already read for a single scope."""
    return {
        measure: {
            ((NOWHERE, ()), key.window, key.segment): sets
            for key, group in groups.items()
            if any(sets := group.sets[measure])
        }
        for measure in measures_read
    }


def _read(query: FactQuery | StockQuery, measures_read: Sequence[Measure], windows_read: Sequence[Window]) -> Sets:
    """Reads the sets of people of each measure by group, days and segment."""
    if isinstance(query, StockQuery):
        days = tuple(_date_ranges(windows_read))
        rows = scan.people_of_stock(replace(query, windows=days))
        present: dict[tuple[_Group, Window, Segment], Sequence[People]] = {
            (_group_of(row["unit_id"], query.scope), days[row["window_id"]], ()): [set_in(row["people"])]
            for row in rows
        }
        return dict.fromkeys(measures_read, present)
    edges = tuple(
        (window.start, window.end) for window in (windows_read if query.relation.stock else _date_ranges(windows_read))
    )
    query = replace(query, window_edges=edges)
    by_id = windows_of(query)
    found: dict[Measure, dict[tuple[_Group, Window, Segment], Sequence[People]]] = {
        measure: {} for measure in measures_read
    }
    for row in scan.people_of_facts(query, measures_read):
        group = _group_of(row["unit_id"], query.scope)
        segment = tuple(row[f"segment_{position}"] for position in range(len(query.segments)))
        for i, measure in enumerate(measures_read):
            sets = sets_in(row, measure, i)
            if any(sets):
                for window in by_id[row["window_id"]][1]:
                    found[measure][group, window, segment] = sets
    return found


def _date_ranges(windows_read: Sequence[Window]) -> list[Window]:
    """Splits the days of these windows at the start and end of each of them."""
    borders: list[date] = sorted({border for window in windows_read for border in (window.start, window.end)})
    return [
        Window(start, end)
        for start, end in pairwise(borders)
        if any(window.start <= start and end <= window.end for window in windows_read)
    ]


def _group_of(found: str | int, scope: ResolvedScope) -> _Group:
    if not isinstance(found, str):
        return NOWHERE, ()
    units, *values = found.split(BEFORE_VALUE)
    place = frozenset(map(int, units.split(","))) if units else NOWHERE
    return place, (*values, *("" for _ in scope.by_attributes[len(values) :]))


CACHED_SECONDS = 60
_BYTES_OF_AN_ID = 40

unconfirmed_by_version: Cache[tuple[int, ...]] = Cache(8_000_000, lambda people: 100 + len(people) * _BYTES_OF_AN_ID)
"""Ids of unconfirmed people by version of people and minute."""


def unconfirmed(people_version: int) -> tuple[int, ...]:
    """The ids of everybody known from telemetry alone, at least as recent as that version of people.

    Claiming, moving or importing people creates a new version.  Anything else that confirms people takes effect within
    a minute.
    """
    key = f"{people_version} {int(time.monotonic() / CACHED_SECONDS)}"
    people = unconfirmed_by_version.get(key)
    if people is None:
        people = unconfirmed_people()
        unconfirmed_by_version.put(key, people)
    return people
