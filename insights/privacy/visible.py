"""Answers as a viewer may see them: only in permitted scopes, and without values of groups that are too small.

Views and the API read values only through this module (a test enforces it); commands and figure records use
`insights.engine.read`, which knows nothing about viewers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from insights.engine.adoption.cohorts import Cohort, cohorts_of
from insights.engine.adoption.developer_facts import read_developer_facts
from insights.engine.adoption.developers import OF_PEOPLE_AND_AGENTS, AdoptionRowsQuery, Developers, developers_of
from insights.engine.adoption.effect import Effect, before_and_after, effect_of
from insights.engine.adoption.rows import rows_of
from insights.engine.comparison import Comparison, read_comparisons
from insights.engine.comparison_intervals import ErrorMargins, read_error_margins
from insights.engine.contributions import RowsPage
from insights.engine.distribution import DistributionAnswer
from insights.engine.fact_rows import RowOrder
from insights.engine.read import (
    AnswerSet,
    UnitQueries,
    read_distribution,
    read_person_totals,
    read_rows,
    read_series,
    read_together,
    read_totals,
)
from insights.formulas.error_margins import ErrorMargin
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
from insights.query.query import Answer, Dimension, Freshness, Query, Scope
from orgtree.access.access import Access
from orgtree.access.trust import Disclosure
from orgtree.models import Unit

__all__ = [
    "Adoption",
    "AdoptionRows",
    "AnswerSet",
    "Freshness",
    "UnitQueries",
    "shown_of",
    "visible_adoption",
    "visible_adoption_rows",
    "visible_comparisons",
    "visible_distribution",
    "visible_error_margins",
    "visible_page",
    "visible_rows",
    "visible_series",
    "visible_together",
    "visible_totals",
]

NOBODY = 0  # person id that matches no rows, for accounts without a person
SESSIONS_NOTE = (
    "Only your own sessions are listed: they would tell when somebody behind a pseudonym was at work. Rows of the "
    "figures list everybody's totals."
)
NOBODY_TO_COMPARE = "Nobody to compare: it takes developers who took up an agent in this window, and some who did not."


@dataclass(frozen=True)
class Adoption:
    """Both adoption figures, or the reason why one is withheld."""

    effect: Effect | None
    why_no_effect: str
    cohorts: Sequence[Cohort]
    why_no_cohorts: str


def visible_series(
    queries: Sequence[Query], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[Answer]:
    """As `read_series`, for this viewer.  Raises UnknownUnitError and ScopeNeededError: see scope_access.py."""
    check_scopes((query.scope for query in queries), access)
    with_numerators = _WithNumerators(queries, access)
    answers = read_series(with_numerators.queries, freshness=freshness, unconfirmed=unconfirmed_for(access))
    return with_numerators.withheld(answers)


def visible_totals(
    queries: Sequence[Query], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[Answer]:
    """As `visible_series`, for the whole window alone: `series` is empty."""
    check_scopes((query.scope for query in queries), access)
    with_numerators = _WithNumerators(queries, access)
    answers = read_totals(with_numerators.queries, freshness=freshness, unconfirmed=unconfirmed_for(access))
    return with_numerators.withheld(answers)


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
    series_read, totals_read = _WithNumerators(series, access), _WithNumerators(totals, access)
    with_numerators = [_WithNumerators(unit_queries.queries, access) for unit_queries in units]
    answers = read_together(
        series=series_read.queries,
        totals=totals_read.queries,
        units=_visible_units(units, with_numerators, access),
        freshness=freshness,
        unconfirmed=unconfirmed_for(access),
    )
    return AnswerSet(
        series=series_read.withheld(answers.series),
        totals=totals_read.withheld(answers.totals),
        units=[
            {unit: queries.withheld(of_unit, unit) for unit, of_unit in by_unit.items()}
            for queries, by_unit in zip(with_numerators, answers.units, strict=True)
        ],
    )


def _visible_units(
    unit_queries: Sequence[UnitQueries], with_numerators: Sequence[_WithNumerators], access: Access
) -> list[UnitQueries]:
    """The units that this viewer may see, with the queries of numerators."""
    return [
        replace(
            of_units,
            queries=queries.queries,
            units=[unit for unit in of_units.units if access.visibility.can_see(unit)],
        )
        for of_units, queries in zip(unit_queries, with_numerators, strict=True)
    ]


class _WithNumerators:
    """Queries with those of their numerators behind them, which decide what is withheld and are not handed on."""

    def __init__(self, queries: Sequence[Query], access: Access) -> None:
        self._access = access
        self.queries = list(queries)
        self._numerators: list[int | None] = []
        for query in queries:
            numerator = numerator_query(query, access)
            if numerator is not None and numerator not in self.queries:
                self.queries.append(numerator)
            self._numerators.append(None if numerator is None else self.queries.index(numerator))

    def withheld(self, answers: Sequence[Answer], unit_id: int | None = None) -> list[Answer]:
        return [
            withheld(answers[position], self._access, None if above is None else answers[above], unit_id)
            for position, above in enumerate(self._numerators)
        ]


def visible_distribution(query: Query, access: Access) -> DistributionAnswer:
    """As `read_distribution`, for this viewer."""
    check_scopes([query.scope], access)
    spread = read_distribution(query)
    if not spread.sample_size or not withholds(query, access):
        return spread
    [answer] = read_totals([query])
    return withheld_distribution(spread, answer.total[0].people, access)


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


def visible_adoption(query: Query, access: Access) -> Adoption:
    """The effect of adopting an agent, and cohorts by intensity of use; or why they are withheld.

    The effect, or the cohorts, are withheld where one group of people behind them is too small.
    """
    check_scopes([query.scope], access)
    facts = read_developer_facts(query)
    effect, cohorts = effect_of(before_and_after(facts), query), cohorts_of(facts)
    of_people = replace(query, key=OF_PEOPLE_AND_AGENTS)
    of_few = [
        any(is_withheld(of_people, people, access) for people in sizes)
        for sizes in (effect.group_sizes, [people for cohort in cohorts for people in cohort.group_sizes])
    ]
    compared = all(effect.group_sizes)
    return Adoption(
        effect if compared and not of_few[0] else None,
        NOBODY_TO_COMPARE if not compared else reason(access) if of_few[0] else "",
        [] if of_few[1] else cohorts,
        reason(access) if of_few[1] else "",
    )


@dataclass(frozen=True)
class AdoptionRows:
    """The rows behind an adoption figure as a viewer may see them; all pages list the same developers."""

    developers: Developers
    note: str  # why other people's rows are left out

    def page(self, page: int, size: int) -> RowsPage:
        return labelled_rows(
            replace(rows_of(self.developers, page=page, size=size), note=self.note), Disclosure.WITH_NAMES
        )


def visible_adoption_rows(query: Query, rows_query: AdoptionRowsQuery, access: Access) -> AdoptionRows:
    """The rows behind the adoption effect and the cohorts.

    Only the viewer's own where the policy does not name people: tools show pull requests and days by name.
    """
    check_scopes([query.scope], access)
    developers = developers_of(read_developer_facts(query), query, rows_query)
    of_people = replace(query, key=OF_PEOPLE_AND_AGENTS, segments=(), statistic=None)
    shown = rows_shown(of_people, access, _unit_id(query.scope, access))
    if shown.note:
        developers = developers.only(access.visibility.person_id or NOBODY)
    return AdoptionRows(developers, shown.note)


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
    shown = rows_shown(query, access, _unit_id(query.scope, access))
    if shown.shown is not Disclosure.OWN and is_withheld(query, people, access):
        return RowsShown(Disclosure.OWN, _of_few_people(access))
    return shown


def _shown_of_rows(query: Query, access: Access) -> RowsShown:
    """As `shown_of`, for the people who contribute to any part of the metric's value."""
    shown = rows_shown(query, access, _unit_id(query.scope, access))
    if shown.shown is not Disclosure.OWN and withholds(query, access):
        [answer] = visible_totals([query], access)
        if any(figure.withheld for figure in answer.total):
            return RowsShown(Disclosure.OWN, _of_few_people(access))
    return shown


def _own(query: Query, access: Access) -> Query:
    return replace(query, scope=replace(query.scope, person_id=access.visibility.person_id or NOBODY))


def _of_few_people(access: Access) -> str:
    few = (
        f"Fewer than {access.minimum_group_size} people contribute, and rows would tell of each of them: "
        "only your own are listed."
    )
    return f"{few} {UNKNOWN_PEOPLE}" if unconfirmed_for(access) else few


def _unit_id(scope: Scope, access: Access) -> int | None:
    if scope.unit is None or scope.unit in access.visibility.slugs:
        return access.visibility.slugs.get(scope.unit or "")
    return Unit.objects.filter(slug=scope.unit).values_list("pk", flat=True).first()
