"""Whether forecasts of the past held: rolling-origin back-tests of scopes that are finished by now.

Every two weeks of a finished scope's life a forecast is made from what was known on that day, and compared with the day
on which it was finished.  An 85 % date should hold in 85 of 100 cases: dates that always hold are as useless to plan
with as dates that hold in half the cases.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

FEWEST_CHECKS = 10  # finished forecasts; fewer say nothing about a share of 85 %
LEAST, MOST = 0.75, 0.95  # the share of 85 % dates that hold, if a team's forecasts are calibrated


class Verdict(Enum):
    """The outcome of back-tests of a team's forecasts."""

    UNKNOWN = "unknown"  # too few
    CALIBRATED = "calibrated"
    TOO_EARLY = "too_early"  # dates hold less often than they promise
    TOO_LATE = "too_late"  # dates hold more often than they promise


@dataclass(frozen=True)
class Calibration:
    """The number of 85 % dates that held, and the number of all."""

    held: int
    of: int

    @property
    def share(self) -> float | None:
        return self.held / self.of if self.of else None

    @property
    def verdict(self) -> Verdict:
        if self.share is None or self.of < FEWEST_CHECKS:
            return Verdict.UNKNOWN
        if self.share < LEAST:
            return Verdict.TOO_EARLY
        return Verdict.TOO_LATE if self.share > MOST else Verdict.CALIBRATED


def calibration(checks: Iterable[tuple[int | None, int]]) -> Calibration:
    """`checks` are pairs of working days: the 85 % date (None: not within the horizon), and the actual end."""
    outcomes = [day is None or finished <= day for day, finished in checks]
    return Calibration(sum(outcomes), len(outcomes))
