"""Units to compare one with: of the same level of its tree and of similar size.  They are never named.

Figures of units that the viewer may not look at enter, so that it takes as many of them as people make a group; a unit
whose figure would be withheld from the viewer does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from insights.metrics.query import Scope, SeriesAnswer
from insights.metrics.read import Freshness, SideBySide, read_together
from insights.metrics.withhold import is_withheld, numerator_query
from orgtree.models import Unit
from orgtree.queries.standing import StandingUnit, standing_units
from orgtree.services.access import Access
from programs.services.benchmarks.standing import Asked, stand_of

FEWEST_SEEN_UNITS = 3  # of fewer, a median is somebody's figure
MOST_UNITS = 100  # the nearest in size
SIMILAR = 2.0  # times as many people, or as few


@dataclass(frozen=True)
class Peers:
    """The figures of the others, in no order, and how large the units are."""

    values: Sequence[float]
    fewest_people: int
    most_people: int


@dataclass(frozen=True)
class FewestUnits:
    """There are too few to be told."""

    needed: int
    found: int


def comparable_units(unit: Unit, asked: Asked, access: Access, *, today: date) -> Peers | FewestUnits:
    """Of the units beside this one today; their figures are those of `Asked.query`."""
    like_it = _like(unit, today)
    figures = _figures(like_it, asked, access, today)
    seen = all(access.sight.covers(each.id) for each in like_it if each.id in figures)
    needed = FEWEST_SEEN_UNITS if seen else max(FEWEST_SEEN_UNITS, access.minimum_group_size)
    if len(figures) < needed:
        return FewestUnits(needed, len(figures))
    sizes = [each.people for each in like_it if each.id in figures]
    return Peers(list(figures.values()), min(sizes), max(sizes))


def _like(unit: Unit, today: date) -> Sequence[StandingUnit]:
    standing = standing_units([unit.tree], on=today)
    own = next((each for each in standing if each.id == unit.pk), None)
    if own is None or not own.people:
        return []
    found = [
        each
        for each in standing
        if each.id != own.id and each.depth == own.depth and own.people / SIMILAR <= each.people <= own.people * SIMILAR
    ]
    return sorted(found, key=lambda each: abs(each.people - own.people))[:MOST_UNITS]


def _figures(units: Sequence[StandingUnit], asked: Asked, access: Access, today: date) -> Mapping[int, float]:
    """By the unit's id, of those with enough data that may be told of."""
    queries = asked.side_by_side(Scope(), today)
    above = [numerator for query in queries if (numerator := numerator_query(query, access))]
    side_by_side = SideBySide([*queries, *above], [unit.id for unit in units])
    [found] = read_together(units=[side_by_side], freshness=Freshness.OF_PAGES).units
    values = {unit.id: _told(found[unit.id], len(queries), unit, asked, access) for unit in units}
    return {pk: value for pk, value in values.items() if value is not None}


def _told(
    answers: Sequence[SeriesAnswer], asked_for: int, unit: StandingUnit, asked: Asked, access: Access
) -> float | None:
    """Of the first answers; None of too few data, or of too few people behind any answer before this viewer."""
    query = replace(answers[0].query, scope=Scope(unit.slug))
    if any(is_withheld(query, answer.total[0].people, access) for answer in answers):
        return None
    stand = stand_of([answer.total[0] for answer in answers[:asked_for]])
    return stand.value if stand.sample_size >= asked.metric.minimum_sample else None
