"""Monte Carlo forecasts of counted work: when a scope is finished, and how many items are finished by a day.

A run replays weeks of the past in random order: blocks of five successive working days with the items finished and
added on each, days of zero included, so that slow weeks, batches of releases and scope growth come as they came.  The
answer is a percentile of the days on which the runs had nothing left: in 85 of 100 runs the scope was done by then.

Weeks drawn independently from a short history understate what may come twice: the true pace of the team is unknown, and
slow weeks come in runs.  So a week that was drawn is put back together with a copy (a Pólya urn): each run drifts to a
pace of its own, which varies as much as the mean of the history is uncertain.  This is the predictive distribution of a
Dirichlet process, the Bayesian bootstrap continued (D. B. Rubin, The Bayesian Bootstrap, Annals of Statistics 9, 1981,
https://doi.org/10.1214/aos/1176345338; D. Blackwell and J. B. MacQueen, Ferguson Distributions via Pólya Urn Schemes,
Annals of Statistics 1, 1973, https://doi.org/10.1214/aos/1176342372).  On simulated teams the 85 % dates of independent
weeks hold in 76 of 100 cases, those of the urn in 85: docs/forecasts.md.

Time is counted in working days: day 1 is the first working day after the forecast was made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

    from insights.formulas.arrays import Floats, Integers

RUNS = 2000  # the odds of a date are within 1.6 points in 19 of 20 repetitions
WEEK = 5  # working days of a block
HORIZON = 104 * WEEK  # two years: later dates say that the scope does not end at this pace
FEWEST_FINISHED = 10
FEWEST_DAYS = 2 * WEEK
EVEN, LIKELY, SAFE = 0.5, 0.85, 0.95  # odds of the three dates
# Weeks of history that are worth one independent week, because a slow week is often followed by another.  Chosen by the
# simulated teams of docs/forecasts.md, whose weeks have correlations of 0 to 0.6.
WEEKS_ALIKE = 2.0
# The effect of one person more or less, as a share of what one member of the team finishes.  Newcomers are trained by
# the others and the work cannot be divided at will, so they add between nothing and a full share; whoever leaves takes
# at least half a share along, and at most a full one, because the others take over some of the work.
MORE_PEOPLE, FEWER_PEOPLE = (0.0, 1.0), (0.5, 1.0)


@dataclass(frozen=True)
class Part:
    """The items of a team's `of` finished ones that belong to what is forecast.

    A few items say little about the future share: each run draws its own from all that fit (a beta distribution, with a
    uniform prior).
    """

    finished: int
    of: int

    @property
    def share(self) -> float:
        return (self.finished + 1) / (self.of + 2)


@dataclass(frozen=True, eq=False)
class History:
    """Items finished and added to the scope on each working day, the oldest first; two arrays of one length.

    `added` may be negative on a day on which more items were dropped than added.  With `part` it is the history of a
    whole team, and the forecast is for a part of it.
    """

    finished: Integers
    added: Integers
    part: Part | None = None

    @property
    def days(self) -> int:
        return len(self.finished)

    @property
    def total(self) -> int:
        """The number of finished items."""
        return int(self.finished.sum())

    def last(self, days: int) -> History:
        return History(self.finished[-days:], self.added[-days:], self.part)

    def until(self, days: int) -> History:
        """The history as it was known after its first `days` days."""
        return History(self.finished[:days], self.added[:days], self.part)


@dataclass(frozen=True)
class TooLittleHistory:
    """The reason for no forecast: fewer than FEWEST_FINISHED items, or fewer than FEWEST_DAYS working days."""

    finished: int
    days: int


@dataclass(frozen=True)
class Changes:
    """A future that differs from the past in stated ways: the same runs, with another pace or another scope.

    People scale what each run finishes by (team + people × share) ÷ team, where the share is drawn once per run from
    MORE_PEOPLE or FEWER_PEOPLE: an assumption, which widens the forecast.

    `scope` items are added to what is left, or cut if negative, on the first day.

    A WIP limit does not make people faster.  By Little's law a team finishes work in progress ÷ time in progress; an
    item needs at least `active_days` working days of work, so no more than limit ÷ active_days items are finished per
    day.  A limit above what the pace needs moves no date (it shortens how long each item takes); one below delays all.
    """

    people: int = 0
    team: int = 0  # people behind the history; if 0, `people` changes nothing
    scope: int = 0
    wip_limit: int | None = None
    active_days: float | None = None


NO_CHANGES = Changes()


@dataclass(frozen=True, eq=False)
class Forecast:
    """The working day on which each run had nothing left, in ascending order; HORIZON + 1 for never."""

    days: Integers

    def day_at(self, odds: float) -> int | None:
        """The working day by which the scope is finished with odds nearest to these; None if none within HORIZON.

        The first day that reaches the odds would exceed them by half a day's chance on average, and every date would
        hold more often than it promises.
        """
        first = int(self.days[math.ceil(odds * len(self.days)) - 1])
        if first > HORIZON:
            return None
        is_nearer_before = odds - self.odds_by(first - 1) < self.odds_by(first) - odds
        return first - 1 if is_nearer_before else first

    def odds_by(self, day: int) -> float:
        """The share of runs (0–1) that were finished by that working day; day 0 is today."""
        import numpy as np

        return float(np.searchsorted(self.days, day, side="right")) / len(self.days)

    def odds_of_days(self, until: int) -> Floats:
        """The share of runs that finished on each of the working days 1 … `until`."""
        import numpy as np

        counts = np.bincount(self.days, minlength=HORIZON + 2)[1 : until + 1]
        return counts.astype(np.float64) / len(self.days)


@dataclass(frozen=True, eq=False)
class Throughput:
    """The number of items that each run finished in a number of working days, in ascending order."""

    items: Floats

    def at_least(self, odds: float) -> int:
        """The number of items that is reached or exceeded with these odds."""
        return math.floor(float(self.items[math.floor((1 - odds) * len(self.items))]))


def when_finished(
    history: History, remaining: int, *, seed: int, changes: Changes = NO_CHANGES
) -> Forecast | TooLittleHistory:
    """A forecast of the day on which `remaining` items, and those added meanwhile, are finished.

    The same seed replays the same weeks: more scope is never earlier, and a change is not mixed with luck.
    """
    import numpy as np

    if too_little := _too_little(history):
        return too_little
    rng = np.random.default_rng(seed)
    left = max(0, remaining + changes.scope)
    if not left:
        return Forecast(np.zeros(RUNS, dtype=np.int64))
    pace = _pace(history, changes, rng)
    blocks = _Blocks.of(history)
    balance = np.full(RUNS, -float(left))  # finished − scope
    days = np.full(RUNS, HORIZON + 1, dtype=np.int64)
    open_runs = np.arange(RUNS)
    urn = blocks.urn(rng)
    for first_day in range(1, HORIZON + 1, WEEK):
        drawn = urn.draw(open_runs)
        course = balance[open_runs, None] + pace[open_runs, None] * blocks.finished[drawn] - blocks.added[drawn]
        done = course >= -ROUNDING
        is_done = done.any(axis=1)
        days[open_runs[is_done]] = first_day + done[is_done].argmax(axis=1)
        balance[open_runs] = course[:, -1]
        open_runs = open_runs[~is_done]
        if not len(open_runs):
            break
    return Forecast(np.sort(days))


def how_many(history: History, days: int, *, seed: int, changes: Changes = NO_CHANGES) -> Throughput | TooLittleHistory:
    """The number of items that are finished in `days` working days, at most HORIZON."""
    import numpy as np

    if too_little := _too_little(history):
        return too_little
    rng = np.random.default_rng(seed)
    pace = _pace(history, changes, rng)
    blocks = _Blocks.of(history)
    items, urn, runs = np.zeros(RUNS), blocks.urn(rng), np.arange(RUNS)
    for first_day in range(1, min(days, HORIZON) + 1, WEEK):
        items += blocks.finished[urn.draw(runs), min(WEEK, days - first_day + 1) - 1]
    return Throughput(np.sort(items * pace) + ROUNDING)


ROUNDING = 1e-9  # sums of scaled counts miss whole numbers by less


def _too_little(history: History) -> TooLittleHistory | None:
    if history.total < FEWEST_FINISHED or history.days < FEWEST_DAYS:
        return TooLittleHistory(history.total, history.days)
    return None


def _pace(history: History, changes: Changes, rng: Generator) -> Floats:
    """The factor of each run on what it finishes."""
    import numpy as np

    shares = rng.random(RUNS)  # drawn even if unused: a change must not shift the weeks that follow
    pace = np.ones(RUNS)
    if part := history.part:
        pace *= rng.spawn(1)[0].beta(part.finished + 1, part.of - part.finished + 1, RUNS)
    if changes.people and changes.team:
        low, high = MORE_PEOPLE if changes.people > 0 else FEWER_PEOPLE
        pace *= 1 + changes.people * (low + (high - low) * shares) / changes.team
    if changes.wip_limit is not None and changes.active_days:
        most_a_day = changes.wip_limit / changes.active_days
        pace = np.minimum(pace, most_a_day * history.days / history.total)
    return np.maximum(pace, 0.0)


@dataclass(frozen=True, eq=False)
class _Blocks:
    """All blocks of WEEK successive days: cumulated items by block and day within it."""

    finished: Floats
    added: Floats
    weight: float  # of the history in the urn, in drawn weeks

    @classmethod
    def of(cls, history: History) -> _Blocks:
        import numpy as np

        def cumulated(items: Integers) -> Floats:
            windows = np.lib.stride_tricks.sliding_window_view(items, WEEK)
            return np.cumsum(windows, axis=1).astype(np.float64)

        weight = max(1.0, (history.days / WEEK - 1) / WEEKS_ALIKE)
        return cls(cumulated(history.finished), cumulated(history.added), weight)

    def urn(self, rng: Generator) -> _Urn:
        import numpy as np

        return _Urn(self, rng, np.empty((HORIZON // WEEK, RUNS), dtype=np.int64))


@dataclass(eq=False)
class _Urn:
    """The block that each run draws for each week: from the history, or a copy of an earlier week of the run."""

    blocks: _Blocks
    rng: Generator
    drawn: Integers
    week: int = 0

    def draw(self, runs: Integers) -> Integers:
        """The blocks that these runs draw for the next week; once a run is left out, it must stay out."""
        import numpy as np

        weight, number = self.blocks.weight, len(self.blocks.finished)
        # One number decides, and is drawn for all runs, so that the same seed means the same weeks: below the weight it
        # selects a block of the history, above it an earlier week.
        place = self.rng.random(RUNS)[runs] * (weight + self.week)
        block = np.minimum((place * (number / weight)).astype(np.int64), number - 1)
        if self.week:
            copied = np.clip(place - weight, 0, self.week - 1).astype(np.int64)
            block = np.where(place < weight, block, self.drawn[copied, runs])
        self.drawn[self.week, runs] = block
        self.week += 1
        return block
