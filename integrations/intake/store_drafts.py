"""Drafts become facts: what page, webhook and push tell is stored, whatever the order and however often.

`store_drafts` belongs into the transaction that also moves the cursor, or marks the delivery as done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection as database
from django.db.transaction import TransactionManagementError

from integrations.connectors.drafts import AnyDraft
from integrations.models import Connection


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of drafts, counted in records.

    `unplaced` are those of repositories and projects that the connection does not know: nothing is stored of them.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    unplaced: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.removed + other.removed,
            self.unplaced + other.unplaced,
        )


def store_drafts(connection: Connection, drafts: Iterable[AnyDraft]) -> Stored:
    """Store what the drafts, of any mix of kinds, tell of the connection's records; in the caller's transaction.

    The same drafts again change nothing; drafts in another order come to the same, as far as their `updated_at` says
    which is newer.
    """
    if not database.in_atomic_block:
        raise TransactionManagementError("store_drafts() needs the transaction of whoever moves the cursor.")
    raise NotImplementedError
