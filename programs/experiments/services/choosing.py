"""Measures how near each team is to the typical one: the result of a pilot with typical teams carries over to the
others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, median

from insights.catalogue.declarations import Metric
from insights.findings.comparable import teams_known
from insights.models.contexts import ComparableRule
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.trees.units_as_of import UnitAsOf, units_as_of
from programs.benchmarks.services.current_values import CurrentValue, benchmark_query, current_values_of_units
from programs.teams.queries import teams_on, teams_tree

CHOSEN = 2  # the most typical ones
NEAR, FEWEST_NEAR = 0.5, 3  # comparison teams: at most half off, and at least three
POINTS = 100
# A rule that only serves to read kinds of work; nothing is compared by it.
KINDS_OF_WORK = ComparableRule(
    size_factor=None, same_stage=False, same_long_reviews=False, same_language=False, age_factor=None,
    work_type_points=POINTS,
)  # fmt: skip


@dataclass(frozen=True)
class TeamDistance:
    """The distance of a team from the typical one, as shares: 0.5 is half off; None if unknown.

    `size` compares its number of people with the median team's, `work` is the share of its work that differs in kind
    from that of all teams, and `baseline` compares its value of the success metric with the median team's.
    """

    unit: UnitAsOf
    size: float
    work: float | None
    baseline: float | None
    value: CurrentValue | None

    @property
    def distance(self) -> float:
        """The mean of the known shares."""
        return fmean(part for part in (self.size, self.work, self.baseline) if part is not None)

    @property
    def unknown(self) -> int:
        return (self.work, self.baseline).count(None)


def teams_by_distance(metric: Metric, access: Access, *, on: date) -> list[TeamDistance]:
    """The teams that the viewer may see, most typical first."""
    teams = _teams(access, on)
    if not teams:
        return []
    people = {team.id: team.people for team in teams}
    known = teams_known(people, KINDS_OF_WORK, on)
    kinds = {team: known[team].work_types for team in people if known[team].work_types}
    units = [*Unit.objects.filter(pk__in=people)]
    [values] = current_values_of_units([benchmark_query(metric, "")], units, access, today=on)
    middle_size = median(people.values())
    middle_value = median(had) if (had := [one.value for one in values.values() if one.value is not None]) else None
    all_kinds = _mean_of([*kinds.values()])
    distances = [
        TeamDistance(
            unit=team,
            size=_off(team.people, middle_size) or 0,
            work=_apart(kinds[team.id], all_kinds) if team.id in kinds else None,
            baseline=_off(value.value if (value := values.get(team.id)) else None, middle_value),
            value=values.get(team.id),
        )
        for team in teams
    ]
    return sorted(distances, key=lambda one: (one.unknown, one.distance))


def typical(distances: Sequence[TeamDistance], treated: Collection[str]) -> list[str]:
    """The slugs of the teams to compare the treated teams with."""
    others = [one for one in distances if one.unit.slug not in treated]
    near = [one for one in others if not one.unknown and one.distance <= NEAR]
    return [one.unit.slug for one in (near if len(near) >= FEWEST_NEAR else others[:FEWEST_NEAR])]


def _teams(access: Access, on: date) -> list[UnitAsOf]:
    tree, teams = teams_tree(), {*teams_on(on).values_list("pk", flat=True)}
    units = units_as_of([tree], on=on) if tree else []
    return [unit for unit in units if unit.people and unit.id in teams and access.visibility.can_see(unit.id)]


def _off(value: float | None, middle: float | None) -> float | None:
    return abs(value - middle) / abs(middle) if value is not None and middle else None


def _apart(kinds: Mapping[str, float], others: Mapping[str, float]) -> float:
    """The share of a team's work that would have to be of another kind."""
    return sum(abs(kinds.get(kind, 0) - others.get(kind, 0)) for kind in {*kinds, *others}) / 2 / POINTS


def _mean_of(kinds: Collection[Mapping[str, float]]) -> Mapping[str, float]:
    return {name: fmean(one.get(name, 0) for one in kinds) for name in {name for one in kinds for name in one}}
