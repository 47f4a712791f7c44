"""Telling whoever computes figures of units that other things are owned there than before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection as database

from integrations.facts.ownership import OWNER_DAYS, OWNER_PLACEMENTS
from orgtree.services.placements import announce_placement_changes
from orgtree.services.unit_placements import UnitPlacementDifference

_FRESH_TABLE = (
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS owner_before (owned_id bigint, ancestor_id bigint, during daterange)
    ON COMMIT DELETE ROWS
    """,
    "TRUNCATE owner_before",
)
# With what follows a repository: its owner is theirs.
_CONCERNED = """
    SELECT unnest(%(owned)s::bigint[])
    UNION
    SELECT follower.id FROM integrations_owned follower
    JOIN integrations_owned repository ON repository.repository_id = follower.follows_id
    WHERE repository.id = ANY (%(owned)s)
"""
_OWNER_NOW = f"""
    SELECT owned_id, ancestor_id, during FROM ({OWNER_PLACEMENTS}) AS placed WHERE owned_id IN ({_CONCERNED})
"""  # noqa: S608  # constants of this module
_REMEMBER = f"INSERT INTO owner_before {_OWNER_NOW}"
_ANNOUNCE = f"""
    INSERT INTO orgtree_placementchange (unit_id, day_from, day_to)
    SELECT ancestor_id, lower(stretch), upper(stretch)
    FROM (
        SELECT ancestor_id, unnest(range_agg(days)) AS stretch
        FROM (
            SELECT ancestor_id, unnest((before - after) + (after - before)) AS days
            FROM (
                SELECT ancestor_id, owned_id,
                    coalesce(range_agg(during) FILTER (WHERE NOT is_now), '{{}}') AS before,
                    coalesce(range_agg(during) FILTER (WHERE is_now), '{{}}') AS after
                FROM (
                    SELECT *, false AS is_now FROM owner_before
                    UNION ALL
                    SELECT *, true FROM ({_OWNER_NOW}) AS owner_now
                ) AS compared
                GROUP BY ancestor_id, owned_id
            ) AS of_owned
        ) AS differing
        GROUP BY ancestor_id
    ) AS changed
    RETURNING unit_id
"""  # noqa: S608  # constants of this module
_ANNOUNCE_MOVED = f"""
    INSERT INTO orgtree_placementchange (unit_id, day_from, day_to)
    SELECT ancestor_id, lower(stretch), upper(stretch)
    FROM (
        SELECT moved.ancestor_id, unnest(range_agg(owner.during * daterange(moved.day_from, moved.day_to))) AS stretch
        FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::date[])
             AS moved (unit_id, ancestor_id, day_from, day_to)
        JOIN ({OWNER_DAYS}) AS owner
          ON owner.unit_id = moved.unit_id AND owner.during && daterange(moved.day_from, moved.day_to)
        GROUP BY moved.ancestor_id
    ) AS changed
    RETURNING unit_id
"""  # noqa: S608  # constants of this module


@contextmanager
def announcing(owned_ids: Collection[int]) -> Iterator[None]:
    """The block changes who owns these things, or what they follow; in the caller's transaction, not nested.

    Each unit for which other things are owned on some days than before gets one PlacementChange per stretch of days.
    """
    concerned = {"owned": sorted(set(owned_ids))}
    with database.cursor() as cursor:
        for statement in _FRESH_TABLE:
            cursor.execute(statement)
        cursor.execute(_REMEMBER, concerned)
        yield
        cursor.execute(_ANNOUNCE, concerned)
        if cursor.fetchall():
            announce_placement_changes()


def announce_moved_units(moved: Sequence[UnitPlacementDifference]) -> None:
    """What these units own counts for other units than before; in the transaction that moves them."""
    with database.cursor() as cursor:
        cursor.execute(
            _ANNOUNCE_MOVED,
            [
                [one.unit_id for one in moved],
                [one.ancestor_id for one in moved],
                [one.day_from for one in moved],
                [one.day_to for one in moved],
            ],
        )
        if cursor.fetchall():
            announce_placement_changes()
