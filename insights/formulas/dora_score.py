"""The DORA score, 0–10, by the rule of DORA's Quick Check.  https://dora.dev/quickcheck/

The Quick Check offers six answers for lead time, deployment frequency and recovery, which score 0, 2, … 10, and rates
in steps of ten per cent, where lower is better.  The overall score is the arithmetic mean.  Rework rate is included
since 2025; Headway's score is that of 2025.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.seconds import DAY, HOUR, MONTH, WEEK

# Durations below each limit have this score; from the last limit on it is 0.
_WORTH_OF_SECONDS = ((HOUR, 10.0), (DAY, 8.0), (WEEK, 6.0), (MONTH, 4.0), (6 * MONTH, 2.0))
# Deployments per day have this score from each limit on.  "On demand" is no number, so it is taken as more than once an
# hour, around the clock.
_WORTH_PER_DAY = ((1.0, 8.0), (DAY / WEEK, 6.0), (DAY / MONTH, 4.0), (DAY / (6 * MONTH), 2.0))
_ON_DEMAND_PER_DAY = 24.0
BEST = 10.0


def worth_of_duration(seconds: float) -> float:
    """The score of a lead time or recovery time, 0–10."""
    return next((worth for below, worth in _WORTH_OF_SECONDS if seconds < below), 0.0)


def worth_of_frequency(per_day: float) -> float:
    """The score of a number of deployments per day, 0–10."""
    if per_day > _ON_DEMAND_PER_DAY:
        return BEST
    return next((worth for at_least, worth in _WORTH_PER_DAY if per_day >= at_least), 0.0)


def worth_of_rate(percent: float) -> float:
    """The score of a change failure rate or rework rate, 0–10."""
    return BEST - min(max(percent, 0.0), 100.0) / 10


# In the units of the metrics: seconds, deployments per day, per cent.
_WORTH = {
    "dora.lead_time": worth_of_duration,
    "dora.deployment_frequency": worth_of_frequency,
    "dora.recovery_time": worth_of_duration,
    "dora.change_failure_rate": worth_of_rate,
    "dora.rework_rate": worth_of_rate,
}
SCORED = tuple(_WORTH)
"""The keys of the metrics that make up the score."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One metric's contribution to the score."""

    key: str
    value: float  # in the metric's own unit
    worth: float  # 0–10
    points: float  # of the score, which is the sum over all metrics


@dataclass(frozen=True, slots=True)
class DoraScore:
    """The score and its contributions."""

    value: float  # 0–10
    contributions: tuple[Contribution, ...]

    def change_since(self, before: DoraScore) -> Mapping[str, float]:
        """The change of each metric's points; they sum to the difference of the scores."""
        earlier = {contribution.key: contribution.points for contribution in before.contributions}
        return {
            contribution.key: contribution.points - earlier[contribution.key] for contribution in self.contributions
        }


def dora_score(values: Mapping[str, float | None]) -> DoraScore | None:
    """The score of a team with these values by metric key; None if one of the metrics is missing."""
    known = {key: value for key in SCORED if (value := values.get(key)) is not None}
    if len(known) < len(SCORED):
        return None
    worth = {key: _WORTH[key](value) for key, value in known.items()}
    contributions = tuple(Contribution(key, known[key], worth[key], worth[key] / len(SCORED)) for key in SCORED)
    return DoraScore(sum(worth.values()) / len(SCORED), contributions)
