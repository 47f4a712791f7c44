"""Asks for what is needed to judge whether the values of a query may be shown, and judges.

Who contributes is read beside the values: by the units whose values a viewer could subtract from its own, and by what
each of its filters leaves out.  Rules: insights/privacy/suppression.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from insights.catalogue.declarations import Ratio
from insights.catalogue.registry import get
from insights.engine.contributors import Contributors, People, PeopleQuery, Place, Segment
from insights.engine.plan import facets_of
from insights.privacy.families import Family, Unit
from insights.privacy.suppression import Cells, Hidden, Key, Minimum, Pattern, Row, grid, patterns_of, suppressed
from insights.privacy.withhold import numerator_of
from insights.query.measures import Measure, PeopleOfWindow
from insights.query.query import Dimension, Query, Window

OWN: Row = None  # the query's own scope, where that is no unit
TAKEN = "taken"  # by a filter
BySegment = Mapping[Segment, People]
ByPlace = Mapping[tuple[Place, Segment], People]


@dataclass(frozen=True)
class _Wider:
    """A query without some of the filters: it shows who is left out.

    With `chosen`, it is split by these filters, and they are the values that each chooses, and then by the segments of
    the query at the positions `kept`; without, it has the segments of the query.
    """

    people: PeopleQuery
    chosen: Sequence[Set[str]] = ()
    kept: Sequence[int] = ()

    def segment_of(self, segment: Segment) -> Segment:
        """The part of a segment of the query by which this one is split, too."""
        return tuple(segment[position] for position in self.kept) if self.chosen else segment

    def divided(self, own: ByPlace, everybody: ByPlace) -> ByPlace:
        """Everybody by what the filters take and what they leave out, before the segments.

        A single filter by a column has its values there: others see each of them.
        """
        divided: dict[tuple[Place, Segment], People] = defaultdict(int)
        for (place, segment), some in everybody.items():
            values, rest = segment[: len(self.chosen)], segment[len(self.chosen) :]
            if len(self.chosen) > 1:
                flags = [value in taken for value, taken in zip(values, self.chosen, strict=True)]
                values = tuple(TAKEN if is_taken else "" for is_taken in flags)
            if self.chosen:
                divided[place, (*values, *rest)] |= some
            else:
                divided[place, ("", *rest)] |= some & ~own.get((place, segment), some)
        if not self.chosen:
            divided |= {(place, (TAKEN, *segment)): some for (place, segment), some in own.items()}
        return divided

    def revealed(self, hidden: Set[tuple[Row, Pattern]]) -> Set[tuple[Row, Pattern]]:
        """The units, segments and sums over them in which the filters' own value is hidden.

        A single filter by a column takes all of its values that are hidden, or none of them.
        """
        number = max(1, len(self.chosen))
        lost: dict[tuple[Row, Pattern], set[Pattern]] = defaultdict(set)
        for unit, pattern in hidden:
            if None not in pattern[:number]:
                lost[unit, pattern[number:]].add(pattern[:number])
        if len(self.chosen) == 1:
            taken = {(value,) for value in self.chosen[0]}
            return {cell for cell, values in lost.items() if values & taken and not values <= taken}
        return {cell for cell, values in lost.items() if (TAKEN,) * number in values}


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
        """Who contributes, and who would without some of the filters."""
        return [self.contributors_query, *(wider.people for wider in self._wider)]

    @cached_property
    def _wider(self) -> Sequence[_Wider]:
        """The query without each filter, split by it; without all that have a column, split by them; and without each
        that has none, attributes included."""
        scope, by_column = self.query.scope, self._filters_by_column
        chosen = {dimension: {*values} for dimension, values in facets_of(self.query)}
        dropped = [*((dimension,) for dimension in by_column), *([by_column] if len(by_column) > 1 else [])]
        wider = []
        for some in dropped:
            kept = [position for position, dimension in enumerate(self.segments) if dimension not in some]
            split = (*some, *(self.segments[position] for position in kept))
            everybody = self._by_family(self._without_filters(*some), split)
            wider.append(_Wider(everybody, [chosen[dimension] for dimension in some], kept))
        for dimension in self.query.facets.keys() - {*by_column}:
            wider.append(_Wider(self._by_family(self._without_filters(dimension), self.segments)))
        for attribute in scope.where:
            held = {name: scope.where[name] for name in scope.where if name != attribute}
            without = replace(self.query, scope=replace(scope, where=held))
            wider.append(_Wider(self._by_family(without, self.segments)))
        return wider

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

    def _by_family(self, query: Query, segments: tuple[Dimension, ...]) -> PeopleQuery:
        beside = tuple(self.family.units) if self.units else ()
        return PeopleQuery(query, segments, beside, bool(self.family.wholes), self.of_buckets)

    @property
    def _own_rows(self) -> Set[Row]:
        """Those whose values are judged."""
        return {*self.units} if self.units else {OWN}

    def hidden(self, answers: Sequence[Contributors], minimum: Minimum) -> Mapping[Row, Hidden]:
        """The values to hide, by unit, from the answers to `people_queries`."""
        answer, *beside = answers
        hidden: dict[Row, set[Key]] = defaultdict(set)
        of_few: dict[Row, set[Key]] = defaultdict(set)
        people = {window: answer.people_in(window, self._numerator) for window in answer.windows}
        for window, sets in people.items():
            for some in sets:
                for unit, segment in suppressed(self._beside_units(some, minimum), minimum, rows=self._own_rows):
                    hidden[unit].add((window, segment))
            for unit, segment in self._revealed_by_filters(window, sets, beside, minimum):
                hidden[unit].add((window, segment))
        for unit in self._own_rows:
            of_unit = {window: [self._of_unit(some, unit) for some in sets] for window, sets in people.items()}
            of_few[unit] = _of_few(of_unit, minimum)
            hidden[unit] |= of_few[unit]
            if answer.adds_up and answer.buckets:
                hidden[unit] |= _beside_buckets(answer, of_unit, hidden[unit], minimum)
        return {unit: Hidden(hidden[unit], of_few[unit]) for unit in self._own_rows}

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

    def _beside_units(self, people: ByPlace, minimum: Minimum) -> Cells:
        """The cells of a window: each unit's, and those of each segment.

        In no unit, those whom telemetry alone names do not count: otherwise whoever holds a token could make the
        figures of units disappear.
        """
        places = {place for place, _ in people}
        if not self.units:
            return grid({OWN: places}, [], people)
        below = self.family.below
        rows: dict[Row, set[Place]] = {row: set() for row in (*self.family.units, *below, *chain(*below.values()))}
        for place in places:
            for row in self.family.rows_of(place):
                rows[row].add(place)
        counted = {
            (place, segment): some if place else minimum.known(some) for (place, segment), some in people.items()
        }
        return grid(rows, [*below.items()], counted)

    def _revealed_by_filters(
        self, window: Window, own: Sequence[ByPlace], beside: Sequence[Contributors], minimum: Minimum
    ) -> Iterator[tuple[Row, Segment]]:
        """The values that would reveal few people beside those of other filters, in any unit of the family."""
        for wider, answer in zip(self._wider, beside, strict=True):
            # Without people there is nothing in the window, neither here nor there.
            for some, everybody in zip(own, answer.people_in(window, self._numerator), strict=False):
                cells = self._beside_units(wider.divided(some, everybody), minimum)
                found = wider.revealed(suppressed(cells, minimum, rows=self._own_rows))
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


def _beside_buckets(answer: Contributors, own: OfWindows, hidden: Set[Key], minimum: Minimum) -> set[Key]:
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
        found.update(suppressed(cells, minimum, {key for key in hidden if key in cells.atoms}))
    return found
