"""A counter in the organisation's row that rises whenever people or the owners of activity change.

Every response reads that row, and caches about people are keyed by the counter, so that group sizes are never stale.
Writers of people exclude each other by a lock with a timeout.
"""

from __future__ import annotations

from django.db import OperationalError, transaction
from django.db.models import F

from core import sql
from core.locks import Lock
from orgtree.models import Organisation

WRITERS = Lock("people")
LONGEST_WAIT = "60s"


def raise_people_version() -> None:
    """Raise the version; call it last in a transaction, because it locks the single row and others wait for it."""
    Organisation.current()  # create the row if missing
    Organisation.objects.filter(pk=1).update(people_version=F("people_version") + 1)


def raise_people_version_on_commit() -> None:
    """Raise the version in a separate transaction on commit, for transactions that lock more rows afterwards."""
    transaction.on_commit(raise_people_version, robust=True)


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
