"""Answers as a viewer may see them: only in permitted scopes, and without values of groups that are too small.

Views and the API read values only through this module (a test enforces it); commands and figure records use
`insights.engine.read`, which knows nothing about viewers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

from insights.catalogue.registry import get
from insights.engine.comparison import Comparison, read_comparisons
from insights.engine.contributions import RowsPage, read_person_totals, read_rows
from insights.engine.contributors import Contributors
from insights.engine.distribution import DistributionAnswer, read_distribution
from insights.engine.fact_rows import RowOrder
from insights.engine.margins import ErrorMargins, read_error_margins
from insights.engine.read import AnswerSet, UnitQueries, read_together, read_totals, read_unmatched
from insights.formulas.error_margins import ErrorMargin
from insights.privacy.evidence import Question
from insights.privacy.families import Family, Unit, family_of, trees_of_tops, units_by_word
from insights.privacy.rows import RowsShown, labelled_rows, pseudonymous_rows, rows_shown
from insights.privacy.scope_access import check_scopes
from insights.privacy.suppression import Hidden, Row
from insights.privacy.withhold import (
    AI_DIMENSIONS,
    UNKNOWN_PEOPLE,
    few_beside,
    is_withheld,
    minimum_for,
    minimum_of,
    reason,
    unconfirmed_for,
    withheld,
    withheld_by_number,
    withheld_distribution,
    withholds,
    without_few_in_buckets,
)
from insights.query.enums import BelongsTo
from insights.query.errors import QueryError
from insights.query.query import Answer, Dimension, Freshness, Query, Scope, Window
from orgtree.access.access import Access
from orgtree.access.trust import Disclosure
from orgtree.models import Unit as OrgUnit
from orgtree.trees.placements import is_within

__all__ = [
    "AnswerSet",
    "Freshness",
    "UnitQueries",
    "disclosed",
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

TEAMS_NOTE = "No rows: these figures are of teams, never of a person."
NOBODY = 0  # person id that matches no row, for accounts without a person
SESSIONS_NOTE = (
    "Only your own sessions are listed: others would reveal when somebody behind a pseudonym was at work. The rows of "
    "the figures list everybody's totals."
)


def visible_series(
    queries: Sequence[Query], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[Answer]:
    """`read_series` for this viewer.  Raises UnknownUnitError and ScopeNeededError: see scope_access.py."""
    return list(visible_together(access, series=queries, freshness=freshness).series)


def visible_totals(
    queries: Sequence[Query], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[Answer]:
    """`visible_series` for the whole window alone: `series` is empty."""
    return list(visible_together(access, totals=queries, freshness=freshness).totals)


def visible_together(
    access: Access,
    *,
    series: Sequence[Query] = (),
    totals: Sequence[Query] = (),
    units: Sequence[UnitQueries] = (),
    freshness: Freshness = Freshness.AT_ONCE,
) -> AnswerSet:
    """`read_together` for this viewer, of units that they may see."""
    check_scopes((query.scope for query in (*series, *totals)), access)
    units = [
        replace(of_units, units=[unit for unit in of_units.units if access.visibility.can_see(unit)])
        for of_units in units
    ]
    known = {} if access.shows_small_groups else units_by_word(access)
    family = cache(partial(family_of, access=access))
    questions = [
        *(_question(query, known, access, family, of_buckets=True) for query in series),
        *(_question(query, known, access, family) for query in totals),
        *(
            _question_of_units(query, of_units.units, access, family)
            for of_units in units
            for query in of_units.queries
        ),
    ]
    answers = read_together(
        series=series,
        totals=totals,
        units=units,
        people=[query for question in questions if question for query in question.people_queries],
        freshness=freshness,
    )
    judged = iter(_judged(questions, answers.people, access))
    return AnswerSet(
        series=[_shown(answer, next(judged), access) for answer in answers.series],
        totals=[_shown(answer, next(judged), access) for answer in answers.totals],
        units=[
            _shown_of_units(of_units, by_unit, [next(judged) for _ in of_units.queries], access)
            for of_units, by_unit in zip(units, answers.units, strict=True)
        ],
    )


FamilyOf = Callable[[tuple[Unit, ...], Window], Family]


def _question(
    query: Query, known: Mapping[str, Unit], access: Access, family: FamilyOf, *, of_buckets: bool = False
) -> Question | None:
    """The question about the query's people; None if nothing of it is withheld.  `known` maps words of scopes
    to units.
    """
    if access.shows_small_groups or not withholds(query, access):
        return None
    unit = known.get(query.scope.unit_word or "") or unit_id_of(query.scope, access)
    units = () if unit is None else (unit,)
    return Question(query, units, family(units, query.window), of_buckets)


def _question_of_units(query: Query, units: Sequence[int], access: Access, family: FamilyOf) -> Question | None:
    """`_question` for these units.  Whether a unit is protected is decided when it is shown."""
    if not units or access.shows_small_groups or get(query.key).belongs_to is not BelongsTo.PERSON:
        return None
    return Question(query, units, family(tuple(units), query.window), of_buckets=False)


def _judged(
    questions: Sequence[Question | None], people: Sequence[Contributors], access: Access
) -> Iterator[Mapping[Row, Hidden]]:
    """The values to hide for each question, by unit."""
    found = iter(people)
    minimum = minimum_of(access)
    for question in questions:
        answers = [next(found) for _ in question.people_queries] if question else []
        yield question.hidden(answers, minimum_for(question.query, minimum)) if question else {}


def _shown(answer: Answer, hidden: Mapping[Row, Hidden], access: Access) -> Answer:
    for of_unit in hidden.values():
        return withheld(answer, access, of_unit)
    return withheld_by_number(answer, access)


def _shown_of_units(
    queries: UnitQueries,
    by_unit: Mapping[int, Sequence[Answer]],
    hidden: Sequence[Mapping[Row, Hidden]],
    access: Access,
) -> Mapping[int, Sequence[Answer]]:
    few = [few_beside(position, by_unit, access) for position in range(len(hidden))]
    shown = {
        unit: [
            withheld(answer, access, of_query[unit], unit)
            if of_query
            else withheld_by_number(answer, access, whole=unit in few[position])
            for position, (answer, of_query) in enumerate(zip(answers, hidden, strict=True))
        ]
        for unit, answers in by_unit.items()
    }
    if not queries.of_buckets:
        return shown
    of_queries = [without_few_in_buckets(position, shown, access) for position in range(len(hidden))]
    return {unit: [of_query[unit] for of_query in of_queries] for unit in shown}


def visible_unmatched(query: Query, access: Access) -> float:
    """`read_unmatched` for this viewer: it reveals nothing about known people."""
    check_scopes([query.scope], access)
    return read_unmatched(query)


def visible_distribution(query: Query, access: Access) -> DistributionAnswer:
    """`read_distribution` for this viewer."""
    check_scopes([query.scope], access)
    spread = read_distribution(query)
    if not spread.sample_size or not withholds(query, access):
        return spread
    [answer] = visible_totals([query], access)
    return withheld_distribution(spread, answer.total[0], access)


def visible_comparisons(queries: Sequence[Query], line: str, access: Access) -> list[Comparison]:
    """`read_comparisons` for this viewer: a comparison with too small a group is withheld."""
    check_scopes((query.scope for query in queries), access)

    def shown(query: Query, comparison: Comparison) -> Comparison:
        too_few = any(is_withheld(_by_assistance(query), people, access) for people in comparison.group_sizes)
        return comparison.hidden(reason(access)) if too_few else comparison

    return [
        shown(query, comparison) for query, comparison in zip(queries, read_comparisons(queries, line), strict=True)
    ]


def visible_error_margins(query: Query, line: str, access: Access) -> ErrorMargins:
    """`read_error_margins` for this viewer: none for a bucket with too few contributors."""
    check_scopes([query.scope], access)

    def shown(margin: ErrorMargin | None) -> ErrorMargin | None:
        return None if margin is None or is_withheld(compared, margin.contributors, access) else margin

    compared = _by_assistance(query)
    return {name: [shown(margin) for margin in margins] for name, margins in read_error_margins(query, line).items()}


def _by_assistance(query: Query) -> Query:
    """The query by which policies treat a comparison of work with and without agents: the same, split by assistance."""
    return replace(query, segments=(Dimension.ASSISTANCE,))


def visible_rows(
    query: Query, access: Access, *, page: int = 1, size: int = 100, order: RowOrder | None = None
) -> RowsPage:
    """`read_rows` for this viewer: other people's rows with names, as pseudonymous totals, or not at all.

    If other people's rows are left out, `note` says why and `total` counts the viewer's own.
    """
    check_scopes([query.scope], access)
    if get(query.key).of_teams_only:
        nobody = replace(query, scope=replace(query.scope, person_id=NOBODY))
        return replace(read_rows(nobody, page=page, size=size), query=query, note=TEAMS_NOTE)
    shown = _shown_of_rows(query, access)
    if shown.shown is Disclosure.TOTALS:
        everybody = read_person_totals(query)
        listed = pseudonymous_rows(everybody, access, page=page, size=size, order=order)
        return replace(listed, note=shown.note)
    own = shown.shown is Disclosure.OWN
    if shown.shown is Disclosure.AS_IN_TOOLS and order and order.column in AI_DIMENSIONS:
        raise QueryError("sort", "These rows do not show that column, and their order would.")
    listed = read_rows(_own(query, access) if own else query, page=page, size=size, order=order)
    return labelled_rows(replace(listed, query=query, note=shown.note), shown.shown)


def visible_page(query: Query, access: Access, *, people: int, read: Callable[[int | None], RowsPage]) -> RowsPage:
    """`visible_rows` for session rows that no metric reads: those behind `query`, which belong to `people` people.

    `read` returns the page of everybody's rows (None), or of one person's.  A session reveals when somebody worked, so
    it is never shown under a pseudonym.
    """
    check_scopes([query.scope], access)
    shown = shown_of(query, access, people=people)
    note = SESSIONS_NOTE if shown.shown is Disclosure.TOTALS else shown.note
    only = (access.visibility.person_id or NOBODY) if note else None
    return labelled_rows(replace(read(only), note=note), Disclosure.WITH_NAMES)


def disclosed(query: Query, access: Access) -> RowsShown:
    """The form in which the policy shows rows of `query` to this viewer, regardless of how few people contribute."""
    return rows_shown(query, access, covered=_covers(query, access))


def _covers(query: Query, access: Access) -> bool:
    """Whether the viewer may see rows of everybody in the query's scope: those of its unit, or of the units in which
    its people were on each day of the window.

    The units of a tree cover the whole organisation if nobody outside them contributes.
    """
    scope, visibility = query.scope, access.visibility
    unit = unit_id_of(scope, access)
    if visibility.can_see_individuals(unit):
        return True
    units = visibility.individuals_in
    if not units or scope.unassigned is not None or scope.person_id is not None:
        return False
    if scope.unit is not None:
        return unit is not None and is_within(unit, units, *query.window)
    if get(query.key).belongs_to is not BelongsTo.PERSON:
        return False
    trees = trees_of_tops(units, query.window, access)
    outside = [replace(query, scope=replace(scope, unassigned=tree), segments=(), statistic=None) for tree in trees]
    return any(not any(figure.people for figure in answer.total) for answer in read_totals(outside))


def shown_of(query: Query, access: Access, *, people: int) -> RowsShown:
    """The form in which rows of `people` people are shown to this viewer."""
    shown = disclosed(query, access)
    if shown.shown is not Disclosure.OWN and is_withheld(query, people, access):
        return RowsShown(Disclosure.OWN, _of_few_people(access))
    return shown


def _shown_of_rows(query: Query, access: Access) -> RowsShown:
    """`shown_of` for the people who contribute to any part of the metric's value."""
    shown = disclosed(query, access)
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
    return OrgUnit.objects.filter(slug=scope.unit).values_list("pk", flat=True).first()
