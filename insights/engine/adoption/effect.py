"""Developers before and after adopting an agent, compared with developers who never used one; and cohorts of developers
by how much they use agents, and what they merged.

Both are associations: adoption was not randomised.  Developers without a merged pull request before or after are in
neither group of the effect, developers without any activity in the window in no cohort.  Per-developer values are read
first (`BeforeAfter`), and all figures of the effect are computed from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from insights.engine.adoption.developer_facts import DeveloperFacts
from insights.engine.compared_lines import seed_of
from insights.formulas.bootstrap import Values
from insights.formulas.differences import ConfidenceInterval, difference_of_means
from insights.query.query import Query

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Floats, Integers

LEAST_DAYS = 14  # on each side of the border: a rate over fewer days is noise


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """Each compared developer's merged pull requests before and after the border, and their mean seconds from open to
    merge.

    Arrays with one element per person; the days from `start` up to `end` have elapsed.  Borders are days as numbered by
    `date.toordinal`.
    """

    start: date
    end: date
    people: Integers
    took_up: Flags
    borders: Integers
    before: Integers
    after: Integers
    cycle_before: Floats
    cycle_after: Floats

    def __len__(self) -> int:
        return len(self.people)

    def of(self, is_selected: Flags) -> BeforeAfter:
        """The values of the selected people."""
        arrays = [field.name for field in fields(self) if field.name not in ("start", "end")]
        return replace(self, **{name: getattr(self, name)[is_selected] for name in arrays})

    def of_group(self, *, took_up: bool) -> BeforeAfter:
        return self.of(self.took_up == took_up)

    def weeks(self) -> tuple[Floats, Floats]:
        """The weeks of each developer before and after the border."""
        return (self.borders - self.start.toordinal()) / 7, (self.end.toordinal() - self.borders) / 7

    def sides(self, name: str) -> tuple[Floats, Floats]:
        """Each developer's values before and after: pull requests per week for `merged`, the mean cycle time for
        `cycle`.
        """
        if name == "cycle":
            return self.cycle_before, self.cycle_after
        weeks_before, weeks_after = self.weeks()
        return self.before / weeks_before, self.after / weeks_after

    def changes(self, name: str) -> Floats:
        before, after = self.sides(name)
        return after - before


@dataclass(frozen=True)
class GroupMeans:
    """Means over a group's developers: pull requests per week, and seconds from open to merge."""

    developers: int
    merged_before: float | None
    merged_after: float | None
    cycle_before: float | None
    cycle_after: float | None


@dataclass(frozen=True)
class Effect:
    """Adopters in the window compared with developers who never used an agent; `merged` and `cycle` are differences in
    differences, with their intervals."""

    took_up: GroupMeans
    did_not: GroupMeans
    merged: float | None
    merged_interval: ConfidenceInterval | None
    cycle: float | None
    cycle_interval: ConfidenceInterval | None

    @property
    def group_sizes(self) -> Sequence[int]:
        return self.took_up.developers, self.did_not.developers


def effect_of(before_after: BeforeAfter, query: Query) -> Effect:
    """Difference in differences: the change of adopters minus the change of the others over the same time.

    The bootstrap of the intervals takes its seed from the query.
    """
    takers, others = (before_after.of_group(took_up=took_up) for took_up in (True, False))
    merged, merged_interval = _effect(takers, others, "merged", query)
    cycle, cycle_interval = _effect(takers, others, "cycle", query)
    return Effect(_course(takers), _course(others), merged, merged_interval, cycle, cycle_interval)


def before_and_after(facts: DeveloperFacts) -> BeforeAfter:
    """The developers of both groups with merged pull requests before and after their border.

    An adopter's border is the day of their first session ever; for the others it is the median of these days.
    """
    import numpy as np

    known, developers = ~np.isnan(facts.cycles), len(facts.people)
    authors, days, cycles = facts.authors[known], facts.pull_days[known], facts.cycles[known]
    is_author = np.bincount(authors, minlength=developers) > 0
    first, last = ((day.toordinal()) for day in _borders(facts))
    firsts = facts.first_sessions
    among = np.sort(firsts[is_author & (firsts >= first) & (firsts <= last)])
    middle = int(among[(len(among) - 1) // 2]) if len(among) else 0
    borders = np.where(firsts > 0, firsts, middle)
    is_before = days + facts.start.toordinal() < borders[authors]
    sides = []
    for side in (is_before, ~is_before):
        counted = np.bincount(authors[side], minlength=developers)
        sums = np.bincount(authors[side], weights=cycles[side], minlength=developers)
        sides.append((counted, sums / np.maximum(counted, 1)))
    (before, cycle_before), (after, cycle_after) = sides
    whole = BeforeAfter(
        facts.start, facts.end, facts.people, firsts > 0, borders, before, after, cycle_before, cycle_after
    )
    return whole.of((borders >= first) & (borders <= last) & (before > 0) & (after > 0))


def _borders(facts: DeveloperFacts) -> tuple[date, date]:
    """The first and the last border that leave enough days on both sides."""
    least = timedelta(days=LEAST_DAYS)
    return facts.start + least, facts.end - least


def _effect(
    takers: BeforeAfter, others: BeforeAfter, name: str, query: Query
) -> tuple[float | None, ConfidenceInterval | None]:
    import numpy as np

    if not len(takers) or not len(others):
        return None, None
    first, second = takers.changes(name), others.changes(name)
    groups = Values(first, np.arange(len(first))), Values(second, np.arange(len(second)) + len(first))
    return float(first.mean() - second.mean()), difference_of_means(*groups, seed=seed_of(query, name))


def _course(before_after: BeforeAfter) -> GroupMeans:
    if not len(before_after):
        return GroupMeans(0, None, None, None, None)
    (merged_before, merged_after), (cycle_before, cycle_after) = (
        before_after.sides("merged"),
        before_after.sides("cycle"),
    )
    means = (float(side.mean()) for side in (merged_before, merged_after, cycle_before, cycle_after))
    return GroupMeans(len(before_after), *means)


# Days with a session per active week: none, fewer than 1, fewer than 3, and more.
COHORTS = ("none", "light", "moderate", "heavy")
MODERATE_DAYS, HEAVY_DAYS = 1, 3


@dataclass(frozen=True)
class Cohort:
    """Developers with a similar number of days with a session per week.

    `merged_per_week` is their pull requests ÷ their active weeks; `cycle_seconds` is the median cycle time of these
    pull requests.
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
        """The sizes of all groups of people about whom it reveals something."""
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
