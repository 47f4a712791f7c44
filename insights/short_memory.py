"""What took long to read is kept for a minute in the web process, for the next response that asks the same.

Only for what holds nothing of a viewer: what may be shown to whom is decided anew for each response.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakSet

KEPT_SECONDS = 60  # as trailing windows of pages may lag

Found = TypeVar("Found")

_memories: WeakSet[ShortMemory[Any]] = WeakSet()


def forget_all() -> None:
    """Let every memory of this process go of everything, as a restart would."""
    for memory in _memories:
        memory.forget()


@dataclass(frozen=True)
class _Kept(Generic[Found]):
    found: Found
    until: float  # by the monotonic clock


class ShortMemory(Generic[Found]):
    """Answers by question, of no more than `most` altogether by their `size`: the oldest go, and what is greater than
    that alone is not kept."""

    def __init__(self, size: Callable[[Found], int], *, most: int) -> None:
        self._size = size
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept[Found]] = OrderedDict()
        self._turns: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()
        _memories.add(self)

    def find(
        self,
        question: Hashable,
        read: Callable[[], Found],
        *,
        worth_keeping_seconds: float = 0.0,
        worth_keeping: Callable[[Found], bool] = lambda _: True,
        suffices: Callable[[Found], bool] = lambda _: True,
    ) -> Found:
        """What is kept, where that suffices; else what `read` finds, kept if it took that long and is worth it.

        Whoever asks while it is being read waits for it.
        """
        if (known := self.known(question, suffices)) is not None:
            return known
        with self._lock:
            turn = self._turns.setdefault(question, threading.Lock())
        with turn:
            if (known := self.known(question, suffices)) is not None:
                return known
            started = time.monotonic()
            try:
                found = read()
                if time.monotonic() - started >= worth_keeping_seconds and worth_keeping(found):
                    self.keep(question, found)
            finally:
                with self._lock:
                    self._turns.pop(question, None)
            return found

    def known(self, question: Hashable, suffices: Callable[[Found], bool] = lambda _: True) -> Found | None:
        """What is kept, where that suffices."""
        with self._lock:
            for old in [each for each, kept in self._kept.items() if kept.until < time.monotonic()]:
                del self._kept[old]
            kept = self._kept.get(question)
            return kept.found if kept is not None and suffices(kept.found) else None

    def forget(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._kept.clear()

    def keep(self, question: Hashable, found: Found) -> None:
        """For a minute, unless it is too great."""
        if self._size(found) > self._most:
            return
        with self._lock:
            self._kept.pop(question, None)  # so that it is the youngest
            self._kept[question] = _Kept(found, time.monotonic() + KEPT_SECONDS)
            while sum(self._size(kept.found) for kept in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
