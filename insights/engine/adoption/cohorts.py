"""Cohorts of developers by how much they use agents, and what they merged: an association, not a randomised trial.

Developers without any activity in the window are in no cohort.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.engine.adoption.developer_facts import DeveloperFacts

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Integers

# By days with a session per active week: none, fewer than 1, fewer than 3, and more.
COHORTS = ("none", "light", "moderate", "heavy")
MODERATE_DAYS, HEAVY_DAYS = 1, 3


@dataclass(frozen=True)
class Cohort:
    """Developers with a similar number of days with a session per week.

    `merged_per_week` is their pull requests ÷ their active weeks; `cycle_seconds` the median cycle time of these.
    """

    name: str
    developers: int
    contributors: int  # developers with merged pull requests
    timed: int  # contributors with a known cycle time
    merged: int
    merged_per_week: float | None
    cycle_seconds: float | None

    @property
    def group_sizes(self) -> tuple[int, int, int]:
        """The sizes of all groups of people that it reveals."""
        return self.developers, self.contributors, self.timed


def cohorts_of(facts: DeveloperFacts) -> list[Cohort]:
    """The figures of each cohort of these developers."""
    places = cohort_places(facts)
    return [_cohort(name, facts, places == place) for place, name in enumerate(COHORTS)]


def cohort_places(facts: DeveloperFacts) -> Integers:
    """The position of each developer's cohort in COHORTS; -1 for none."""
    import numpy as np

    light = facts.session_days < MODERATE_DAYS * facts.weeks
    heavy = facts.session_days >= HEAVY_DAYS * facts.weeks
    used = np.select([facts.session_days == 0, light, ~heavy], [0, 1, 2], 3)
    return np.where(facts.weeks > 0, used, -1)


def _cohort(name: str, facts: DeveloperFacts, is_member: Flags) -> Cohort:
    import numpy as np

    if not is_member.any():
        return Cohort(name, 0, 0, 0, 0, None, None)
    merged, weeks = int(facts.pulls[is_member].sum()), int(facts.weeks[is_member].sum())
    known = is_member[facts.authors] & ~np.isnan(facts.cycles)
    return Cohort(
        name,
        int(is_member.sum()),
        int((facts.pulls[is_member] > 0).sum()),
        len(np.unique(facts.authors[known])),
        merged,
        merged / weeks,
        float(np.median(facts.cycles[known])) if known.any() else None,
    )
