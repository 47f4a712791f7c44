"""Answers as a viewer may see them: allowed scopes only, and nothing of groups that are too small.

Views and the API read figures here and nowhere else (a test holds it); commands and snapshots use
`insights.metrics.read`, which knows nothing of viewers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from insights.formulas.bands import Reach
from insights.metrics import kept_effects
from insights.metrics.adoption_developers import OF_PEOPLE_AND_AGENTS, Developers, RowsAsked, developers_of
from insights.metrics.adoption_effect import Effect
from insights.metrics.adoption_rows import rows_of
from insights.metrics.bands import Bands
from insights.metrics.comparison import Comparison
from insights.metrics.distribution import Spread
from insights.metrics.kept_bands import bands
from insights.metrics.kept_comparisons import comparisons
from insights.metrics.query import MetricQuery, Scope, SeriesAnswer
from insights.metrics.read import (
    AskedBeside,
    Beside,
    Freshness,
    SideBySide,
    Together,
    kept_distribution,
    read_rows,
    read_series,
    read_together,
    read_totals,
)
from insights.metrics.row_privacy import masked_rows, open_as_in_tools
from insights.metrics.row_statement import RowOrder
from insights.metrics.rows import RowsPage
from insights.metrics.usage_cohorts import Cohort
from insights.metrics.withhold import is_withheld, numerator_query, reason, withheld, withheld_spread, withholds
from insights.people_figures.adoption import developer_facts
from insights.scope_access import check_scopes
from orgtree.models import IndividualPolicy, Unit
from orgtree.services.access import Access

__all__ = [
    "Adoption",
    "AdoptionRows",
    "AskedBeside",
    "Freshness",
    "SideBySide",
    "Together",
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
    "why_own_only",
]

NOBODY = 0  # as a person's id: the rows of an account that is no person
NOBODY_TO_COMPARE = "Nobody to compare: it takes developers who took up an agent in this window, and some who did not."
SELF_ONLY_NOTE = "Individual data are shown to nobody but the person: only your own rows are listed."
AGGREGATES_NOTE = "You may see aggregates here: only your own rows are listed."


@dataclass(frozen=True)
class Adoption:
    """Of both figures: what may be told, or why nothing is; and as of when."""

    effect: Effect | None
    why_no_effect: str
    cohorts: Sequence[Cohort]
    why_no_cohorts: str
    as_of: datetime


def visible_series(
    queries: Sequence[MetricQuery], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[SeriesAnswer]:
    """As `read_series`, for this viewer.  Raises UnknownUnitError and ScopeNeededError: see insights.scope_access."""
    check_scopes((query.scope for query in queries), access)
    asked = _WithNumerators(queries, access)
    return asked.withheld(read_series(asked.queries, freshness=freshness))


def visible_totals(
    queries: Sequence[MetricQuery], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[SeriesAnswer]:
    """As `visible_series`, for the whole window alone: `series` is empty."""
    check_scopes((query.scope for query in queries), access)
    asked = _WithNumerators(queries, access)
    return asked.withheld(read_totals(asked.queries, freshness=freshness))


def visible_together(
    access: Access,
    *,
    series: Sequence[MetricQuery] = (),
    totals: Sequence[MetricQuery] = (),
    units: Sequence[SideBySide] = (),
    freshness: Freshness = Freshness.AT_ONCE,
    beside: Beside | None = None,
) -> Together:
    """As `read_together`, for this viewer; of the units, those that they may see."""
    check_scopes((query.scope for query in (*series, *totals)), access)
    asked_series, asked_totals = _WithNumerators(series, access), _WithNumerators(totals, access)
    asked_units = [_WithNumerators(asked.queries, access) for asked in units]
    seen = _seen(units, asked_units, access)

    def with_numerators() -> AskedBeside:
        asked = beside() if beside else AskedBeside()
        series, totals = _WithNumerators(asked.series, access), _WithNumerators(asked.totals, access)
        of_units = [_WithNumerators(each.queries, access) for each in asked.units]
        unassigned = _WithNumerators(asked.unassigned, access).queries
        return AskedBeside(
            series.queries, totals.queries, _seen(asked.units, of_units, access), asked.people, unassigned
        )

    found = read_together(
        series=asked_series.queries,
        totals=asked_totals.queries,
        units=seen,
        freshness=freshness,
        beside=with_numerators if beside else None,
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
    """As `kept_distribution`, for this viewer."""
    check_scopes([query.scope], access)
    spread = kept_distribution(query)
    if not spread.sample_size or not withholds(query, access):
        return spread
    [answer] = read_totals([query])
    return withheld_spread(spread, answer.total[0].people, access)


def visible_comparisons(queries: Sequence[MetricQuery], line: str, access: Access) -> list[Comparison]:
    """As `comparisons`, for this viewer: nothing of one where one of the groups is too small."""
    check_scopes((query.scope for query in queries), access)

    def shown(query: MetricQuery, found: Comparison) -> Comparison:
        too_few = any(is_withheld(query, people, access) for people in found.group_sizes)
        return found.hidden(reason(access)) if too_few else found

    return [shown(query, found) for query, found in zip(queries, comparisons(queries, line), strict=True)]


def visible_bands(query: MetricQuery, line: str, access: Access) -> Bands:
    """As `bands`, for this viewer: none of a bucket in which too few people did anything."""
    check_scopes([query.scope], access)

    def shown(reach: Reach | None) -> Reach | None:
        return None if reach is None or is_withheld(query, reach.contributors, access) else reach

    return {name: [shown(reach) for reach in reaches] for name, reaches in bands(query, line).items()}


def visible_adoption(query: MetricQuery, access: Access) -> Adoption:
    """What taking up an agent changed, and developers by how much they use agents; or why it is not told.

    Nothing is told of groups, or of cohorts, where one of them is too small.
    """
    check_scopes([query.scope], access)
    effect, cohorts, computed_at = kept_effects.effect_and_cohorts(query)
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
        computed_at,
    )


@dataclass(frozen=True)
class AdoptionRows:
    """The rows behind a figure of adoption as a viewer may see them; every page is of the same developers.

    `as_of` is the moment whose facts say who these are; None where they were read just now.
    """

    developers: Developers
    note: str  # why others' rows are not among them
    as_of: datetime | None
    access: Access

    def page(self, page: int, size: int) -> RowsPage:
        return masked_rows(replace(rows_of(self.developers, page=page, size=size), note=self.note), self.access)


def visible_adoption_rows(query: MetricQuery, asked: RowsAsked, access: Access) -> AdoptionRows:
    """The rows behind what adoption changed and behind the cohorts of use; one's own where a group is too small."""
    check_scopes([query.scope], access)
    facts, as_of = developer_facts(query)
    developers = developers_of(facts, query, asked)
    smallest = min((people for people in developers.group_sizes if people), default=0)
    told = replace(query, key=OF_PEOPLE_AND_AGENTS, segments=(), statistic=None)
    note = why_own_only(told, access, people=smallest)
    if note:
        developers = developers.only(access.sight.person_id or NOBODY)
    return AdoptionRows(developers, note, as_of, access)


def visible_rows(
    query: MetricQuery, access: Access, *, page: int = 1, size: int = 100, order: RowOrder = RowOrder.NEWEST
) -> RowsPage:
    """As `read_rows`, for this viewer: others' rows under the label that the policy gives them, or not at all.

    Where others' rows are left out, `note` says why and `total` counts one's own.
    """
    check_scopes([query.scope], access)
    note = _why_own_only(query, access)
    if not note:
        return masked_rows(read_rows(query, page=page, size=size, order=order), access)
    own = replace(query, scope=replace(query.scope, person_id=access.sight.person_id or NOBODY))
    found = read_rows(own, page=page, size=size, order=order)
    return masked_rows(replace(found, query=query, note=note), access)


def visible_page(
    query: MetricQuery, access: Access, *, people: int, read: Callable[[int | None], RowsPage]
) -> RowsPage:
    """As `visible_rows`, of rows that no metric reads: those behind `query`, and they are of so many people.

    `read` gives the page of everybody's rows (None), or of one person's alone.
    """
    check_scopes([query.scope], access)
    note = _of_few_people(access) if is_withheld(query, people, access) else _why_own_only(query, access)
    only = (access.sight.person_id or NOBODY) if note else None
    return masked_rows(replace(read(only), note=note), access)


def why_own_only(query: MetricQuery, access: Access, *, people: int) -> str:
    """Why only the viewer's own of rows that are of so many people may be listed; empty where others' may be, too."""
    if note := _why_by_policy(query, access):
        return note
    return _of_few_people(access) if is_withheld(query, people, access) else ""


def _why_own_only(query: MetricQuery, access: Access) -> str:
    """Why only the viewer's own rows are listed, in a sentence; empty where others' are listed, too."""
    own_id = access.sight.person_id
    if own_id is not None and query.scope.person_id == own_id:
        return ""
    if note := _why_by_policy(query, access):
        return note
    if withholds(query, access):
        [answer] = visible_totals([query], access)
        if any(figure.withheld for figure in answer.total):
            return _of_few_people(access)
    return ""


def _why_by_policy(query: MetricQuery, access: Access) -> str:
    """Why others' rows are not for this viewer, however many people contribute; empty where they are."""
    own_id = access.sight.person_id
    is_own = own_id is not None and query.scope.person_id == own_id
    if is_own or open_as_in_tools(query):
        return ""
    if access.policy == IndividualPolicy.SELF_ONLY:
        return SELF_ONLY_NOTE
    if access.sight.covers_no_individuals:
        return AGGREGATES_NOTE
    unit_id = access.sight.slugs.get(query.scope.unit or "") or _unit_id(query.scope)
    return "" if access.sight.covers_individuals(unit_id) else AGGREGATES_NOTE


def _of_few_people(access: Access) -> str:
    return (
        f"Fewer than {access.minimum_group_size} people contribute, and rows would tell of each of them: "
        "only your own are listed."
    )


def _unit_id(scope: Scope) -> int | None:
    if scope.unit is None:
        return None
    return Unit.objects.filter(slug=scope.unit).values_list("pk", flat=True).first()
