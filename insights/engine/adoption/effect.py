"""The same people before and after they took up an agent, beside those who never used one.

Nobody was told by lot whether to use an agent: it is an association.  Whoever has no merged pull request before or
after is in neither group.  What each developer tells is read first (`Courses`), and figures are made of that alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from insights.engine.adoption.developer_facts import DeveloperFacts
from insights.engine.comparison import seed_of
from insights.formulas.differences import Interval, difference_of_means
from insights.formulas.resampling import Values
from insights.query.query import MetricQuery

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Floats, Integers

LEAST_DAYS = 14  # before, and after: a rate of less is chance


@dataclass(frozen=True, eq=False)
class Courses:
    """Each developer's merged pull requests before and after the border, and their mean seconds from open to merge.

    Of everybody who is compared, by person; the window's days from `start` up to `end` have come.  Borders are days as
    of `date.toordinal`.
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

    def of(self, wanted: Flags) -> Courses:
        """Of some of the people."""
        return Courses(
            self.start,
            self.end,
            self.people[wanted],
            self.took_up[wanted],
            self.borders[wanted],
            self.before[wanted],
            self.after[wanted],
            self.cycle_before[wanted],
            self.cycle_after[wanted],
        )

    def of_group(self, *, took_up: bool) -> Courses:
        return self.of(self.took_up == took_up)

    def weeks(self) -> tuple[Floats, Floats]:
        """Of each before the border, and after it."""
        return (self.borders - self.start.toordinal()) / 7, (self.end.toordinal() - self.borders) / 7

    def sides(self, name: str) -> tuple[Floats, Floats]:
        """Of each before and after: of `merged` pull requests a week, or of the mean `cycle` time."""
        if name == "cycle":
            return self.cycle_before, self.cycle_after
        weeks_before, weeks_after = self.weeks()
        return self.before / weeks_before, self.after / weeks_after

    def changes(self, name: str) -> Floats:
        before, after = self.sides(name)
        return after - before


@dataclass(frozen=True)
class Course:
    """Means over a group's developers, of pull requests a week and of seconds from open to merge."""

    developers: int
    merged_before: float | None
    merged_after: float | None
    cycle_before: float | None
    cycle_after: float | None


@dataclass(frozen=True)
class Effect:
    """Who took up an agent in the window beside who never did; the intervals are of the differences in differences."""

    took_up: Course
    did_not: Course
    merged: float | None
    merged_interval: Interval | None
    cycle: float | None
    cycle_interval: Interval | None

    @property
    def group_sizes(self) -> Sequence[int]:
        return self.took_up.developers, self.did_not.developers


def effect_of(courses: Courses, query: MetricQuery) -> Effect:
    """Difference in differences: how takers changed, less how the others changed at the same time.

    The query says which developers are drawn for the intervals.
    """
    takers, others = (courses.of_group(took_up=took_up) for took_up in (True, False))
    merged, merged_interval = _effect(takers, others, "merged", query)
    cycle, cycle_interval = _effect(takers, others, "cycle", query)
    return Effect(_course(takers), _course(others), merged, merged_interval, cycle, cycle_interval)


def courses_of(facts: DeveloperFacts) -> Courses:
    """Of whoever has merged pull requests before and after their border, in both groups.

    For a taker the border is the day of the first session ever; for the others the median of these days.
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
    whole = Courses(facts.start, facts.end, facts.people, firsts > 0, borders, before, after, cycle_before, cycle_after)
    return whole.of((borders >= first) & (borders <= last) & (before > 0) & (after > 0))


def _borders(facts: DeveloperFacts) -> tuple[date, date]:
    """The first and the last day that leave enough days on both sides."""
    least = timedelta(days=LEAST_DAYS)
    return facts.start + least, facts.end - least


def _effect(takers: Courses, others: Courses, name: str, query: MetricQuery) -> tuple[float | None, Interval | None]:
    import numpy as np

    if not len(takers) or not len(others):
        return None, None
    first, second = takers.changes(name), others.changes(name)
    groups = Values(first, np.arange(len(first))), Values(second, np.arange(len(second)) + len(first))
    return float(first.mean() - second.mean()), difference_of_means(*groups, seed=seed_of(query, name))


def _course(courses: Courses) -> Course:
    if not len(courses):
        return Course(0, None, None, None, None)
    (merged_before, merged_after), (cycle_before, cycle_after) = courses.sides("merged"), courses.sides("cycle")
    means = (float(side.mean()) for side in (merged_before, merged_after, cycle_before, cycle_after))
    return Course(len(courses), *means)
