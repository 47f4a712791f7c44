"""Answers as a viewer may see them: only in permitted scopes, and without values of groups that are too small.

Views and the API read values only through this module (a test enforces it); commands and figure records use
`insights.engine.read`, which knows nothing about viewers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from insights.catalogue.registry import get
from insights.engine.comparison import Comparison, read_comparisons
from insights.engine.contributions import RowsPage, read_person_totals, read_rows
from insights.engine.distribution import DistributionAnswer, read_distribution
from insights.engine.fact_rows import RowOrder
from insights.engine.margins import ErrorMargins, read_error_margins
from insights.engine.read import AnswerSet, UnitQueries, read_together, read_unmatched
from insights.formulas.error_margins import ErrorMargin
from insights.privacy.differences import Key, family_of, revealed_by_filters, sizes_of, unit_ids, wider_queries
from insights.privacy.rows import RowsShown, labelled_rows, pseudonymous_rows, rows_shown
from insights.privacy.scope_access import check_scopes
from insights.privacy.withhold import (
    UNKNOWN_PEOPLE,
    is_withheld,
    numerator_query,
    reason,
    unconfirmed_for,
    withheld,
    withheld_distribution,
    withholds,
)
from insights.query.enums import BelongsTo
from insights.query.query import Answer, Dimension, Freshness, Query, Scope
from orgtree.access.access import Access
from orgtree.access.trust import Disclosure
from orgtree.models import Unit

__all__ = [
    "AnswerSet",
    "Freshness",
    "UnitQueries",
    "shown_of",
    "visible_comparisons",
    "visible_distribution",
    "visible_error_margins",
    "visible_page",
    "visible_rows",
    "visible_series",
    "visible_together",
    "visible_totals",
    "visible_unmatched",
]

NOBODY = 0  # person id that matches no rows, for accounts without a person
SESSIONS_NOTE = (
    "Only your own sessions are listed: others would reveal when somebody behind a pseudonym was at work. The rows of "
    "the figures list everybody's totals."
)


def visible_series(
    queries: Sequence[Query], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[Answer]:
    """As `read_series`, for this viewer.  Raises UnknownUnitError and ScopeNeededError: see scope_access.py."""
    return list(visible_together(access, series=queries, freshness=freshness).series)


def visible_totals(
    queries: Sequence[Query], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[Answer]:
    """As `visible_series`, for the whole window alone: `series` is empty."""
    return list(visible_together(access, totals=queries, freshness=freshness).totals)


def visible_together(
    access: Access,
    *,
    series: Sequence[Query] = (),
    totals: Sequence[Query] = (),
    units: Sequence[UnitQueries] = (),
    freshness: Freshness = Freshness.AT_ONCE,
) -> AnswerSet:
    """As `read_together`, for this viewer; only of units that they may see."""
    check_scopes((query.scope for query in (*series, *totals)), access)
    series_read, totals_read = _Batch(series, access), _Batch(totals, access)
    units_read = [
        _Batch(of_units.queries, access, [unit for unit in of_units.units if access.visibility.can_see(unit)])
        for of_units in units
    ]
    batches = [series_read, totals_read, *units_read]
    answers = read_together(
        series=series_read.alone,
        totals=[*totals_read.alone, *(query for of_units in units_read for query in of_units.of_whole)],
        units=[replace(part, of_buckets=read is series_read) for read in batches for part in read.side_by_side],
        freshness=freshness,
        unconfirmed=unconfirmed_for(access),
    )
    totals_found = iter(answers.totals)
    in_two = iter(answers.units)
    by_unit = [{**next(in_two), **next(in_two)} for _ in batches]
    of_series = series_read.answered(answers.series, by_unit[0])
    of_totals = totals_read.answered([next(totals_found) for _ in totals_read.alone], by_unit[1])
    return AnswerSet(
        series=of_series,
        totals=of_totals,
        units=[
            of_units.answered_by_unit([next(totals_found) for _ in of_units.of_whole], found)
            for of_units, found in zip(units_read, by_unit[2:], strict=True)
        ],
    )


class _Batch:
    """The queries, with further ones that decide what is withheld and are not returned.

    The further queries are those of their numerators, those without one of their filters, and those of sibling units.
    With `units`, the queries are answered for each of these units instead of their own scope.
    """

    def __init__(self, queries: Sequence[Query], access: Access, units: Sequence[int] | None = None) -> None:
        self._access = access
        self._units = units
        self.queries = list(queries)
        self._numerators = [self._position(numerator_query(query, access)) for query in queries]
        protected = {position: query for position, query in enumerate(self.queries) if self._is_protected(query)}
        self._wider = {
            position: [self._position(wider) for wider in wider_queries(query)] for position, query in protected.items()
        }
        of_units = {
            position: query.scope
            for position, query in protected.items()
            if units is None and query.scope.unit is not None and query.scope.person_id is None
        }
        known = unit_ids(access) if of_units else {}
        self._unit_ids = {
            position: known.get(scope.unit or "") or unit_id_of(scope, access) for position, scope in of_units.items()
        }
        compared = self._unit_ids.values() if units is None else units if protected else ()
        self._family = family_of([unit for unit in compared if unit is not None], access)
        self._without_unit: list[Query] = []
        self._bases = {
            position: self._base(query)
            for position, query in enumerate(self.queries)
            if units is not None or position in self._unit_ids
        }

    def _is_protected(self, query: Query) -> bool:
        """Whether any of its values can be withheld; which of those of units, is decided for each."""
        if self._units is None:
            return withholds(query, self._access)
        return not self._access.shows_small_groups and get(query.key).belongs_to is BelongsTo.PERSON

    def _position(self, query: Query | None) -> int | None:
        if query is None:
            return None
        if query not in self.queries:
            self.queries.append(query)
        return self.queries.index(query)

    def _base(self, query: Query) -> int:
        anywhere = replace(query, scope=replace(query.scope, unit=None))
        if anywhere not in self._without_unit:
            self._without_unit.append(anywhere)
        return self._without_unit.index(anywhere)

    @property
    def of_whole(self) -> Sequence[Query]:
        """The queries of units, of the whole organisation, if the viewer may compare it with units."""
        return self._without_unit if self._family.wholes else []

    @property
    def alone(self) -> Sequence[Query]:
        return [
            *(query for position, query in enumerate(self.queries) if not self._is_of_family(position)),
            *self.of_whole,
        ]

    def _is_of_family(self, position: int) -> bool:
        """Whether its unit is one of the family, so that it is answered beside the others."""
        return self._unit_ids.get(position) in self._family.parents

    @property
    def side_by_side(self) -> tuple[UnitQueries, UnitQueries]:
        """The family's upper units apart: pages of all units below them read the same, so it is in the cache."""
        units, upper = {*self._family.units, *(self._units or ())}, self._family.upper
        return (
            UnitQueries(self._without_unit, sorted(units & upper)),
            UnitQueries(self._without_unit, sorted(units - upper)),
        )

    def answered(self, alone: Sequence[Answer], by_unit: Mapping[int, Sequence[Answer]]) -> Sequence[Answer]:
        """The answers as the viewer may see them, from those to `alone` and `side_by_side`."""
        found = iter(alone)
        answers = [
            replace(by_unit[self._unit_ids[position] or 0][self._bases[position]], query=query)
            if self._is_of_family(position)
            else next(found)
            for position, query in enumerate(self.queries)
        ]
        return self._shown(answers, self._revealed(list(found), by_unit), None)

    def answered_by_unit(
        self, of_whole: Sequence[Answer], by_unit: Mapping[int, Sequence[Answer]]
    ) -> Mapping[int, Sequence[Answer]]:
        """The same for each of the units, from those to `of_whole` and `side_by_side`."""
        revealed = self._revealed(of_whole, by_unit)
        positions = range(len(self.queries))
        return {
            unit: self._shown([by_unit[unit][self._bases[position]] for position in positions], revealed, unit)
            for unit in self._units or ()
        }

    def _revealed(
        self, of_whole: Sequence[Answer], by_unit: Mapping[int, Sequence[Answer]]
    ) -> Sequence[Mapping[int, set[Key]]]:
        """For each of the queries without a unit, the keys that would reveal few people, by unit."""
        return [
            self._family.revealed(
                {
                    **{unit: sizes_of(answers[base]) for unit, answers in by_unit.items()},
                    **{whole: sizes_of(of_whole[base]) for whole in self._family.wholes},
                },
                self._access,
            )
            for base in range(len(self._without_unit))
        ]

    def _shown(
        self, answers: Sequence[Answer], revealed: Sequence[Mapping[int, set[Key]]], unit: int | None
    ) -> Sequence[Answer]:
        def keys(position: int) -> set[Key]:
            of_unit = unit if unit is not None else self._unit_ids.get(position)
            base = self._bases.get(position)
            beside = revealed[base].get(of_unit, set()) if of_unit is not None and base is not None else set()
            wider = [answers[other] for other in self._wider.get(position, ()) if other is not None]
            return beside | revealed_by_filters(answers[position], wider, self._access)

        return [
            withheld(
                answers[position],
                self._access,
                None if numerator is None else answers[numerator],
                unit,
                keys(position) | (set() if numerator is None else keys(numerator)),
            )
            for position, numerator in enumerate(self._numerators)
        ]


def visible_unmatched(query: Query, access: Access) -> float:
    """As `read_unmatched`, for this viewer: it tells of nobody who is known."""
    check_scopes([query.scope], access)
    return read_unmatched(query)


def visible_distribution(query: Query, access: Access) -> DistributionAnswer:
    """As `read_distribution`, for this viewer."""
    check_scopes([query.scope], access)
    spread = read_distribution(query)
    if not spread.sample_size or not withholds(query, access):
        return spread
    [answer] = visible_totals([query], access)
    return withheld_distribution(spread, answer.total[0], access)


def visible_comparisons(queries: Sequence[Query], line: str, access: Access) -> list[Comparison]:
    """As `read_comparisons`, for this viewer: a comparison is withheld where one of its groups is too small."""
    check_scopes((query.scope for query in queries), access)

    def shown(query: Query, comparison: Comparison) -> Comparison:
        too_few = any(is_withheld(_by_assistance(query), people, access) for people in comparison.group_sizes)
        return comparison.hidden(reason(access)) if too_few else comparison

    return [
        shown(query, comparison) for query, comparison in zip(queries, read_comparisons(queries, line), strict=True)
    ]


def visible_error_margins(query: Query, line: str, access: Access) -> ErrorMargins:
    """As `read_error_margins`, for this viewer: none for a bucket with too few contributors."""
    check_scopes([query.scope], access)

    def shown(margin: ErrorMargin | None) -> ErrorMargin | None:
        return None if margin is None or is_withheld(compared, margin.contributors, access) else margin

    compared = _by_assistance(query)
    return {name: [shown(margin) for margin in margins] for name, margins in read_error_margins(query, line).items()}


def _by_assistance(query: Query) -> Query:
    """The query as policies treat a comparison of work with and without agents."""
    return replace(query, segments=(Dimension.ASSISTANCE,))


def visible_rows(
    query: Query, access: Access, *, page: int = 1, size: int = 100, order: RowOrder = RowOrder.NEWEST
) -> RowsPage:
    """As `read_rows`, for this viewer: other people's rows with names, as pseudonymous totals, or not at all.

    Where other people's rows are left out, `note` says why and `total` counts the viewer's own.
    """
    check_scopes([query.scope], access)
    shown = _shown_of_rows(query, access)
    if shown.shown is Disclosure.TOTALS:
        everybody = read_person_totals(query)
        return replace(pseudonymous_rows(everybody, access, page=page, size=size), note=shown.note)
    own = shown.shown is Disclosure.OWN
    listed = read_rows(_own(query, access) if own else query, page=page, size=size, order=order)
    return labelled_rows(replace(listed, query=query, note=shown.note), shown.shown)


def visible_page(query: Query, access: Access, *, people: int, read: Callable[[int | None], RowsPage]) -> RowsPage:
    """As `visible_rows`, for session rows that no metric reads: those behind `query`, which belong to `people` people.

    `read` returns the page of everybody's rows (None), or of one person's.  A session reveals when somebody worked, so
    it is never shown under a pseudonym.
    """
    check_scopes([query.scope], access)
    shown = shown_of(query, access, people=people)
    note = SESSIONS_NOTE if shown.shown is Disclosure.TOTALS else shown.note
    only = (access.visibility.person_id or NOBODY) if note else None
    return labelled_rows(replace(read(only), note=note), Disclosure.WITH_NAMES)


def shown_of(query: Query, access: Access, *, people: int) -> RowsShown:
    """How rows of `people` people are shown to this viewer."""
    shown = rows_shown(query, access, unit_id_of(query.scope, access))
    if shown.shown is not Disclosure.OWN and is_withheld(query, people, access):
        return RowsShown(Disclosure.OWN, _of_few_people(access))
    return shown


def _shown_of_rows(query: Query, access: Access) -> RowsShown:
    """As `shown_of`, for the people who contribute to any part of the metric's value."""
    shown = rows_shown(query, access, unit_id_of(query.scope, access))
    if shown.shown is not Disclosure.OWN and withholds(query, access):
        [answer] = visible_totals([query], access)
        if any(figure.withheld for figure in answer.total):
            return RowsShown(Disclosure.OWN, _of_few_people(access))
    return shown


def _own(query: Query, access: Access) -> Query:
    return replace(query, scope=replace(query.scope, person_id=access.visibility.person_id or NOBODY))


def _of_few_people(access: Access) -> str:
    few = (
        f"Fewer than {access.minimum_group_size} people contribute, and rows would identify them: only your own are "
        "listed."
    )
    return f"{few} {UNKNOWN_PEOPLE}" if unconfirmed_for(access) else few


def unit_id_of(scope: Scope, access: Access) -> int | None:
    if scope.unit is None or scope.unit in access.visibility.slugs:
        return access.visibility.slugs.get(scope.unit or "")
    return Unit.objects.filter(slug=scope.unit).values_list("pk", flat=True).first()
