"""Who was in a unit on all days of what they did, so that figures of the whole organisation are theirs in the unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """Of these people."""
    found: Mapping[bool, list[int]] = {True: [], False: []}
    if days:
        with connection.cursor() as cursor:
            cursor.execute(
                _MEMBERS,
                {
                    "unit": unit_id,
                    "people": _array(each.person_id for each in days),
                    "firsts": _array(each.first for each in days),
                    "lasts": _array(each.last for each in days),
                },
            )
            for person, throughout in cursor:
                found[throughout].append(person)
    return Members(found[True], found[False])


def _array(numbers: Iterable[int]) -> str:
    """As PostgreSQL writes it: adapting ten thousand of them one by one takes longer than finding the people."""
    return f"{{{','.join(map(str, numbers))}}}"


# Numbers instead of dates, for the same reason.
_MEMBERS = """
    SELECT did.person_id,
           range_agg(placement.during) @> daterange('0001-01-01'::date + (did.first_day - 1),
                                                    '0001-01-01'::date + did.last_day)
    FROM unnest(%(people)s::bigint[], %(firsts)s::int[], %(lasts)s::int[]) AS did (person_id, first_day, last_day)
    JOIN orgtree_placement placement
      ON placement.person_id = did.person_id AND placement.ancestor_id = %(unit)s
    WHERE placement.during && daterange('0001-01-01'::date + (did.first_day - 1), '0001-01-01'::date + did.last_day)
    GROUP BY did.person_id, did.first_day, did.last_day
"""
