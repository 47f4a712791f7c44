"""The in-process cache: least recently used entries are evicted first, limited by bytes.

A key names everything that its entry depends on, versions included, so an entry can be unneeded but never wrong.
What a viewer may see is decided afterwards and never cached.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import LRUCache

Entry = TypeVar("Entry")
MOST_OF_CACHE = 0.25  # that one entry may take


class Cache(Generic[Entry]):
    """Entries of one kind by key, at most `max_bytes` in total as measured by `size_of` (bytes per entry).

    Shared by threads; a forked process starts with an empty cache, because version numbers may differ there.
    """

    def __init__(self, most_bytes: int, size_of: Callable[[Entry], int]) -> None:
        self._max_bytes = most_bytes
        self._size_of = size_of
        self.clear()
        os.register_at_fork(after_in_child=self.clear)

    def clear(self) -> None:
        self._lock = threading.Lock()
        self._entries: LRUCache[str, Entry] = LRUCache(self._max_bytes, getsizeof=self._size_of)

    def get(self, key: str) -> Entry | None:
        with self._lock:
            return self._entries.get(key)

    def put(self, key: str, entry: Entry) -> None:
        """An entry that takes more than a quarter of the cache is not stored: it would displace too many others."""
        with self._lock:
            if self._size_of(entry) <= self._max_bytes * MOST_OF_CACHE:
                self._entries[key] = entry

    @property
    def bytes(self) -> int:
        return int(self._entries.currsize)
