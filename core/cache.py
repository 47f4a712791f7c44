"""The one memory of answers, in the process: the least recently used go first, by bytes.

A key names everything that its answer depends on, versions included, so that an entry can be unneeded and never wrong.
What a viewer may see is decided after it, and is never cached.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import LRUCache

Answer = TypeVar("Answer")


class Cache(Generic[Answer]):
    """Answers of one kind by key, `most_bytes` of them together by `size_of` (bytes of an answer).

    Threads share it; a forked process begins with an empty one, because what versions count may differ there.
    """

    def __init__(self, most_bytes: int, size_of: Callable[[Answer], int]) -> None:
        self._most_bytes = most_bytes
        self._size_of = size_of
        self.clear()
        os.register_at_fork(after_in_child=self.clear)

    def clear(self) -> None:
        self._lock = threading.Lock()
        self._answers: LRUCache[str, Answer] = LRUCache(self._most_bytes, getsizeof=self._size_of)

    def get(self, key: str) -> Answer | None:
        with self._lock:
            return self._answers.get(key)

    def put(self, key: str, answer: Answer) -> None:
        """Nothing is remembered of an answer that is larger than the whole cache."""
        with self._lock:
            if self._size_of(answer) <= self._most_bytes:
                self._answers[key] = answer

    @property
    def bytes(self) -> int:
        return int(self._answers.currsize)
