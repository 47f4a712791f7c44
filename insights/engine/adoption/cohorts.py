"""Developers by how much they use agents, and what they merged: an association, for nobody was told by lot how much.

Whoever did nothing at all in the window is in no cohort.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.engine.adoption.developer_facts import DeveloperFacts

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Integers

# By days with a session in a week in which the developer did anything: none, less than 1, less than 3, and more.
COHORTS = ("none", "light", "moderate", "heavy")
MODERATE_DAYS, HEAVY_DAYS = 1, 3


@dataclass(frozen=True)
class Cohort:
    """Developers by their days with a session a week.

    Their pull requests ÷ the weeks in which they did anything, and the median cycle time of these pull requests.
    """

    name: str
    developers: int
    contributors: int  # of the developers, those who merged any
    timed: int  # and of these, those of whom any cycle time is known
    merged: int
    merged_per_week: float | None
    cycle_seconds: float | None

    @property
    def group_sizes(self) -> tuple[int, int, int]:
        """The numbers of people of whom it tells."""
        return self.developers, self.contributors, self.timed


def cohorts_of(facts: DeveloperFacts) -> list[Cohort]:
    """The figures that these developers come to, of each cohort."""
    places = cohort_places(facts)
    return [_cohort(name, facts, places == place) for place, name in enumerate(COHORTS)]


def cohort_places(facts: DeveloperFacts) -> Integers:
    """The place of each developer's cohort in COHORTS; -1 of who is in none."""
    import numpy as np

    light = facts.session_days < MODERATE_DAYS * facts.weeks
    heavy = facts.session_days >= HEAVY_DAYS * facts.weeks
    used = np.select([facts.session_days == 0, light, ~heavy], [0, 1, 2], 3)
    return np.where(facts.weeks > 0, used, -1)


def _cohort(name: str, facts: DeveloperFacts, whose: Flags) -> Cohort:
    import numpy as np

    if not whose.any():
        return Cohort(name, 0, 0, 0, 0, None, None)
    merged, weeks = int(facts.pulls[whose].sum()), int(facts.weeks[whose].sum())
    known = whose[facts.authors] & ~np.isnan(facts.cycles)
    return Cohort(
        name,
        int(whose.sum()),
        int((facts.pulls[whose] > 0).sum()),
        len(np.unique(facts.authors[known])),
        merged,
        merged / weeks,
        float(np.median(facts.cycles[known])) if known.any() else None,
    )
