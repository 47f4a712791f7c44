"""How many turns there are at one host at the same time, whichever connections and workers they are of.

A turn asks one request after the other, so this is also how many requests are under way there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

from django.db import connection as database

TURNS_AT_ONCE = 4  # GitHub advises against more than a few
_HOST_LOCK = 0x486F_7374  # "Host"


@contextmanager
def turn_at(host: str) -> Iterator[bool]:
    """Whether there is a turn left at the host; it is ours until the end of the block, or of our process."""
    keys = [_host_key(host, number) for number in range(TURNS_AT_ONCE)]
    key_held = next((key for key in keys if _try_lock(key)), None)
    try:
        yield key_held is not None
    finally:
        if key_held is not None:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_HOST_LOCK, key_held])


def _host_key(host: str, number: int) -> int:
    return (crc32(host.encode()) & 0x0FFF_FFFF) * TURNS_AT_ONCE + number


def _try_lock(key: int) -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_HOST_LOCK, key])
        return bool(cursor.fetchone()[0])
