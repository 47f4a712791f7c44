"""Finds comparable units: same level of the tree, similar size.  They are never named.

The figures include units that the viewer may not see, so at least as many units are needed as people make a group; a
unit whose own figure would be withheld from the viewer is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from insights.engine.read import UnitQueries, read_together
from insights.privacy.withhold import is_withheld, numerator_query
from insights.query.query import Answer, Freshness, Scope
from orgtree.access.access import Access
from orgtree.models import OrgTree, Unit
from orgtree.trees.units_as_of import UnitAsOf, units_as_of
from programs.benchmarks.services.current_values import BenchmarkQuery, current_value_of

FEWEST_SEEN_UNITS = 3  # with fewer, the median would reveal a unit's figure
MOST_UNITS = 100  # the nearest in size
SIMILAR = 2.0  # at most twice or half as many people


@dataclass(frozen=True)
class Peers:
    """The values of the comparable units, unordered, and the range of their sizes."""

    values: Sequence[float]
    fewest_people: int
    most_people: int


@dataclass(frozen=True)
class FewestUnits:
    """Stands for comparable units when there are too few to show."""

    needed: int
    found: int


def comparable_units(
    queries: Sequence[tuple[Unit, BenchmarkQuery]], access: Access, *, today: date
) -> list[Peers | FewestUnits]:
    """The units comparable with each given unit today, in order, with the values of `BenchmarkQuery.query`.

    All values are read in one call.
    """
    trees = OrgTree.objects.filter(pk__in={unit.tree_id for unit, _ in queries})
    current_units = units_as_of(trees, on=today)
    like = {unit.pk: _like(unit, current_units) for unit, _ in queries}
    beside: dict[BenchmarkQuery, dict[int, UnitAsOf]] = {}
    for unit, of in queries:
        beside.setdefault(of, {}).update({other.id: other for other in like[unit.pk]})
    figures = _figures(beside, access, today)
    return [_peers(like[unit.pk], figures[of], access) for unit, of in queries]


def _peers(like_it: Sequence[UnitAsOf], figures: Mapping[int, float], access: Access) -> Peers | FewestUnits:
    with_figures = [other for other in like_it if other.id in figures]
    seen = all(access.visibility.can_see(peer.id) for peer in with_figures)
    needed = FEWEST_SEEN_UNITS if seen else max(FEWEST_SEEN_UNITS, access.minimum_group_size)
    if len(with_figures) < needed:
        return FewestUnits(needed, len(with_figures))
    sizes = [peer.people for peer in with_figures]
    return Peers([figures[peer.id] for peer in with_figures], min(sizes), max(sizes))


def _like(unit: Unit, candidates: Sequence[UnitAsOf]) -> Sequence[UnitAsOf]:
    own = next((candidate for candidate in candidates if candidate.id == unit.pk), None)
    if own is None or not own.people:
        return []
    similar = [
        candidate
        for candidate in candidates
        if (candidate.tree_id, candidate.depth) == (own.tree_id, own.depth)
        and candidate.id != own.id
        and own.people / SIMILAR <= candidate.people <= own.people * SIMILAR
    ]
    return sorted(similar, key=lambda other: abs(other.people - own.people))[:MOST_UNITS]


def _figures(
    units_by_query: Mapping[BenchmarkQuery, Mapping[int, UnitAsOf]], access: Access, today: date
) -> Mapping[BenchmarkQuery, Mapping[int, float]]:
    """Maps unit ids to values, for units with enough data and people."""
    queries = {metric_query: metric_query.side_by_side(Scope(), today) for metric_query in units_by_query}
    side_by_side = [
        UnitQueries(
            [
                *queries[metric_query],
                *(above for query in queries[metric_query] if (above := numerator_query(query, access))),
            ],
            list(units),
        )
        for metric_query, units in units_by_query.items()
    ]
    answers = read_together(units=side_by_side, freshness=Freshness.OF_PAGES).units
    figures: dict[BenchmarkQuery, Mapping[int, float]] = {}
    for (query, units), of_units in zip(units_by_query.items(), answers, strict=True):
        values = {
            pk: _comparable_value(of_units[pk], len(queries[query]), unit, query, access) for pk, unit in units.items()
        }
        figures[query] = {pk: value for pk, value in values.items() if value is not None}
    return figures


def _comparable_value(
    answers: Sequence[Answer], number_of_units: int, unit: UnitAsOf, metric_query: BenchmarkQuery, access: Access
) -> float | None:
    """The unit's value, taken from the first of the answers; None if data or people are too few for this viewer."""
    query = replace(answers[0].query, scope=Scope(unit.slug))
    if any(is_withheld(query, answer.total[0].people, access) for answer in answers):
        return None
    stand = current_value_of([answer.total[0] for answer in answers[:number_of_units]])
    return stand.value if stand.sample_size >= metric_query.metric.minimum_sample else None
