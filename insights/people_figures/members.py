"""Who was in a unit on all days of what they did, so that figures of the whole organisation are theirs in the unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from django.db import connection


class Members(NamedTuple):
    """People who were in the unit throughout, and those who were in it for a part."""

    stayed: Sequence[int]
    moved: Sequence[int]


def members(unit_id: int, people: Sequence[int], firsts: Sequence[int], lasts: Sequence[int]) -> Members:
    """Of these people, each named once; with the first and last day of what each of them did (`date.toordinal`)."""
    places = dict(zip(people, count()))
    stayed: dict[int, None] = {}
    moved: dict[int, None] = {}
    with connection.cursor() as cursor:
        cursor.execute(_STRETCHES, [unit_id])
        for person_id, start, end in cursor:
            place = places.get(person_id)
            if place is None or end <= firsts[place] or lasts[place] < start:
                continue
            throughout = start <= firsts[place] and lasts[place] < end
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
