"""Asks for what is needed to judge whether the values of a query may be shown, and judges.

Who contributes is read beside the values: by the units whose values a viewer could subtract from its own, and by what
each of its filters leaves out.  Rules: insights/privacy/suppression.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from insights.catalogue.declarations import Ratio
from insights.catalogue.registry import get
from insights.engine.contributors import Contributors, People, PeopleQuery, Place, Segment
from insights.engine.fact_query import Chosen
from insights.engine.plan import facets_of
from insights.privacy.families import Family, Unit
from insights.privacy.suppression import (
    WHOLE,
    Cell,
    Cells,
    Hidden,
    Key,
    Minimum,
    Pattern,
    Row,
    Rule,
    grid,
    patterns_of,
    suppressed,
    union,
)
from insights.privacy.withhold import is_of_delivery, names_ai, numerator_of
from insights.query.measures import Measure, PeopleOfWindow
from insights.query.query import Dimension, Query, Window

OWN: Row = None  # the query's own scope, where that is no unit
TAKEN = "taken"  # by a filter
COMMITS = "commit.count"
BySegment = Mapping[Segment, People]
ByPlace = Mapping[tuple[Place, Segment], People]


@dataclass(frozen=True)
class _Filter:
    """A filter of a query, by which it is split without it.

    Without `column`, a fact can have several of its values, as a session has models: it is split by which of them.
    """

    values: Set[str]
    column: bool

    def takes(self, value: str) -> bool:
        return value in self.values if self.column else value != ""

    def is_revealed(self, hidden: Set[str]) -> bool:
        """Whether its own value would reveal what is hidden among the values: it has to take all of that, or none.

        Filters by several values that facts have together overlap with those by one: of that they take none.
        """
        taken = {value for value in hidden if self.takes(value)}
        return bool(taken) and not (self.column and taken == hidden)


@dataclass(frozen=True)
class _Wider:
    """Asks who is left out by some of the filters: the query without them, split by them, and then by its segments at
    the positions `kept`."""

    people: PeopleQuery
    kept: Sequence[int]
    filters: Sequence[_Filter]

    def segment_of(self, segment: Segment) -> Segment:
        """The part of a segment of the query by which this one is split, too."""
        return tuple(segment[position] for position in self.kept)

    def divided(self, found: ByPlace) -> ByPlace:
        """Everybody by what the filters take and what they leave out, before the segments.

        A single filter has its values there: others see each of them.
        """
        if len(self.filters) == 1:
            return found
        divided: dict[tuple[Place, Segment], People] = defaultdict(int)
        for (place, segment), some in found.items():
            flags = (
                TAKEN if filter_.takes(value) else "" for value, filter_ in zip(segment, self.filters, strict=False)
            )
            divided[place, (*flags, *segment[len(self.filters) :])] |= some
        return divided

    def revealed(self, hidden: Set[tuple[Row, Pattern]]) -> Set[tuple[Row, Pattern]]:
        """The units, segments and sums over them in which the filters' own value is hidden."""
        number = len(self.filters)
        lost: dict[tuple[Row, Pattern], set[Pattern]] = defaultdict(set)
        for unit, pattern in hidden:
            if None not in pattern[:number]:
                lost[unit, pattern[number:]].add(pattern[:number])
        if number > 1:
            return {cell for cell, values in lost.items() if (TAKEN,) * number in values}
        [filter_] = self.filters
        return {cell for cell, values in lost.items() if filter_.is_revealed({str(value) for (value,) in values})}


@dataclass(frozen=True)
class Question:
    """A query whose values are protected: those of each of `units`, or of its own scope."""

    query: Query
    units: Sequence[Unit]
    family: Family
    of_buckets: bool

    @property
    def segments(self) -> tuple[Dimension, ...]:
        return self.query.segments or get(self.query.key).always_by

    @property
    def people_queries(self) -> Sequence[PeopleQuery]:
        """Who contributes, who would without some of the filters, and who commits to the query's repositories."""
        committers = [self._committers] if self._committers else []
        return [self.contributors_query, *committers, *(wider.people for wider in self._wider)]

    @cached_property
    def _committers(self) -> PeopleQuery | None:
        """Who could have used an agent in the query's repositories; None where it names none, or no agents."""
        repositories = self.query.facets.get(Dimension.REPOSITORY)
        if not repositories or (is_of_delivery(get(self.query.key)) and not names_ai(self.query)):
            return None
        facets = {Dimension.REPOSITORY: repositories}
        query = replace(self.query, key=COMMITS, facets=facets, segments=(), statistic=None)
        return replace(self._by_family(query, ()), of_buckets=False)

    @cached_property
    def _wider(self) -> Sequence[_Wider]:
        """The query without each filter, and without all of them, in which every combination of them is found."""
        attributes, dimensions = tuple(self.query.scope.where), tuple(self.query.facets)
        wider = [self._split_by((), (dimension,)) for dimension in dimensions]
        wider += [self._split_by((attribute,), ()) for attribute in attributes]
        wider += [self._split_by(attributes, dimensions)] if len(attributes) + len(dimensions) > 1 else []
        return wider

    def _split_by(self, attributes: tuple[str, ...], dimensions: tuple[Dimension, ...]) -> _Wider:
        """The query without these filters, split by them."""
        chosen, where = dict(facets_of(self.query.facets)), {**self.query.scope.where}
        filters = [_Filter({*where.pop(attribute)}, column=True) for attribute in attributes]
        splits: list[Dimension | Chosen] = []
        for dimension in dimensions:
            by_column = dimension in self._filters_by_column
            filters.append(_Filter({*chosen[dimension]}, by_column))
            splits.append(dimension if by_column else Chosen(dimension, chosen[dimension]))
        kept = [position for position, dimension in enumerate(self.segments) if dimension not in splits]
        query = self._without_filters(*dimensions)
        query = replace(query, scope=replace(query.scope, where=where))
        people = self._by_family(query, (*splits, *(self.segments[position] for position in kept)))
        return _Wider(replace(people, attributes=attributes), kept, filters)

    @cached_property
    def _filters_by_column(self) -> tuple[Dimension, ...]:
        """Filters that rows can be split by, too.  A session has no model: that filter picks those that used it."""
        used = {*self.segments, *self.query.facets}
        measures = [measure.for_dimensions(used) for measure in get(self.query.key).measures]
        return tuple(
            dimension
            for dimension in self.query.facets
            if all(
                isinstance(measure, PeopleOfWindow) or dimension in measure.not_split_by or measure.has(dimension)
                for measure in measures
            )
        )

    def _without_filters(self, *dimensions: Dimension) -> Query:
        facets = self.query.facets
        return replace(self.query, facets={name: facets[name] for name in facets if name not in dimensions})

    @property
    def contributors_query(self) -> PeopleQuery:
        """Who contributes, by the units of the family."""
        return self._by_family(self.query, self.segments)

    def _by_family(self, query: Query, segments: tuple[Dimension | Chosen, ...]) -> PeopleQuery:
        beside = tuple(self.family.units) if self.units else ()
        return PeopleQuery(query, segments, beside, bool(self.family.wholes), self.of_buckets)

    @property
    def _own_rows(self) -> Set[Row]:
        """Those whose values are judged."""
        return {*self.units} if self.units else {OWN}

    def hidden(self, answers: Sequence[Contributors], minimum: Minimum) -> Mapping[Row, Hidden]:
        """The values to hide, by unit, from the answers to `people_queries`."""
        answer, *beside = answers
        committers = beside.pop(0) if self._committers else None
        hidden: dict[Row, dict[Key | None, Rule]] = defaultdict(dict)
        people = {window: answer.people_in(window, self._numerator) for window in answer.windows}
        by_unit = {
            unit: {window: [self._of_unit(some, unit) for some in sets] for window, sets in people.items()}
            for unit in self._own_rows
        }
        for unit, of_unit in by_unit.items():
            hidden[unit] |= dict.fromkeys(_of_few(of_unit, minimum), Rule.PRIMARY)
        for window, sets in people.items():
            for some in sets:
                for (unit, segment), rule in self._judged(some, minimum).items():
                    hidden[unit].setdefault((window, segment), rule)
            for unit, segment in self._revealed_by_filters(window, sets, beside, minimum):
                hidden[unit].setdefault((window, segment), Rule.FILTERS)
        for unit, of_unit in by_unit.items():
            if answer.adds_up and answer.buckets:
                for key in _beside_buckets(answer, of_unit, hidden[unit].keys(), minimum):
                    hidden[unit].setdefault(key, Rule.BUCKETS)
        shown: dict[Row, Hidden] = {**hidden}
        for could in committers.people_in(self.query.window) or [{}] if committers else ():
            for unit, of_unit in by_unit.items():
                by_segments: list[BySegment] = [*of_unit.get(self.query.window, ()), self._of_unit(could, unit)]
                if not any(minimum.is_enough(union(by_segment.values())) for by_segment in by_segments):
                    shown[unit] = {WHOLE: Rule.RECORD}
        return {unit: shown.get(unit, {}) for unit in self._own_rows}

    def fewest_known(self, answer: Contributors, unit: Row, minimum: Minimum) -> Mapping[Key, int]:
        """The number of confirmed people behind each value, or behind its numerator where these are fewer, from the
        answer to `contributors_query`: at least 1 where there is anybody."""
        fewest: dict[Key, int] = {}
        for window in answer.windows:
            for people in answer.people_in(window, self._numerator):
                for segment, some in self._of_unit(people, unit).items():
                    if some:
                        known = max(1, minimum.known(some).bit_count())
                        fewest[window, segment] = min(known, fewest.get((window, segment), known))
        return fewest

    @property
    def _numerator(self) -> Sequence[Measure]:
        """A quotient tells of the people of its numerator, too, where that has a figure of its own."""
        metric = get(self.query.key)
        return [metric.numerator] if isinstance(metric, Ratio) and numerator_of(self.query) else []

    def _of_unit(self, people: ByPlace, unit: Row) -> BySegment:
        by_segment: dict[Segment, People] = defaultdict(int)
        for (place, segment), some in people.items():
            if unit is OWN or unit in self.family.rows_of(place):
                by_segment[segment] |= some
        return by_segment

    def _judged(self, people: ByPlace, minimum: Minimum) -> Mapping[Cell, Rule]:
        """The cells to hide of the units of the family.

        Looked up where another question of the answer has the same people, as sessions and tokens do.
        """
        judged: dict[Hashable, Mapping[Cell, Rule]] = self.family.judged
        key = (frozenset(people.items()), frozenset(self._own_rows), minimum)
        if key not in judged:
            judged[key] = suppressed(self._beside_units(people, minimum), minimum, rows=self._own_rows)
        return judged[key]

    def _beside_units(self, people: ByPlace, minimum: Minimum) -> Cells:
        """The cells of a window: each unit's, and those of each segment.

        In no unit, those whom telemetry alone names do not count: otherwise whoever holds a token could make the
        figures of units disappear.
        """
        places = {place for place, _ in people}
        if not self.units:
            return grid({OWN: places}, [], people)
        below = self.family.below
        alike = [(unit, [other]) for unit, other in self.family.alike]
        rows: dict[Row, set[Place]] = {row: set() for row in (*self.family.units, *below, *chain(*below.values()))}
        for place in places:
            for row in self.family.rows_of(place):
                rows[row].add(place)
        counted = {
            (place, segment): some if place else minimum.known(some) for (place, segment), some in people.items()
        }
        return grid(rows, [*below.items(), *alike], counted)

    def _revealed_by_filters(
        self, window: Window, own: Sequence[ByPlace], beside: Sequence[Contributors], minimum: Minimum
    ) -> Iterator[tuple[Row, Segment]]:
        """The values that would reveal few people beside those of other filters, in any unit of the family."""
        for wider, answer in zip(self._wider, beside, strict=True):
            # Without people there is nothing in the window, neither here nor there.
            for some, found_beside in zip(own, answer.people_in(window, self._numerator), strict=False):
                found = wider.revealed(self._judged(wider.divided(found_beside), minimum).keys())
                for place, segment in some:
                    for unit in (OWN, *self.family.rows_of(place)):
                        if not found.isdisjoint((unit, sums) for sums in patterns_of(wider.segment_of(segment))):
                            yield unit, segment


OfWindows = Mapping[Window, Sequence[BySegment]]


def _of_few(own: OfWindows, minimum: Minimum) -> set[Key]:
    """Primary suppression: the values of few people, those whom telemetry alone names included."""
    return {
        (window, segment)
        for window, sets in own.items()
        for some in sets
        for segment, people in some.items()
        if minimum.is_few(people)
    }


def _beside_buckets(answer: Contributors, own: OfWindows, hidden: Set[Key | None], minimum: Minimum) -> set[Key]:
    """The values of buckets that would reveal few people beside the others, with those hidden already."""
    whole, buckets = answer.windows[0], answer.buckets
    found: set[Key] = set()
    if whole in buckets:
        return found
    rows = {whole: {*buckets}, **{bucket: {bucket} for bucket in buckets}}
    for position in range(max(len(sets) for sets in own.values())):
        people = {
            (bucket, segment): some
            for bucket in buckets
            for by_segment in own[bucket][position : position + 1]
            for segment, some in by_segment.items()
        }
        cells = grid(rows, [(whole, buckets)], people)
        found.update(suppressed(cells, minimum, {cell for cell in cells.atoms if cell in hidden}))
    return found
