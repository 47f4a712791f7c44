"""Whose the rows behind before and after adoption are, and those behind developers by how much they use agents."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from insights.engine.adoption.cohorts import COHORTS, cohort_places
from insights.engine.adoption.developer_facts import DeveloperFacts
from insights.engine.adoption.effect import Courses, courses_of
from insights.query.query import MetricQuery

# Who used agents, and how much, is no tool's to tell, unlike whose work it was.
OF_PEOPLE_AND_AGENTS = "pr.merged_per_developer"


class Figure(enum.StrEnum):
    """Of which of the parts' figures the rows are."""

    MERGED = "merged"  # pull requests a week, before and after
    CYCLE = "cycle"  # the mean cycle time, before and after
    USE = "use"  # developers by how much they use agents


class Listed(enum.StrEnum):
    DEVELOPERS = "developers"
    PULL_REQUESTS = "pull_requests"
    SESSIONS = "sessions"
    DAYS = "days"


TOOK_UP, DID_NOT = "took_up", "did_not"
GROUP_NAMES = {TOOK_UP: "Took up an agent", DID_NOT: "Did not"}
COHORT_NAMES = {"none": "None", "light": "Light", "moderate": "Moderate", "heavy": "Heavy"}


@dataclass(frozen=True)
class RowsAsked:
    """`group` is one of GROUP_NAMES or of COHORT_NAMES; empty: all of them."""

    figure: Figure
    group: str = ""
    listed: Listed = Listed.DEVELOPERS

    @property
    def groups(self) -> Mapping[str, str]:
        """Those that the figure has."""
        return COHORT_NAMES if self.figure is Figure.USE else GROUP_NAMES

    @property
    def lists(self) -> Sequence[Listed]:
        """What its developers can be opened to."""
        facts = (Listed.DEVELOPERS, Listed.PULL_REQUESTS, Listed.SESSIONS)
        return (*facts, Listed.DAYS) if self.figure is Figure.USE else facts


@dataclass(frozen=True)
class Developers:
    """Whoever the rows are of, in the order in which they stand."""

    query: MetricQuery
    asked: RowsAsked
    courses: Courses | None
    uses: DeveloperFacts

    def only(self, person_id: int) -> Developers:
        courses = self.courses
        if courses is not None:
            courses = courses.of(courses.people == person_id)
        return replace(self, courses=courses, uses=self.uses.of(self.uses.people == person_id))

    @property
    def people(self) -> list[int]:
        found: list[int] = (self.uses if self.courses is None else self.courses).people.tolist()
        return found


def developers_of(facts: DeveloperFacts, query: MetricQuery, asked: RowsAsked) -> Developers:
    """Those of the asked group.  Nobody where a group has nobody: there is no figure then."""
    if asked.figure is Figure.USE:
        places = cohort_places(facts)
        wanted = places == COHORTS.index(asked.group) if asked.group else places >= 0
        return Developers(query, asked, None, facts.of(wanted))
    courses = courses_of(facts)
    takers = len(courses.of_group(took_up=True))
    if takers in (0, len(courses)):
        courses = courses.of(courses.people < 0)
    elif asked.group:
        courses = courses.of_group(took_up=asked.group == TOOK_UP)
    return Developers(query, asked, courses, facts)
