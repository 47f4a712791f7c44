"""Unconfirmed people, known from telemetry alone, do not count towards the minimum group size.  docs/access.md.

Their activity counts in every value.  But a token that belongs to nobody can claim any address, and could make a group
of two look like one of five.
"""

from __future__ import annotations

import time

from core.cache import Cache
from integrations.facts.unconfirmed import unconfirmed_people

CACHED_SECONDS = 60
_BYTES_OF_AN_ID = 40

unconfirmed_by_version: Cache[tuple[int, ...]] = Cache(8_000_000, lambda people: 100 + len(people) * _BYTES_OF_AN_ID)
"""By version of people and minute."""


def unconfirmed(people_version: int) -> tuple[int, ...]:
    """The ids of everybody known from telemetry alone, at least as recent as that version of people.

    Claiming, moving or importing people makes a new version.  Anything else that confirms people is seen within a
    minute.
    """
    key = f"{people_version} {int(time.monotonic() / CACHED_SECONDS)}"
    people = unconfirmed_by_version.get(key)
    if people is None:
        people = unconfirmed_people()
        unconfirmed_by_version.put(key, people)
    return people
