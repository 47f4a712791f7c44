"""Queries of teams: which units are teams, which lack an objective, and their Org Tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from core import sql
from orgtree.models import OrgTree, Unit, UnitPlace
from orgtree.models.visibility import Visibility
from programs.models import Objective, ProgramSettings, Quarter

# One row: the tree that is set, else the one in which most mandatory objectives were written, else the first. An
# archived tree has no teams.
_TREE = """
    SELECT tree.id, tree.name FROM orgtree_orgtree tree
    LEFT JOIN programs_programsettings setting ON setting.teams_tree_id = tree.id
    LEFT JOIN orgtree_unit unit ON unit.tree_id = tree.id
    LEFT JOIN programs_objective objective ON objective.unit_id = unit.id AND objective.is_mandatory
    WHERE tree.archived_at IS NULL
    GROUP BY tree.id, tree.name ORDER BY count(setting.id) DESC, count(objective.id) DESC, tree.id LIMIT 1
"""

# One row per team.  Somebody who leads no unit of the tree belongs to the nearest unit, at or above their own, that
# somebody leads; if there is none, to their own unit.  A site of a team is not a team of its own, nor are its managers.
_TEAMS = f"""
    WITH tree AS ({_TREE}
    ), leader AS (
        SELECT leader_id AS person_id FROM orgtree_unit
        WHERE tree_id = (SELECT id FROM tree) AND leader_id IS NOT NULL
    ), working AS (
        SELECT DISTINCT unit_id FROM orgtree_placement
        WHERE tree_id = (SELECT id FROM tree) AND unit_id = ancestor_id AND during @> %s::date
            AND person_id NOT IN (SELECT person_id FROM leader)
    ), above AS MATERIALIZED (
        SELECT unit_id, ancestor_id FROM orgtree_unitplacement
        WHERE tree_id = (SELECT id FROM tree) AND during @> %s::date
    ), depth AS (
        SELECT unit_id, count(*) AS steps FROM above GROUP BY unit_id
    ), led AS (
        SELECT above.unit_id, above.ancestor_id, depth.steps
        FROM above
        JOIN orgtree_unit unit ON unit.id = above.ancestor_id AND unit.leader_id IS NOT NULL
        JOIN depth ON depth.unit_id = above.ancestor_id
    )
    SELECT DISTINCT team FROM (
        SELECT DISTINCT ON (working.unit_id) coalesce(led.ancestor_id, working.unit_id) AS team
        FROM working LEFT JOIN led ON led.unit_id = working.unit_id
        ORDER BY working.unit_id, led.steps DESC NULLS LAST
    ) AS nearest
"""  # noqa: S608 — put together from texts of this file; values are passed apart
# One row per team and day.
_TEAMS_BY_DAY = f"""
    SELECT at.day, teams.team FROM unnest(%s::date[]) AS at (day)
    CROSS JOIN LATERAL ({_TEAMS.replace("%s::date", "at.day")}) AS teams
"""  # noqa: S608 — as above


def teams_tree() -> OrgTree | None:
    """The Org Tree whose units are the teams: as set (ProgramSettings), else guessed; None if there is no tree."""
    return next(iter(OrgTree.objects.raw(_TREE)), None)


def program_tree() -> int | None:
    """The id of `teams_tree`."""
    tree = teams_tree()
    return tree.pk if tree else None


def teams_by_day(days: Iterable[date]) -> Mapping[date, frozenset[int]]:
    """Ids of the units that are teams on each of the days; one query."""
    teams: dict[date, set[int]] = {day: set() for day in days}
    for day, team in sql.rows(_TEAMS_BY_DAY, [list(teams)]):
        teams[day].add(team)
    return {day: frozenset(of_day) for day, of_day in teams.items()}


def teams_without_objective(quarter: Quarter, visibility: Visibility, *, today: date) -> QuerySet[Unit]:
    """Teams that the viewer may see and that have no published mandatory objective in that quarter, by name.

    A past quarter uses the teams of its last day.  Teams are those of one Org Tree, because the same people are in
    several: see `teams_tree`.
    """
    day = min(today, quarter.window.last_day)
    agreed = Objective.objects.filter(
        quarter=quarter, unit=OuterRef("pk"), is_mandatory=True, published_at__isnull=False, dropped_at=None
    )
    teams = Unit.objects.within(visibility).filter(pk__in=teams_on(day))
    return teams.filter(~Exists(agreed)).order_by("name", "pk")


def teams_on(day: date) -> QuerySet[Unit]:
    """All teams of that day, by name."""
    return Unit.objects.filter(pk__in=RawSQL(_TEAMS, [day, day])).order_by("name", "pk")  # noqa: S611 — values are passed apart


def teams_missing_objective(visibility: Visibility, quarter: Quarter, today: date) -> QuerySet[Unit]:
    """Teams that the viewer leads and that have no mandatory objective in the quarter."""
    if quarter.is_closed or not visibility.leads_any:
        return Unit.objects.none()
    teams = teams_without_objective(quarter, visibility, today=today)
    return teams if visibility.leads_whole else teams.filter(pk__in=visibility.managed_ids)


def units_above(teams: Iterable[Unit], today: date) -> dict[int, str]:
    """Maps teams to the name of the unit above, because teams of different units often share a name."""
    places = UnitPlace.objects.filter(unit__in=list(teams), during__contains=today, parent__isnull=False)
    return dict(places.values_list("unit", "parent__name"))


def program_settings() -> ProgramSettings:
    return ProgramSettings.objects.select_related("teams_tree").get_or_create(pk=1)[0]
