"""Asks for what is needed to judge whether the values of a query may be shown, and judges.

Who contributes is read beside the values: by the units whose values a viewer could subtract from its own, and by what
each of its filters leaves out.  Rules: insights/privacy/suppression.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

from insights.catalogue.declarations import Ratio
from insights.catalogue.registry import get
from insights.engine.contributors import Contributors, People, PeopleQuery, Place, Segment
from insights.engine.plan import facets_of
from insights.privacy.families import Family
from insights.privacy.suppression import Cells, Hidden, Key, Minimum, few, grid, suppressed, union
from insights.privacy.withhold import numerator_of
from insights.query.measures import Measure, PeopleOfWindow
from insights.query.query import Dimension, Query, Window

Unit = int | None
OWN: Unit = None  # the query's own scope
BySegment = Mapping[Segment, People]
ByPlace = Mapping[tuple[Place, Segment], People]


@dataclass(frozen=True)
class _Wider:
    """A query without some of the filters: it shows who is left out.

    With `chosen`, it is split by these filters, and they are the values that each chooses; without, it has the segments
    of the query.
    """

    people: PeopleQuery
    chosen: Sequence[Set[str]] = ()


@dataclass(frozen=True)
class Question:
    """A query whose values are protected: those of each of `units`, or of its own scope."""

    query: Query
    units: Sequence[int]
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
        wider = [
            _Wider(self._of_units(self._without_filters(*some), some), [chosen[dimension] for dimension in some])
            for some in dropped
        ]
        for dimension in self.query.facets.keys() - {*by_column}:
            wider.append(_Wider(self._of_units(self._without_filters(dimension), self.segments)))
        for attribute in scope.where:
            held = {name: scope.where[name] for name in scope.where if name != attribute}
            everybody = replace(self.query, scope=replace(scope, where=held))
            wider.append(_Wider(self._of_units(everybody, self.segments)))
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
        beside = tuple(self.family.units) if self.units else ()
        return PeopleQuery(self.query, self.segments, beside, bool(self.family.wholes), self.of_buckets)

    def _of_units(self, query: Query, segments: tuple[Dimension, ...]) -> PeopleQuery:
        return PeopleQuery(query, segments, tuple(sorted(self.units)), of_buckets=self.of_buckets)

    def hidden(self, answers: Sequence[Contributors], minimum: Minimum) -> Mapping[Unit, Hidden]:
        """The values to hide, by unit, from the answers to `people_queries`."""
        answer, *beside = answers
        hidden: dict[Unit, set[Key]] = defaultdict(set)
        of_few: dict[Unit, set[Key]] = defaultdict(set)
        people = {window: answer.people_in(window, self._numerator) for window in answer.windows}
        for window, sets in people.items():
            for some in sets:
                cells = self._beside_units(some)
                for unit, segment in few(cells, minimum):
                    of_few[unit].add((window, segment))
                for unit, segment in suppressed(cells, minimum):
                    hidden[unit].add((window, segment))
        for unit in self.units or (OWN,):
            of_unit = {window: [_of_unit(some, unit) for some in sets] for window, sets in people.items()}
            hidden[unit] |= self._revealed_by_filters(of_unit, beside, unit, minimum)
            if answer.adds_up and answer.buckets:
                hidden[unit] |= _beside_buckets(answer, of_unit, hidden[unit], minimum)
        return {unit: Hidden(hidden[unit], of_few[unit]) for unit in self.units or (OWN,)}

    def fewest_known(self, answer: Contributors, unit: Unit, minimum: Minimum) -> Mapping[Key, int]:
        """The number of confirmed people behind each value, or behind its numerator where these are fewer, from the
        answer to `contributors_query`: at least 1 where there is anybody."""
        fewest: dict[Key, int] = {}
        for window in answer.windows:
            for people in answer.people_in(window, self._numerator):
                for segment, some in _of_unit(people, unit).items():
                    if some:
                        known = max(1, minimum.known(some).bit_count())
                        fewest[window, segment] = min(known, fewest.get((window, segment), known))
        return fewest

    @property
    def _numerator(self) -> Sequence[Measure]:
        """A quotient tells of the people of its numerator, too, where that has a figure of its own."""
        metric = get(self.query.key)
        return [metric.numerator] if isinstance(metric, Ratio) and numerator_of(self.query) else []

    def _beside_units(self, people: ByPlace) -> Cells:
        """The cells of a window: each unit's, and those of each segment."""
        places = {place for place, _ in people}
        if not self.units:
            return grid({OWN: places}, [], people)
        rows = {unit: {place for place in places if unit in place} for unit in self.family.units}
        rows |= dict.fromkeys(self.family.wholes, places)
        return grid(rows, [*self.family.below.items()], people)

    def _revealed_by_filters(
        self, own: OfWindows, beside: Sequence[Contributors], unit: Unit, minimum: Minimum
    ) -> set[Key]:
        """The values that would reveal few people beside those of other filters."""
        revealed: set[Key] = set()
        for wider, answer in zip(self._wider, beside, strict=True):
            for window, sets in own.items():
                # Without people there is nothing in the window, neither here nor there.
                for some, everybody in zip(sets, answer.people_in(window, self._numerator), strict=False):
                    of_wider = _of_unit(everybody, unit)
                    if not wider.chosen:
                        revealed.update((window, segment) for segment in _left_out(some, of_wider, minimum))
                    elif _tells_apart(wider.chosen, of_wider, minimum):
                        revealed.update((window, segment) for segment in some)
        return revealed


OfWindows = Mapping[Window, Sequence[BySegment]]


def _of_unit(people: ByPlace, unit: Unit) -> BySegment:
    by_segment: dict[Segment, People] = defaultdict(int)
    for (place, segment), some in people.items():
        if unit is OWN or unit in place:
            by_segment[segment] |= some
    return by_segment


def _left_out(own: BySegment, everybody: BySegment, minimum: Minimum) -> Iterator[Segment]:
    """The segments whose filter leaves out few people."""
    for segment, people in own.items():
        if minimum.is_few(everybody.get(segment, people) & ~people):
            yield segment


def _tells_apart(chosen: Sequence[Set[str]], people: BySegment, minimum: Minimum) -> bool:
    """Whether a filter by these values, one set for each dimension of the split, would reveal few people beside others.

    A filter by one dimension takes all of the values that are hidden, or none of them.  What several leave out together
    is nobody, or enough people.
    """
    if len(chosen) == 1:
        [values] = chosen
        cells = grid({OWN: {OWN}}, [], {(OWN, segment): some for segment, some in people.items()})
        lost = {value for _, (value,) in suppressed(cells, minimum) if value is not None}
        return bool(values & lost) and not lost <= values
    positions = range(len(chosen))
    return any(
        minimum.is_few(
            union(
                some
                for segment, some in people.items()
                if all((segment[i] in chosen[i]) is (i not in left_out) for i in positions)
            )
        )
        for number in range(2, len(chosen) + 1)
        for left_out in combinations(positions, number)
    )


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
