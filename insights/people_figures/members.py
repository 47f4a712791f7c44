"""Who was in a unit on all days of what they did, so that figures of the whole organisation are theirs in the unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection


class Days(NamedTuple):
    """A person, and the first and last day of what they did (`date.toordinal`)."""

    person_id: int
    first: int
    last: int


class Members(NamedTuple):
    """People who were in the unit throughout, and those who were in it for a part."""

    stayed: Sequence[int]
    moved: Sequence[int]


def members(unit_id: int, days: Sequence[Days]) -> Members:
    """Of these people, each named once."""
    did = {each.person_id: each for each in days}
    stayed: dict[int, None] = {}
    moved: dict[int, None] = {}
    with connection.cursor() as cursor:
        cursor.execute(_STRETCHES, [unit_id])
        for person_id, start, end in cursor:
            days_of = did.get(person_id)
            if days_of is None or end <= days_of.first or days_of.last < start:
                continue
            throughout = start <= days_of.first and days_of.last < end
            (stayed if throughout else moved)[person_id] = None
    return Members([*stayed], [*moved])


# What people did is not sent along: adapting the days of ten thousand takes longer than reading a unit's placements.
# Days are numbers (`date.toordinal`) for the same reason; stretches that touch are one.
_STRETCHES = """
    SELECT person_id,
           coalesce(lower(stretch) - '0001-01-01'::date + 1, 0),
           coalesce(upper(stretch) - '0001-01-01'::date + 1, 10000000)
    FROM (
        SELECT person_id, unnest(range_agg(during)) AS stretch
        FROM orgtree_placement
        WHERE ancestor_id = %s
        GROUP BY person_id
    ) AS in_the_unit
"""
