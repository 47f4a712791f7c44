"""Limits concurrent slices per host, across connections and workers.

A slice sends one request after the other, so this also limits concurrent requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

from core.locks import Lock

SLICES_PER_HOST = 4  # GitHub advises against more than a few
HOST = Lock("slots of a host")


@contextmanager
def slot_at(host: str) -> Iterator[bool]:
    """Whether the host has a free slot; it is held until the end of the block, or of our process."""
    keys = [_host_key(host, number) for number in range(SLICES_PER_HOST)]
    key_held = next((key for key in keys if HOST.take(key)), None)
    try:
        yield key_held is not None
    finally:
        if key_held is not None:
            HOST.release(key_held)


def _host_key(host: str, number: int) -> int:
    return (crc32(host.encode()) & 0x0FFF_FFFF) * SLICES_PER_HOST + number
