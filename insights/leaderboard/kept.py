"""Rankings that took long to read are kept for a minute: the next page of one is that of the same ranking.

Those of the pages' windows are put together from figures that the background keeps (insights/people_figures/).
What is read quickly is read every time, so that small organisations see every session within seconds.  Nothing of a
viewer is kept here: who may see what is decided anew for each response (insights/leaderboard/visible.py).
"""

from __future__ import annotations

from collections.abc import Hashable

from insights.leaderboard.figures import FactFigures, Figures, FilteredFigures, UnitFigures
from insights.leaderboard.keeping import kept_figures
from insights.leaderboard.ranking import Ranking
from insights.metrics.plan import Places
from insights.metrics.query import MetricQuery, Scope
from insights.metrics.reading import Placed
from insights.short_memory import ShortMemory
from insights.windows import local_today

WORTH_KEEPING_SECONDS = 0.05
# A person's figures take some 3 KB: of the largest organisation three rankings, of a team's as many as are looked at.
MOST_PEOPLE = 30_000

_rankings = ShortMemory[Ranking](lambda ranking: len(ranking.people), most=MOST_PEOPLE)


def ranking_of(asked: MetricQuery) -> Ranking:
    """The ranking of that scope, window and facets; whoever asks while it is being read waits for it.

    Raises QueryError where it cannot be read.
    """
    return _rankings.find(
        _question(asked), lambda: Ranking(figures_of(asked)), worth_keeping_seconds=WORTH_KEEPING_SECONDS
    )


def figures_of(asked: MetricQuery) -> Figures:
    """From what is kept where it tells the same, else from facts.  Raises QueryError where they can't be."""
    if _are_read_apart(asked):
        # Of a unit little is read anyway.
        everybody = kept_figures(asked.window) if asked.scope == Scope() else None
        filtered = FilteredFigures(asked, everybody) if everybody else None
        return filtered if filtered and filtered.is_whole else FactFigures(asked)
    whole = kept_figures(asked.window)
    if whole is None:
        return FactFigures(asked)
    places = Places()
    return UnitFigures(asked, whole, places) if places.of(asked.scope).placed is Placed.UNIT else whole


def _are_read_apart(asked: MetricQuery) -> bool:
    """Whether nothing that is kept tells them."""
    scope = asked.scope
    return bool(asked.facets or scope.where) or scope.person_id is not None or scope.unassigned is not None


def forget_rankings() -> None:
    """Let go of all of them."""
    _rankings.forget()


def _question(asked: MetricQuery) -> Hashable:
    """What tells rankings apart; a window to date is another one tomorrow."""
    facets = tuple(sorted((name.value, values) for name, values in asked.facets.items()))
    scope = asked.scope
    held = tuple(sorted(scope.where.items()))
    return (asked.window, scope.unit, scope.unassigned, scope.person_id, held, facets, local_today())
