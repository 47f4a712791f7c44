"""Rankings that took long to read are kept for a minute: the next page of one is that of the same ranking.

Those of the pages' windows are put together from figures that the background keeps (insights/people_figures/).
What is read quickly is read every time, so that small organisations see every session within seconds.  Nothing of a
viewer is kept here: who may see what is decided anew for each response (insights/leaderboard/visible.py).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from insights.leaderboard.figures import FactFigures, Figures, UnitFigures
from insights.leaderboard.keeping import kept_figures
from insights.leaderboard.ranking import Ranking
from insights.metrics.plan import place
from insights.metrics.query import MetricQuery
from insights.metrics.reading import Placed
from insights.windows import local_today

KEPT_SECONDS = 60  # as trailing windows of other pages may lag
WORTH_KEEPING_SECONDS = 0.25
# A person's figures take some 3 KB: of the largest organisation three rankings, of a team's as many as are looked at.
MOST_PEOPLE = 30_000


@dataclass(frozen=True)
class _Kept:
    ranking: Ranking
    until: float  # by the monotonic clock


_kept: OrderedDict[Hashable, _Kept] = OrderedDict()
_reading: dict[Hashable, threading.Lock] = {}
_lock = threading.Lock()


def ranking_of(asked: MetricQuery) -> Ranking:
    """The ranking of that scope, window and facets; whoever asks while it is being read waits for it.

    Raises QueryError where it cannot be read.
    """
    key = _key(asked)
    if (known := _known(key)) is not None:
        return known
    with _lock:
        reading = _reading.setdefault(key, threading.Lock())
    with reading:
        if (known := _known(key)) is not None:
            return known
        started = time.monotonic()
        try:
            ranking = Ranking(figures_of(asked))
            if time.monotonic() - started >= WORTH_KEEPING_SECONDS:
                _keep(key, ranking)
        finally:
            with _lock:
                _reading.pop(key, None)
        return ranking


def figures_of(asked: MetricQuery) -> Figures:
    """From what is kept where it tells the same, else from facts.  Raises QueryError where they can't be."""
    scope = asked.scope
    if asked.facets or scope.where or scope.person_id is not None or scope.unassigned is not None:
        return FactFigures(asked)
    whole = kept_figures(asked.window)
    if whole is None:
        return FactFigures(asked)
    placement = place(scope)
    return UnitFigures(asked, placement.ids[0], whole) if placement.placed is Placed.UNIT else whole


def forget_rankings() -> None:
    """Let go of all of them."""
    with _lock:
        _kept.clear()


def _known(key: Hashable) -> Ranking | None:
    with _lock:
        for old in [each for each, kept in _kept.items() if kept.until < time.monotonic()]:
            del _kept[old]
        found = _kept.get(key)
        return found.ranking if found else None


def _keep(key: Hashable, ranking: Ranking) -> None:
    with _lock:
        _kept[key] = _Kept(ranking, time.monotonic() + KEPT_SECONDS)
        while len(_kept) > 1 and sum(len(kept.ranking.people) for kept in _kept.values()) > MOST_PEOPLE:
            _kept.popitem(last=False)


def _key(asked: MetricQuery) -> Hashable:
    """What tells rankings apart; a window to date is another one tomorrow."""
    facets = tuple(sorted((name.value, values) for name, values in asked.facets.items()))
    scope = asked.scope
    held = tuple(sorted(scope.where.items()))
    return (asked.window, scope.unit, scope.unassigned, scope.person_id, held, facets, local_today())
