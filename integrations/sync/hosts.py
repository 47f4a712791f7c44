"""Limits concurrent slices per host, across connections and workers.

A slice sends one request after the other, so this also limits concurrent requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

from django.db import connection as database

SLICES_PER_HOST = 4  # GitHub advises against more than a few
_HOST_LOCK = 0x486F_7374  # "Host"


@contextmanager
def slot_at(host: str) -> Iterator[bool]:
    """Whether the host has a free slot; it is held until the end of the block, or of our process."""
    keys = [_host_key(host, number) for number in range(SLICES_PER_HOST)]
    key_held = next((key for key in keys if _try_lock(key)), None)
    try:
        yield key_held is not None
    finally:
        if key_held is not None:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_HOST_LOCK, key_held])


def _host_key(host: str, number: int) -> int:
    return (crc32(host.encode()) & 0x0FFF_FFFF) * SLICES_PER_HOST + number


def _try_lock(key: int) -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_HOST_LOCK, key])
        return bool(cursor.fetchone()[0])
