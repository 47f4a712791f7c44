"""Selects the developers behind an adoption figure, for the list of rows."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from insights.engine.adoption.developer_facts import DeveloperFacts
from insights.engine.adoption.effect import COHORTS, BeforeAfter, before_and_after, cohort_places
from insights.query.query import Query

# Policies treat these rows like those of this metric: unlike authorship, no tool reveals who used agents, or how much.
OF_PEOPLE_AND_AGENTS = "pr.merged_per_developer"


class Panel(enum.StrEnum):
    """The adoption panel whose rows are requested."""

    MERGED = "merged"  # pull requests per week, before and after
    CYCLE = "cycle"  # the mean cycle time, before and after
    USE = "use"  # developers by how much they use agents


class RowKind(enum.StrEnum):
    DEVELOPERS = "developers"
    PULL_REQUESTS = "pull_requests"
    SESSIONS = "sessions"
    DAYS = "days"


TOOK_UP, DID_NOT = "took_up", "did_not"
GROUP_NAMES = {TOOK_UP: "Adopted an agent", DID_NOT: "No adoption"}
COHORT_NAMES = {"none": "None", "light": "Light", "moderate": "Moderate", "heavy": "Heavy"}


@dataclass(frozen=True)
class AdoptionRowsQuery:
    """A query of rows by developer; `group` is one of GROUP_NAMES or COHORT_NAMES, empty for all."""

    figure: Panel
    group: str = ""
    listed: RowKind = RowKind.DEVELOPERS

    @property
    def groups(self) -> Mapping[str, str]:
        """The groups of the figure."""
        return COHORT_NAMES if self.figure is Panel.USE else GROUP_NAMES

    @property
    def lists(self) -> Sequence[RowKind]:
        """The kinds of rows into which developers can be expanded."""
        facts = (RowKind.DEVELOPERS, RowKind.PULL_REQUESTS, RowKind.SESSIONS)
        return (*facts, RowKind.DAYS) if self.figure is Panel.USE else facts


@dataclass(frozen=True)
class Developers:
    """The developers behind the rows, in row order."""

    query: Query
    rows_query: AdoptionRowsQuery
    before_after: BeforeAfter | None
    uses: DeveloperFacts

    def only(self, person_id: int) -> Developers:
        before_after = self.before_after
        if before_after is not None:
            before_after = before_after.of(before_after.people == person_id)
        return replace(self, before_after=before_after, uses=self.uses.of(self.uses.people == person_id))

    @property
    def people(self) -> list[int]:
        people: list[int] = (self.uses if self.before_after is None else self.before_after).people.tolist()
        return people


def developers_of(facts: DeveloperFacts, query: Query, rows_query: AdoptionRowsQuery) -> Developers:
    """The developers of the requested group.  Empty if any group is empty, because there is no figure then."""
    if rows_query.figure is Panel.USE:
        places = cohort_places(facts)
        is_selected = places == COHORTS.index(rows_query.group) if rows_query.group else places >= 0
        return Developers(query, rows_query, None, facts.of(is_selected))
    before_after = before_and_after(facts)
    takers = len(before_after.of_group(took_up=True))
    if takers in (0, len(before_after)):
        before_after = before_after.of(before_after.people < 0)
    elif rows_query.group:
        before_after = before_after.of_group(took_up=rows_query.group == TOOK_UP)
    return Developers(query, rows_query, before_after, facts)
