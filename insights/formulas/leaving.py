"""Does load precede leaving?  The answer comes from an organisation's own past, about teams and never about a
person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt

LEAST_QUARTERS, LEAST_TEAMS, LEAST_LEFT = 4, 6, 20
HIGH = 3  # a third of a quarter's teams have a high load
RESAMPLES = 4_000
LEVEL = 0.95
Z = 1.96  # of that level


@dataclass(frozen=True)
class TeamQuarter:
    """A team's people and how many of them left in a quarter, with its load in the quarter before."""

    team: int
    quarter: int
    load: float
    people: int
    left: int


@dataclass(frozen=True)
class LeavingAfterLoad:
    """The shares of people who left after a quarter of high load and after any other; `low` and `high` bound their
    difference.  The counts are the quarters of teams and the people who left.
    """

    after_high: float
    after_other: float
    low: float
    high: float
    team_quarters: int
    left: int

    @property
    def precedes(self) -> bool:
        return self.low > 0


def leaving_after_load(past: Sequence[TeamQuarter], *, signals: int = 1) -> LeavingAfterLoad | None:
    """Compare teams in the highest third of load with the others of the same quarters.

    The interval resamples teams, each with all of its quarters, and is wider if several `signals` are tested, so that
    together they hold with 95 % confidence.  None for fewer than four quarters of six teams, or 20 people who left.
    """
    import numpy

    by_quarter: dict[int, list[TeamQuarter]] = defaultdict(list)
    for one in past:
        by_quarter[one.quarter].append(one)
    counted = {quarter: teams for quarter, teams in by_quarter.items() if len(teams) >= LEAST_TEAMS}
    left = sum(one.left for teams in counted.values() for one in teams)
    if len(counted) < LEAST_QUARTERS or left < LEAST_LEFT:
        return None
    places = {team: number for number, team in enumerate(sorted({one.team for of in counted.values() for one in of}))}
    sums = numpy.zeros((len(places), 4))  # left and people after a high load, and after any other
    for teams in counted.values():
        enough = sorted(one.load for one in teams)[-(len(teams) // HIGH)]
        for one in teams:
            column = 0 if one.load >= enough else 2
            sums[places[one.team], column : column + 2] += one.left, one.people
    if not sums[:, 1].sum() or not sums[:, 3].sum():
        return None  # all have the same load
    drawn = numpy.random.default_rng(len(places)).multinomial(len(places), [1 / len(places)] * len(places), RESAMPLES)
    resampled = drawn @ sums
    known = resampled[(resampled[:, 1] > 0) & (resampled[:, 3] > 0)]
    tail = (1 - LEVEL) / signals / 2
    low, high = numpy.quantile(known[:, 0] / known[:, 1] - known[:, 2] / known[:, 3], [tail, 1 - tail])
    high_left, high_people, other_left, other_people = sums.sum(axis=0)
    return LeavingAfterLoad(
        after_high=float(high_left / high_people),
        after_other=float(other_left / other_people),
        low=float(low),
        high=float(high),
        team_quarters=sum(map(len, counted.values())),
        left=left,
    )


def chance_of_leaving(left: int, people: int, others_left: int, others: int) -> float:
    """The probability that at least so many of all who left are among these people, if everybody is equally likely to
    leave (Fisher's exact test, one-sided).
    """
    everybody, gone = people + others, left + others_left
    as_many = sum(comb(people, n) * comb(others, gone - n) for n in range(left, min(people, gone) + 1))
    return as_many / comb(everybody, gone)


def difference_of_shares(own: tuple[int, int], others: tuple[int, int]) -> tuple[float, float]:
    """The interval of the difference of two shares, from Wilson's interval of each (Newcombe, 1998:
    https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C873::AID-SIM779%3E3.0.CO;2-I).
    """
    if not others[1]:
        return -1.0, 1.0
    (share, low, high), (usual, usual_low, usual_high) = _wilson(*own), _wilson(*others)
    difference = share - usual
    return (
        difference - sqrt((share - low) ** 2 + (usual_high - usual) ** 2),
        difference + sqrt((high - share) ** 2 + (usual - usual_low) ** 2),
    )


def _wilson(some: int, of: int) -> tuple[float, float, float]:
    share, spread = some / of, Z**2 / of
    middle, reach = share + spread / 2, Z * sqrt(share * (1 - share) / of + spread / of / 4)
    return share, (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)
