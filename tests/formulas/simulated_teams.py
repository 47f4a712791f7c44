"""Simulated teams whose pace and scope growth are known, and what became of their work.

Nothing here is shared with the forecasts: a team is a process with parameters, its history one outcome of it, and its
futures are many outcomes of the same process.  Weeks have a mood that lasts (a log-normal AR(1) process), days differ
(gamma), some see nothing finished (releases in batches, leave), and items are counted (Poisson).  Scope grows in bursts
in half of the teams.  Four in ten changed their pace in the past, as they grew or shrank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

FUTURE = 104 * 5  # working days


@dataclass(frozen=True)
class SimulatedTeam:
    """A process that finishes and adds items; paces are items per working day."""

    pace: float
    mood: float  # standard deviation of a week's logarithm
    lasting: float  # correlation of the moods of successive weeks
    unevenness: float  # shape of the gamma distribution of days
    nothing: float  # share of days on which nothing is finished
    growth: float
    burst: int  # items added at once
    days: int  # of history
    changed: int | None  # working days ago
    pace_before: float  # as a share of today's
    remaining: int

    def outcomes(
        self, rng: Generator, days: int, outcomes: int, mood: float
    ) -> tuple[Counts, Counts, NDArray[np.float64]]:
        """Finished and added items by day and outcome, and the moods by week."""
        moods, now = [], np.full(outcomes, mood)
        for _ in range(days // 5 + 1):
            now = self.lasting * now + np.sqrt(1 - self.lasting**2) * rng.normal(0, self.mood, outcomes)
            moods.append(now)
        by_day = np.repeat(np.exp(np.array(moods) - self.mood**2 / 2), 5, axis=0)[:days]
        mean = by_day * self.pace / (1 - self.nothing)
        finished = rng.poisson(rng.gamma(self.unevenness, mean / self.unevenness))
        finished *= rng.random(mean.shape) >= self.nothing
        added = rng.poisson(self.growth / self.burst, mean.shape) * self.burst
        return finished, added, np.array(moods)


@dataclass(frozen=True)
class Played:
    """A team, its history, and for each of its futures the working day on which the scope was finished."""

    team: SimulatedTeam
    finished: Counts
    added: Counts
    done: Counts  # FUTURE + 1 for never


def simulated_teams(number: int, *, seed: int, futures: int) -> list[Played]:
    rng = np.random.default_rng(seed)
    return [_play(rng, futures) for _ in range(number)]


def _play(rng: Generator, futures: int) -> Played:
    while True:
        team = _drawn(rng)
        worked_off, grown, moods = team.outcomes(rng, team.days, 1, rng.normal(0, team.mood))
        finished, added = worked_off[:, 0], grown[:, 0]
        if team.changed is not None:
            earlier = slice(0, team.days - team.changed)
            finished[earlier] = rng.poisson(finished[earlier] * team.pace_before)
        if finished[-(team.changed or team.days) :].sum() < 10 or finished.sum() < 10:
            continue  # too little history; there is no forecast to check
        ahead, more, _ = team.outcomes(rng, FUTURE, futures, float(moods[-1, 0]))
        is_done = np.cumsum(ahead - more, axis=0) >= team.remaining
        done = np.where(is_done.any(axis=0), is_done.argmax(axis=0) + 1, FUTURE + 1)
        return Played(team, finished, added, done)


def _drawn(rng: Generator) -> SimulatedTeam:
    pace = float(np.exp(rng.uniform(np.log(0.25), np.log(3))))
    days = int(rng.integers(30, 200))
    has_changed = rng.random() < 0.5 and days > 60
    return SimulatedTeam(
        pace=pace,
        mood=rng.uniform(0.1, 0.5),
        lasting=rng.uniform(0, 0.6),
        unevenness=rng.uniform(1, 8),
        nothing=rng.uniform(0, 0.5),
        growth=pace * rng.uniform(0, 0.4) * int(rng.integers(0, 2)),
        burst=int(rng.integers(1, 5)),
        days=days,
        changed=int(rng.integers(25, days - 30)) if has_changed else None,
        pace_before=float(rng.choice([rng.uniform(0.5, 0.8), rng.uniform(1.25, 2)])) if has_changed else 1.0,
        remaining=max(5, int(pace * rng.uniform(8, 80))),
    )
