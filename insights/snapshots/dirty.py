"""What has to be computed anew: from the outbox of fact changes to ranges of days, by unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from insights.metrics.query import Window
from integrations.facts.changes import take_changes
from integrations.models import FactFamily

# Days that lie this near to each other are computed together: for each piece the months, quarters and trailing windows
# that it lies in are computed anew, and weekends would cut a year into fifty pieces.
NEAR_DAYS = 31


@dataclass(frozen=True)
class Dirt:
    """Units (None: the whole organisation) whose cells of a family are wrong on the same days."""

    family: FactFamily
    days: Window
    units: tuple[int | None, ...]


def note_changes() -> int:
    """Turn the outbox into dirty ranges of the whole organisation and of every unit on the people's paths.

    Each change is taken exactly once, in the transaction that notes its ranges.  Answers how many were taken.
    """
    noted = 0
    while True:
        with transaction.atomic():
            changes = take_changes()
            if not changes:
                return noted
            _note([(each.family.value, each.person_id, each.day_from, each.day_to) for each in changes])
        noted += len(changes)


def _note(changes: Sequence[tuple[str, int | None, date, date]]) -> None:
    """Changes of (family, person, from, to).  Coalesced: ranges of one family and unit that touch become one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH changed AS (
                SELECT *
                FROM unnest(%s::text[], %s::bigint[], %s::date[], %s::date[]) AS c (family, person_id, starts, ends)
            ), touched AS (
                SELECT family, NULL::bigint AS unit_id, daterange(starts, ends) AS days FROM changed
                UNION ALL
                SELECT family, placement.ancestor_id, daterange(starts, ends) * placement.during
                FROM changed
                JOIN orgtree_placement placement ON placement.person_id = changed.person_id
                 AND placement.during && daterange(starts, ends)
            )
            INSERT INTO insights_dirtyrange (family, unit_id, day_from, day_to, lagging)
            SELECT family, unit_id, lower(days), upper(days), lagging
            FROM (SELECT family, unit_id, unnest(range_agg(days)) AS days FROM touched GROUP BY family, unit_id) AS c
            CROSS JOIN (VALUES (false), (true)) AS speed (lagging)
            """,
            [list(column) for column in zip(*changes, strict=True)],
        )


def claim(*, lagging: bool, limit: int = 50_000) -> Sequence[Dirt]:
    """Take dirty ranges out of the table, coalesced with what lies between them.

    If the caller's transaction fails they are still there.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH claimed AS (
                DELETE FROM insights_dirtyrange
                WHERE id = ANY (ARRAY(
                    SELECT id FROM insights_dirtyrange WHERE lagging = %s
                    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
                ))
                RETURNING family, unit_id, day_from, day_to
            ), coalesced AS (
                SELECT family, unit_id, unnest(range_agg(daterange(day_from, day_to + %s))) AS days
                FROM claimed
                GROUP BY family, unit_id
            )
            SELECT family, lower(days), upper(days) - %s, array_agg(unit_id ORDER BY unit_id NULLS FIRST)
            FROM coalesced
            GROUP BY family, days
            ORDER BY family, 2, 3
            """,
            [lagging, limit, NEAR_DAYS, NEAR_DAYS],
        )
        return [
            Dirt(FactFamily(family), Window(start, end), tuple(units))
            for family, start, end, units in cursor.fetchall()
        ]
