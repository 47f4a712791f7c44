"""Asks who contributes to the values of a query, and decides from the answers which of the values to hide.

`Question.people_queries` asks for the contributors of each *unit* whose values a viewer could subtract from the query's
own (its *family*), for those without each filter, and for those who commit to its repositories. `Question.hidden`
applies the rules (`Rule`) in turn.  The rules themselves are pure functions in suppression.py, which also explains
cells, atoms and patterns; to add one, see docs/extending.md#a-rule-of-privacy.

Contributors are grouped by *place*, the units of the family that they were in on the day, and by *segment*:
insights/engine/contributors.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, product

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

OWN_SCOPE: Row = None  # the row of a query whose scope is no unit
TAKEN = "taken"  # by a filter
COMMITS = "commit.count"
BySegment = Mapping[Segment, People]
ByPlace = Mapping[tuple[Place, Segment], People]
OfWindows = Mapping[Window, Sequence[BySegment]]
"""The contributors of one row, by window; of each window one set for each group of people that its values tell of
(`Contributors.people_in`)."""


@dataclass(frozen=True)
class _Filter:
    """A filter of a query; the wider query without it is split by it.

    Without `column`, a fact can have several of the values, as a session has models: it is split by the ones that it
    has.
    """

    values: Set[str]
    column: bool

    def takes(self, value: str) -> bool:
        return value in self.values if self.column else value != ""

    def is_revealed(self, hidden: Set[str]) -> bool:
        """Whether the filter's own value would reveal hidden ones among its values: it takes some of these, but not
        all.

        Without `column`, facts can have several of the values, so that even a filter that takes all overlaps with
        others.
        """
        taken = {value for value in hidden if self.takes(value)}
        return bool(taken) and not (self.column and taken == hidden)


@dataclass(frozen=True)
class _WiderQuery:
    """A query for those whom some of the filters leave out: the query without them, split by them, and then by the
    segments at the positions `kept`.
    """

    people: PeopleQuery
    kept: Sequence[int]
    filters: Sequence[_Filter]

    def segment_of(self, segment: Segment) -> Segment:
        """The part of a query's segment that this query is split by as well."""
        return tuple(segment[position] for position in self.kept)

    def divided(self, found: ByPlace) -> ByPlace:
        """The people grouped by whether each filter takes them, before the segments.

        A single filter keeps its values, because other answers show each of them.
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
        """The units, segments and sums over them in which the value that the filters select is hidden."""
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
class _Evidence:
    """The answers from which a question is decided."""

    contributors: Contributors
    committers: Contributors | None
    wider: Sequence[tuple[_WiderQuery, Contributors]]


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
        """Queries of contributors, of committers to the query's repositories, and of contributors without some
        filters.
        """
        committers = [self._committers_query] if self._committers_query else []
        return [self.contributors_query, *committers, *(wider.people for wider in self._wider_queries)]

    def _evidence(self, answers: Sequence[Contributors]) -> _Evidence:
        """Assigns the answers to `people_queries`, which are in their order."""
        contributors, *others = answers
        committers = others.pop(0) if self._committers_query else None
        return _Evidence(contributors, committers, [*zip(self._wider_queries, others, strict=True)])

    @cached_property
    def _committers_query(self) -> PeopleQuery | None:
        """A query for people who could have used an agent in the query's repositories; None without repositories, or if
        the query is not about agents.
        """
        repositories = self.query.facets.get(Dimension.REPOSITORY)
        if not repositories or (is_of_delivery(get(self.query.key)) and not names_ai(self.query)):
            return None
        facets = {Dimension.REPOSITORY: repositories}
        query = replace(self.query, key=COMMITS, facets=facets, segments=(), statistic=None)
        return replace(self._by_family(query, ()), of_buckets=False)

    @cached_property
    def _wider_queries(self) -> Sequence[_WiderQuery]:
        """The query without each single filter, and without all of them, split so that every combination of them is
        found.
        """
        attributes, dimensions = tuple(self.query.scope.where), tuple(self.query.facets)
        wider = [self._split_by((), (dimension,)) for dimension in dimensions]
        wider += [self._split_by((attribute,), ()) for attribute in attributes]
        wider += [self._split_by(attributes, dimensions)] if len(attributes) + len(dimensions) > 1 else []
        return wider

    def _split_by(self, attributes: tuple[str, ...], dimensions: tuple[Dimension, ...]) -> _WiderQuery:
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
        return _WiderQuery(replace(people, attributes=attributes), kept, filters)

    @cached_property
    def _filters_by_column(self) -> tuple[Dimension, ...]:
        """The filters that rows can also be split by.  A session has no single model: that filter selects sessions that
        used one.
        """
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
        """A query for the contributors, grouped by unit of the family."""
        return self._by_family(self.query, self.segments)

    def _by_family(self, query: Query, segments: tuple[Dimension | Chosen, ...]) -> PeopleQuery:
        beside = tuple(self.family.units) if self.units else ()
        return PeopleQuery(query, segments, beside, bool(self.family.wholes), self.of_buckets)

    @property
    def _own_rows(self) -> Set[Row]:
        """The rows whose values are decided here."""
        return {*self.units} if self.units else {OWN_SCOPE}

    def hidden(self, answers: Sequence[Contributors], minimum: Minimum) -> Mapping[Row, Hidden]:
        """The values to hide, by row, from the answers to `people_queries`; if several rules apply, the first
        counts.
        """
        evidence = self._evidence(answers)
        contributors = evidence.contributors
        people = {window: contributors.people_in(window, self._numerator) for window in contributors.windows}
        own = {
            row: {window: [self._of_row(some, row) for some in sets] for window, sets in people.items()}
            for row in self._own_rows
        }
        hidden: dict[Row, dict[Key | None, Rule]] = {
            row: dict.fromkeys(_of_few(of_row, minimum), Rule.PRIMARY) for row, of_row in own.items()
        }
        for row, key, rule in chain(
            self._beside_units(people, minimum), self._beside_filters(people, evidence.wider, minimum)
        ):
            if row in hidden:
                hidden[row].setdefault(key, rule)
        if contributors.adds_up and contributors.buckets:
            for row, of_row in own.items():
                for key in _beside_buckets(contributors, of_row, hidden[row].keys(), minimum):
                    hidden[row].setdefault(key, Rule.BUCKETS)
        if evidence.committers:
            for row in self._of_few_committers(evidence.committers, own, minimum):
                hidden[row] = {WHOLE: Rule.RECORD}
        return hidden

    def fewest_known(self, answer: Contributors, unit: Row, minimum: Minimum) -> Mapping[Key, int]:
        """The number of confirmed people behind each value, or behind its numerator if these are fewer, from the answer
        to `contributors_query`; at least 1 if there is anybody.
        """
        fewest: dict[Key, int] = {}
        for window in answer.windows:
            for people in answer.people_in(window, self._numerator):
                for segment, some in self._of_row(people, unit).items():
                    if some:
                        known = max(1, minimum.known(some).bit_count())
                        fewest[window, segment] = min(known, fewest.get((window, segment), known))
        return fewest

    @property
    def _numerator(self) -> Sequence[Measure]:
        """The numerator of a quotient, if it has a figure of its own: the quotient also reveals something about its
        people.
        """
        metric = get(self.query.key)
        return [metric.numerator] if isinstance(metric, Ratio) and numerator_of(self.query) else []

    def _of_row(self, people: ByPlace, row: Row) -> BySegment:
        """The contributors of one row, by segment."""
        by_segment: dict[Segment, People] = defaultdict(int)
        for (place, segment), some in people.items():
            if row is OWN_SCOPE or row in self.family.rows_of(place):
                by_segment[segment] |= some
        return by_segment

    def _beside_units(
        self, people: Mapping[Window, Sequence[ByPlace]], minimum: Minimum
    ) -> Iterator[tuple[Row, Key, Rule]]:
        """The values that would reveal few people next to those of other units and segments."""
        for window, sets in people.items():
            for some in sets:
                for (row, segment), rule in self._judged(some, minimum).items():
                    yield row, (window, segment), rule

    def _judged(self, people: ByPlace, minimum: Minimum) -> Mapping[Cell, Rule]:
        """The cells of the family's units to hide.

        Cached within the answer: other questions often have the same people, as sessions and tokens do.
        """
        judged: dict[Hashable, Mapping[Cell, Rule]] = self.family.judged
        key = (frozenset(people.items()), frozenset(self._own_rows), minimum)
        if key not in judged:
            judged[key] = suppressed(self._cells(people, minimum), minimum, rows=self._own_rows)
        return judged[key]

    def _cells(self, people: ByPlace, minimum: Minimum) -> Cells:
        """The cells of a window: each unit's, and those of each segment.

        Outside all units, people known from telemetry alone do not count: otherwise whoever holds a token could make
        the figures of units disappear.
        """
        places = {place for place, _ in people}
        if not self.units:
            return grid({OWN_SCOPE: places}, [], people)
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

    def _beside_filters(
        self,
        people: Mapping[Window, Sequence[ByPlace]],
        wider_answers: Sequence[tuple[_WiderQuery, Contributors]],
        minimum: Minimum,
    ) -> Iterator[tuple[Row, Key, Rule]]:
        """The values that would reveal few people next to those of other filters, in any unit of the family."""
        for (window, sets), (wider, answer) in product(people.items(), wider_answers):
            # If a side has no people in the window, there is nothing to compare.
            for some, without_filters in zip(sets, answer.people_in(window, self._numerator), strict=False):
                revealed = wider.revealed(self._judged(wider.divided(without_filters), minimum).keys())
                for place, segment in some:
                    for row in (OWN_SCOPE, *self.family.rows_of(place)):
                        if not revealed.isdisjoint((row, sums) for sums in patterns_of(wider.segment_of(segment))):
                            yield row, (window, segment), Rule.FILTERS

    def _of_few_committers(
        self, committers: Contributors, own: Mapping[Row, OfWindows], minimum: Minimum
    ) -> Iterator[Row]:
        """The rows in which too few people commit to the query's repositories, and too few contribute."""
        window = self.query.window
        for could_contribute in committers.people_in(window) or [{}]:  # if nobody commits
            for row, of_row in own.items():
                groups = [*of_row.get(window, ()), self._of_row(could_contribute, row)]
                if not any(minimum.is_enough(union(by_segment.values())) for by_segment in groups):
                    yield row


def _of_few(own: OfWindows, minimum: Minimum) -> set[Key]:
    """Primary suppression: the values of few people, including those known from telemetry alone."""
    return {
        (window, segment)
        for window, sets in own.items()
        for some in sets
        for segment, people in some.items()
        if minimum.is_few(people)
    }


def _beside_buckets(answer: Contributors, own: OfWindows, hidden: Set[Key | None], minimum: Minimum) -> set[Key]:
    """The values of buckets that would reveal few people next to the other buckets, given those already hidden."""
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
