"""A second session of the database, in the same thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections


@contextmanager
def another_session() -> Iterator[None]:
    """A connection of its own for the block, as another process has one."""
    ours = connections["default"]
    connections["default"] = ours.copy()
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = ours
