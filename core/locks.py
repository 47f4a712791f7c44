"""Named locks in PostgreSQL: they exclude all other holders, in any process and on any machine.

    PLANNING = Lock("plan reminders")

    PLANNING.hold()                      until the transaction ends; waits
    if PLANNING.try_hold(): …            until the transaction ends; does not wait
    with PLANNING.held(pk) as is_ours:   for the block, over transactions of its own
    with PLANNING.alone(pk):             the same; raises BusyError if somebody else holds it

The lock ends with the transaction or the connection, so that a killed process blocks nobody.  With a key (a row's id),
there is one lock per key.
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
    """A lock by name.  Raises ValueError if another name has the same number."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = crc32(name.encode()) >> 1  # PostgreSQL identifies locks by signed 32-bit numbers
        if _names.setdefault(self.number, name) != name:
            raise ValueError(
                f"The locks {name!r} and {_names[self.number]!r} need other names: they come to one number."
            )

    def hold(self, key: int | None = None) -> bool:
        """Wait for the lock and hold it until the transaction ends.  Always True, so that try_hold can replace it."""
        self._call("pg_advisory_xact_lock", key)
        return True

    def hold_shared(self, key: int | None = None) -> None:
        """Hold the lock as `hold` does, but shared with other shared holders."""
        self._call("pg_advisory_xact_lock_shared", key)

    def try_hold(self, key: int | None = None) -> bool:
        """Hold the lock until the transaction ends, unless somebody else holds it; returns whether it worked."""
        return self._call("pg_try_advisory_xact_lock", key)

    @contextmanager
    def held(self, key: int | None = None) -> Iterator[bool]:
        """Hold the lock until the end of the block, unless somebody else holds it; yields whether it worked."""
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
        """Hold the lock until `release` or until the connection ends, unless somebody else holds it."""
        return self._call("pg_try_advisory_lock", key)

    def release(self, key: int | None = None) -> None:
        """Release the lock that `take` acquired.  A no-op if the connection was lost in between."""
        self._call("pg_advisory_unlock", key)

    def _call(self, function: str, key: int | None) -> bool:
        numbers = [self.number] if key is None else [self.number, key]
        return bool(sql.value(f"SELECT {function}({', '.join(['%s'] * len(numbers))})", numbers))
