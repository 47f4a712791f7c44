"""Owners that an issue tracker names: items whose team field holds the name of a unit."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import LiteralString

from core import sql
from integrations.facts.ownership import OWNER_DAYS

# (project or board, tree, unit, items that name it, items that name any team, whether it is the tree's top), where more
# than half name one unit, by a name that no other unit of the tree has.
_NAMED: LiteralString = f"""
    WITH things AS MATERIALIZED (
        SELECT id, connection_id, name, project_id FROM integrations_owned
        WHERE (%(owned)s::bigint[] IS NULL OR id = ANY (%(owned)s)) AND follows_id IS NULL
    ), items AS MATERIALIZED (
        SELECT things.id AS owned_id, item.id, lower(item.native_team) AS team
        FROM things
        JOIN integrations_workitem item ON item.project_id = things.project_id AND item.deleted_at IS NULL
         AND item.native_team <> '' AND coalesce(item.updated_at, item.created_at) >= %(since)s
        UNION
        SELECT things.id, item.id, lower(item.native_team)
        FROM things
        JOIN integrations_sprint sprint ON sprint.connection_id = things.connection_id AND sprint.board = things.name
         AND sprint.deleted_at IS NULL AND coalesce(sprint.completed_at, sprint.ends_at, now()) >= %(since)s
        JOIN integrations_sprintchange change ON change.sprint = sprint.external_id AND change.added
        JOIN integrations_workitem item ON item.id = change.work_item_id AND item.native_team <> ''
         AND item.connection_id = sprint.connection_id AND item.deleted_at IS NULL
    ), teams AS (
        SELECT owned_id, team, count(*) AS times, sum(count(*)) OVER (PARTITION BY owned_id) AS total
        FROM items GROUP BY owned_id, team
    ), units AS (
        SELECT unit.tree_id, lower(unit.name) AS name, min(unit.id) AS unit_id, min(placed.depth) AS depth
        FROM orgtree_unit unit
        JOIN (
            SELECT unit_id, count(*) AS depth FROM orgtree_unitplacement
            WHERE tree_id = ANY (%(trees)s) AND during @> %(today)s::date
            GROUP BY unit_id
        ) AS placed ON placed.unit_id = unit.id
        GROUP BY unit.tree_id, lower(unit.name)
        HAVING count(*) = 1
    )
    SELECT teams.owned_id, units.tree_id, units.unit_id, teams.times, teams.total, units.depth = 1
    FROM teams
    JOIN units ON units.name = teams.team
    WHERE teams.times * 2 > teams.total AND (teams.owned_id, units.tree_id) NOT IN (
        SELECT owned_id, tree_id FROM ({OWNER_DAYS}) AS owner WHERE during @> %(today)s::date
    )
"""  # noqa: S608  # constants of this module


def named_teams(
    owned: Collection[int] | None, trees: Collection[int], *, since: date, today: date
) -> list[tuple[int, int, int, int, int, bool]]:
    """(owned thing, tree, unit, items that name it, items that name a team, whether it is the top) of things without an
    owner.
    """
    params = {"owned": None if owned is None else sorted(owned), "trees": sorted(trees)}
    rows: list[tuple[int, int, int, int, int, bool]] = sql.rows(_NAMED, {**params, "since": since, "today": today})
    return rows
