"""The effect of adopting an agent as a viewer may see it, and the rows behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from insights.engine.adoption.developer_facts import read_developer_facts
from insights.engine.adoption.developers import OF_PEOPLE_AND_AGENTS, AdoptionRowsQuery, Developers, developers_of
from insights.engine.adoption.effect import Cohort, Effect, before_and_after, cohorts_of, effect_of
from insights.engine.adoption.rows import rows_of
from insights.engine.contributions import RowsPage
from insights.privacy.rows import labelled_rows
from insights.privacy.scope_access import check_scopes
from insights.privacy.visible import NOBODY, disclosed
from insights.privacy.withhold import is_withheld, reason
from insights.query.query import Query
from orgtree.access.access import Access
from orgtree.access.trust import Disclosure

NOBODY_TO_COMPARE = (
    "Nobody to compare: this needs developers who adopted an agent in this window, and some who did not."
)


@dataclass(frozen=True)
class Adoption:
    """Both adoption figures, or the reason why one is withheld."""

    effect: Effect | None
    why_no_effect: str
    cohorts: Sequence[Cohort]
    why_no_cohorts: str


def visible_adoption(query: Query, access: Access) -> Adoption:
    """The effect of adopting an agent, and cohorts by intensity of use, or the reason why they are withheld.

    Each of the two is withheld if one of the groups of people behind it is too small.
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

    Only the viewer's own if the policy does not name people, because other tools show pull requests and days by name.
    """
    check_scopes([query.scope], access)
    developers = developers_of(read_developer_facts(query), query, rows_query)
    of_people = replace(query, key=OF_PEOPLE_AND_AGENTS, segments=(), statistic=None)
    shown = disclosed(of_people, access)
    if shown.note:
        developers = developers.only(access.visibility.person_id or NOBODY)
    return AdoptionRows(developers, shown.note)
