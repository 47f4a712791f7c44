"""The part of the history that a forecast replays: the window that predicted best, in the past, what came next.

A short window follows a team that changed, a long one knows the pace better.  Every two weeks of the past, the mean net
pace of each window (finished − added items a day) is compared with that of the following two weeks.  The longest window
wins unless a shorter one missed by a tenth less (root mean square): differences between windows are mostly luck.

A team that has changed in size is another team: the history before that day is not replayed as soon as the history
after it is enough for a forecast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from insights.formulas.forecast import FEWEST_DAYS, FEWEST_FINISHED, WEEK, History

WINDOWS = (26 * WEEK, 12 * WEEK, 6 * WEEK)  # working days, the longest first
AHEAD = 2 * WEEK  # working days that a window predicts in the back-test
FEWEST_PREDICTIONS = 6  # of each window; with fewer, the longest is used
BETTER = 0.9  # the error of a shorter window, at most, as a share of that of a longer one
FEWEST_SINCE_CHANGE = 4 * WEEK  # working days: the first weeks of a changed team do not show its pace yet
CHANGE_OF_SIZE = 0.2  # of the people: a smaller change is usual


class Reason(Enum):
    """The reason why a window was chosen."""

    WHOLE = "whole"  # the history is no longer than the shortest window
    LONGEST = "longest"  # no shorter window predicted better, or too few predictions were possible
    BETTER = "better"  # it predicted better than longer windows
    TEAM_CHANGED = "team_changed"  # it starts when the team changed


@dataclass(frozen=True, eq=False)
class ChosenWindow:
    """The part of the history that is replayed."""

    history: History
    reason: Reason


def choose_window(history: History, *, days_since_change: int | None = None) -> ChosenWindow:
    """The window of `history` to forecast from; `days_since_change` are working days since the team last changed."""
    if days_since_change is not None and FEWEST_SINCE_CHANGE <= days_since_change < history.days:
        since = history.last(days_since_change)
        if since.total >= FEWEST_FINISHED:
            return ChosenWindow(choose_window(since).history, Reason.TEAM_CHANGED)
    windows = [days for days in WINDOWS if days < history.days and history.last(days).total >= FEWEST_FINISHED]
    if not windows:
        return ChosenWindow(history.last(WINDOWS[0]), Reason.WHOLE)
    candidates = windows if WINDOWS[0] < history.days else [history.days, *windows]
    best = candidates[0]
    errors = {days: _error(history, days) for days in candidates}
    for shorter in candidates[1:]:
        error, least = errors[shorter], errors[best]
        if error is not None and least is not None and error < BETTER * least:
            best = shorter
    return ChosenWindow(history.last(best), Reason.LONGEST if best == candidates[0] else Reason.BETTER)


def change_of_team(people: Sequence[int]) -> int | None:
    """Working days since the size last changed by more than CHANGE_OF_SIZE within a week, counted from the last step of
    that change; None if it never did.

    `people` has the team's size on each working day, the oldest first.
    """
    for day in range(len(people) - 1, WEEK - 1, -1):
        now, before = people[day], people[day - WEEK]
        if abs(now - before) > CHANGE_OF_SIZE * max(now, before):
            step = next(earlier for earlier in range(day, 0, -1) if people[earlier] != people[earlier - 1])
            return len(people) - step
    return None


def _error(history: History, window: int) -> float | None:
    """The root mean square error of predictions of AHEAD days from the `window` days before each.

    Early in the history, a window is cut to the days that exist, so that the windows then predict the same.
    """
    import numpy as np

    net = np.concatenate(([0], np.cumsum(history.finished - history.added)))
    made = np.arange(history.days - AHEAD, FEWEST_DAYS - 1, -AHEAD)
    if len(made) < FEWEST_PREDICTIONS:
        return None
    first = np.maximum(0, made - window)
    predicted = (net[made] - net[first]) / (made - first)
    actual = (net[made + AHEAD] - net[made]) / AHEAD
    return float(np.sqrt(np.mean((predicted - actual) ** 2)))
