"""The played part of the demo's year: all of it, or some weeks of some people.

Stories, moves and models are dated by weeks of the whole year, before its end.  A small demo plays only the weeks in
which something changes, back to back, so that it shows the same stories of the same people.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from demo.plan.people import PEOPLE, DemoPerson

YEAR_WEEKS = 52
INTRODUCTION_WEEKS = 2  # before the year: everybody tries the agent, where people take it up one after another
DEMO_WEEKS = YEAR_WEEKS + INTRODUCTION_WEEKS


@dataclass(frozen=True, slots=True)
class Size:
    """`weeks` are those of the year that are played, each by how many weeks of the year come after it: the year's last
    one, 0, is first, and those of the introduction are last.  `people` are those who work.
    """

    weeks: tuple[int, ...]
    people: tuple[DemoPerson, ...]
    by_hand: float  # times the chance of a commit without an agent
    elsewhere: float  # times the chance of a commit to the platform's repository by somebody of another team

    def played(self, weeks: int) -> int:
        """The number of played weeks among the year's last `weeks`."""
        return bisect_left(self.weeks, weeks)


def _named(*full_names: str) -> tuple[DemoPerson, ...]:
    return tuple(person for person in PEOPLE if person.full_name in full_names)


WHOLE = Size(weeks=tuple(range(DEMO_WEEKS)), people=PEOPLE, by_hand=1.0, elsewhere=1.0)
# Twelve weeks and the introduction's: some of what each story tells and of what it is compared with.  Whom a story or
# a move names, the managers, and in each team that has reviews somebody to review; Poppy Pretend has an idle seat.  So
# few people have to commit more by hand before they take an agent up, or their teams deliver nothing to compare with.
# And of the platform's team only two are left, whom all the others together must not outnumber in its repository:
# whoever does more than half of the work there is proposed as its owner.
SMALL = Size(
    weeks=(0, 2, 4, 6, 7, 8, 10, 15, 18, 23, 34, 47, 52, 53),
    people=_named(
        *("Maya Manager", "Max Member", "Juniper Sample"),
        *("Sorrel Testwell", "Finch Imagined", "Hazel Fictus", "Linden Example"),
        *("Robin Specimen", "Poppy Pretend"),
        *("Willow Example", "Tansy Specimen"),
        *("Fennel Fictus", "Heather Pretend"),
        *("Quill Placeholder",),
        *("Aspen Fictus", "Reed Fictus"),
    ),
    by_hand=2.5,
    elsewhere=0.35,
)
