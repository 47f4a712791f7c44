"""A lock for writers of people, with a timeout."""

from __future__ import annotations

from django.db import OperationalError

from core import sql
from core.locks import Lock

WRITERS = Lock("people")
LONGEST_WAIT = "60s"


class PeopleBusyError(Exception):
    """Another writer held the lock for a minute; nothing was stored."""

    def __init__(self) -> None:
        super().__init__("Another import of people is running. Try again when it is done.")


def wait_for_other_writers() -> None:
    """Hold the lock until the transaction ends.  Raises PeopleBusyError after a minute."""
    sql.execute("SET LOCAL lock_timeout = %s", [LONGEST_WAIT])
    try:
        WRITERS.hold()
    except OperationalError as problem:
        raise PeopleBusyError from problem
    sql.execute("SET LOCAL lock_timeout = DEFAULT")
