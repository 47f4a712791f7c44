"""Answers as a viewer may see them: allowed scopes only, and nothing of groups that are too small.

Views and the API read figures here and nowhere else (a test holds it); commands and the record of figures use
`insights.engine.read`, which knows nothing of viewers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from insights.engine.adoption.cohorts import Cohort, cohorts_of
from insights.engine.adoption.developer_facts import read_developer_facts
from insights.engine.adoption.developers import OF_PEOPLE_AND_AGENTS, Developers, RowsAsked, developers_of
from insights.engine.adoption.effect import Effect, courses_of, effect_of
from insights.engine.adoption.rows import rows_of
from insights.engine.comparison import Comparison, read_comparisons
from insights.engine.comparison_intervals import Bands, read_bands
from insights.engine.contributions import RowsPage
from insights.engine.distribution import Spread
from insights.engine.fact_rows import RowOrder
from insights.engine.read import (
    SideBySide,
    Together,
    read_distribution,
    read_person_totals,
    read_rows,
    read_series,
    read_together,
    read_totals,
)
from insights.formulas.bands import Reach
from insights.privacy.rows import RowsShown, labelled_rows, pseudonymous_rows, rows_shown
from insights.privacy.scope_access import check_scopes
from insights.privacy.withhold import (
    UNKNOWN_PEOPLE,
    is_withheld,
    numerator_query,
    reason,
    unconfirmed_for,
    withheld,
    withheld_spread,
    withholds,
)
from insights.query.query import Dimension, Freshness, MetricQuery, Scope, SeriesAnswer
from orgtree.access.access import Access
from orgtree.access.trust import Shown
from orgtree.models import Unit

__all__ = [
    "Adoption",
    "AdoptionRows",
    "Freshness",
    "SideBySide",
    "Together",
    "shown_of",
    "visible_adoption",
    "visible_adoption_rows",
    "visible_bands",
    "visible_comparisons",
    "visible_distribution",
    "visible_page",
    "visible_rows",
    "visible_series",
    "visible_together",
    "visible_totals",
]

NOBODY = 0  # as a person's id: the rows of an account that is no person
SESSIONS_NOTE = (
    "Only your own sessions are listed: they would tell when somebody behind a pseudonym was at work. Rows of the "
    "figures list everybody's totals."
)
NOBODY_TO_COMPARE = "Nobody to compare: it takes developers who took up an agent in this window, and some who did not."


@dataclass(frozen=True)
class Adoption:
    """Of both figures: what may be told, or why nothing is."""

    effect: Effect | None
    why_no_effect: str
    cohorts: Sequence[Cohort]
    why_no_cohorts: str


def visible_series(
    queries: Sequence[MetricQuery], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[SeriesAnswer]:
    """As `read_series`, for this viewer.  Raises UnknownUnitError and ScopeNeededError: see scope_access.py."""
    check_scopes((query.scope for query in queries), access)
    asked = _WithNumerators(queries, access)
    found = read_series(asked.queries, freshness=freshness, unconfirmed=unconfirmed_for(access))
    return asked.withheld(found)


def visible_totals(
    queries: Sequence[MetricQuery], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[SeriesAnswer]:
    """As `visible_series`, for the whole window alone: `series` is empty."""
    check_scopes((query.scope for query in queries), access)
    asked = _WithNumerators(queries, access)
    found = read_totals(asked.queries, freshness=freshness, unconfirmed=unconfirmed_for(access))
    return asked.withheld(found)


def visible_together(
    access: Access,
    *,
    series: Sequence[MetricQuery] = (),
    totals: Sequence[MetricQuery] = (),
    units: Sequence[SideBySide] = (),
    freshness: Freshness = Freshness.AT_ONCE,
) -> Together:
    """As `read_together`, for this viewer; of the units, those that they may see."""
    check_scopes((query.scope for query in (*series, *totals)), access)
    asked_series, asked_totals = _WithNumerators(series, access), _WithNumerators(totals, access)
    asked_units = [_WithNumerators(asked.queries, access) for asked in units]
    seen = _seen(units, asked_units, access)
    found = read_together(
        series=asked_series.queries,
        totals=asked_totals.queries,
        units=seen,
        freshness=freshness,
        unconfirmed=unconfirmed_for(access),
    )
    return Together(
        series=asked_series.withheld(found.series),
        totals=asked_totals.withheld(found.totals),
        units=[
            {unit: wider.withheld(answers, unit) for unit, answers in each.items()}
            for wider, each in zip(asked_units, found.units, strict=True)
        ],
    )


def _seen(units: Sequence[SideBySide], wider: Sequence[_WithNumerators], access: Access) -> list[SideBySide]:
    """Of the units those that this viewer may see."""
    return [
        replace(asked, queries=each.queries, units=[unit for unit in asked.units if access.sight.covers(unit)])
        for asked, each in zip(units, wider, strict=True)
    ]


class _WithNumerators:
    """Queries with those of their numerators behind them, which decide what is withheld and are not handed on."""

    def __init__(self, queries: Sequence[MetricQuery], access: Access) -> None:
        self._access = access
        self.queries = list(queries)
        self._numerators: list[int | None] = []
        for query in queries:
            numerator = numerator_query(query, access)
            if numerator is not None and numerator not in self.queries:
                self.queries.append(numerator)
            self._numerators.append(None if numerator is None else self.queries.index(numerator))

    def withheld(self, answers: Sequence[SeriesAnswer], unit_id: int | None = None) -> list[SeriesAnswer]:
        return [
            withheld(answers[position], self._access, None if above is None else answers[above], unit_id)
            for position, above in enumerate(self._numerators)
        ]


def visible_distribution(query: MetricQuery, access: Access) -> Spread:
    """As `read_distribution`, for this viewer."""
    check_scopes([query.scope], access)
    spread = read_distribution(query)
    if not spread.sample_size or not withholds(query, access):
        return spread
    [answer] = read_totals([query])
    return withheld_spread(spread, answer.total[0].people, access)


def visible_comparisons(queries: Sequence[MetricQuery], line: str, access: Access) -> list[Comparison]:
    """As `read_comparisons`, for this viewer: nothing of one where one of the groups is too small."""
    check_scopes((query.scope for query in queries), access)

    def shown(query: MetricQuery, found: Comparison) -> Comparison:
        too_few = any(is_withheld(_by_assistance(query), people, access) for people in found.group_sizes)
        return found.hidden(reason(access)) if too_few else found

    return [shown(query, found) for query, found in zip(queries, read_comparisons(queries, line), strict=True)]


def visible_bands(query: MetricQuery, line: str, access: Access) -> Bands:
    """As `read_bands`, for this viewer: none of a bucket in which too few people did anything."""
    check_scopes([query.scope], access)

    def shown(reach: Reach | None) -> Reach | None:
        return None if reach is None or is_withheld(compared, reach.contributors, access) else reach

    compared = _by_assistance(query)
    return {name: [shown(reach) for reach in reaches] for name, reaches in read_bands(query, line).items()}


def _by_assistance(query: MetricQuery) -> MetricQuery:
    """What a comparison of work with and without agents asks, as far as policies are concerned."""
    return replace(query, segments=(Dimension.ASSISTANCE,))


def visible_adoption(query: MetricQuery, access: Access) -> Adoption:
    """What taking up an agent changed, and developers by how much they use agents; or why it is not told.

    Nothing is told of groups, or of cohorts, where one of them is too small.
    """
    check_scopes([query.scope], access)
    facts = read_developer_facts(query)
    effect, cohorts = effect_of(courses_of(facts), query), cohorts_of(facts)
    told = replace(query, key=OF_PEOPLE_AND_AGENTS)
    of_few = [
        any(is_withheld(told, people, access) for people in sizes)
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
    """The rows behind a figure of adoption as a viewer may see them; every page is of the same developers."""

    developers: Developers
    note: str  # why others' rows are not among them

    def page(self, page: int, size: int) -> RowsPage:
        return labelled_rows(replace(rows_of(self.developers, page=page, size=size), note=self.note), Shown.WITH_NAMES)


def visible_adoption_rows(query: MetricQuery, asked: RowsAsked, access: Access) -> AdoptionRows:
    """The rows behind what adoption changed and behind the cohorts of use.

    Only one's own where the policy does not name people: their pull requests and days are what the tools show by name.
    """
    check_scopes([query.scope], access)
    developers = developers_of(read_developer_facts(query), query, asked)
    told = replace(query, key=OF_PEOPLE_AND_AGENTS, segments=(), statistic=None)
    found = rows_shown(told, access, _unit_id(query.scope, access))
    if found.note:
        developers = developers.only(access.sight.person_id or NOBODY)
    return AdoptionRows(developers, found.note)


def visible_rows(
    query: MetricQuery, access: Access, *, page: int = 1, size: int = 100, order: RowOrder = RowOrder.NEWEST
) -> RowsPage:
    """As `read_rows`, for this viewer: others' rows with names or as totals under pseudonyms, or not at all.

    Where others' rows are left out, `note` says why and `total` counts one's own.
    """
    check_scopes([query.scope], access)
    found = _shown_of_rows(query, access)
    if found.shown is Shown.TOTALS:
        everybody = read_person_totals(query)
        return replace(pseudonymous_rows(everybody, access, page=page, size=size), note=found.note)
    own = found.shown is Shown.OWN
    listed = read_rows(_own(query, access) if own else query, page=page, size=size, order=order)
    return labelled_rows(replace(listed, query=query, note=found.note), found.shown)


def visible_page(
    query: MetricQuery, access: Access, *, people: int, read: Callable[[int | None], RowsPage]
) -> RowsPage:
    """As `visible_rows`, of sessions that no metric reads: those behind `query`, and they are of so many people.

    `read` gives the page of everybody's rows (None), or of one person's alone.  A session tells when somebody was at
    work, so that it never stands under a pseudonym.
    """
    check_scopes([query.scope], access)
    found = shown_of(query, access, people=people)
    note = SESSIONS_NOTE if found.shown is Shown.TOTALS else found.note
    only = (access.sight.person_id or NOBODY) if note else None
    return labelled_rows(replace(read(only), note=note), Shown.WITH_NAMES)


def shown_of(query: MetricQuery, access: Access, *, people: int) -> RowsShown:
    """How rows that are of so many people are shown to this viewer."""
    found = rows_shown(query, access, _unit_id(query.scope, access))
    if found.shown is not Shown.OWN and is_withheld(query, people, access):
        return RowsShown(Shown.OWN, _of_few_people(access))
    return found


def _shown_of_rows(query: MetricQuery, access: Access) -> RowsShown:
    """As `shown_of`, of as many people as contribute to any part of the metric's figure."""
    found = rows_shown(query, access, _unit_id(query.scope, access))
    if found.shown is not Shown.OWN and withholds(query, access):
        [answer] = visible_totals([query], access)
        if any(figure.withheld for figure in answer.total):
            return RowsShown(Shown.OWN, _of_few_people(access))
    return found


def _own(query: MetricQuery, access: Access) -> MetricQuery:
    return replace(query, scope=replace(query.scope, person_id=access.sight.person_id or NOBODY))


def _of_few_people(access: Access) -> str:
    few = (
        f"Fewer than {access.minimum_group_size} people contribute, and rows would tell of each of them: "
        "only your own are listed."
    )
    return f"{few} {UNKNOWN_PEOPLE}" if unconfirmed_for(access) else few


def _unit_id(scope: Scope, access: Access) -> int | None:
    if scope.unit is None or scope.unit in access.sight.slugs:
        return access.sight.slugs.get(scope.unit or "")
    return Unit.objects.filter(slug=scope.unit).values_list("pk", flat=True).first()
