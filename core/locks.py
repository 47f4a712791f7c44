"""Named locks in PostgreSQL: the holder excludes all others, of any process and machine.

    PLANNING = Lock("plan reminders")

    PLANNING.hold()                      until the transaction ends; waits
    if PLANNING.try_hold(): …            until the transaction ends; does not wait
    with PLANNING.held(pk) as is_ours:   for the block, over transactions of its own
    with PLANNING.alone(pk):             the same; raises BusyError where somebody else holds it

The lock goes with the transaction or with the connection, so that a killed process holds nothing up.  With a key (a
row's id), it is one of many of that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

from core import sql

_names: dict[int, str] = {}


class BusyError(Exception):
    """Another worker is doing this already."""


class Lock:
    """One per name.  Raises ValueError where another name comes to the same number."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = crc32(name.encode()) >> 1  # PostgreSQL knows locks by signed numbers of 32 bits
        if _names.setdefault(self.number, name) != name:
            raise ValueError(
                f"The locks {name!r} and {_names[self.number]!r} need other names: they come to one number."
            )

    def hold(self, key: int | None = None) -> bool:
        """Wait for the lock; it is held until the transaction ends.  True, as try_hold where nobody else holds it."""
        self._call("pg_advisory_xact_lock", key)
        return True

    def hold_shared(self, key: int | None = None) -> None:
        """As hold, beside others who share it."""
        self._call("pg_advisory_xact_lock_shared", key)

    def try_hold(self, key: int | None = None) -> bool:
        """Whether nobody else holds the lock; then it is held until the transaction ends."""
        return self._call("pg_try_advisory_xact_lock", key)

    @contextmanager
    def held(self, key: int | None = None) -> Iterator[bool]:
        """Whether nobody else holds the lock; then it is held until the end of the block."""
        is_ours = self.take(key)
        try:
            yield is_ours
        finally:
            if is_ours:
                self.release(key)

    @contextmanager
    def alone(self, key: int | None = None) -> Iterator[None]:
        """Hold the lock until the end of the block.  Raises BusyError."""
        with self.held(key) as is_ours:
            if not is_ours:
                raise BusyError
            yield

    def take(self, key: int | None = None) -> bool:
        """Whether nobody else holds the lock; then it is held until `release`, or until the connection ends."""
        return self._call("pg_try_advisory_lock", key)

    def release(self, key: int | None = None) -> None:
        """Give back what `take` took.  A connection that was lost in between let go by itself."""
        self._call("pg_advisory_unlock", key)

    def _call(self, function: str, key: int | None) -> bool:
        numbers = [self.number] if key is None else [self.number, key]
        return bool(sql.value(f"SELECT {function}({', '.join(['%s'] * len(numbers))})", numbers))
