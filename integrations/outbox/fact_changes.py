"""The outbox between facts and what is computed from them.

Whoever changes facts appends, in the same transaction, what changed.  Whoever computes from them takes the rows in a
transaction of their own, in which they also write down what they will do about it: each change is taken exactly once,
whatever dies in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection, transaction

from integrations.models import FactFamily

_listeners: list[Callable[[], None]] = []


@dataclass(frozen=True, slots=True)
class Change:
    """Facts of `family` changed for a person (None: for nobody who could be matched) on days [day_from, day_to).

    Those that count for the owner of what they ran on changed for `owned_id` instead.  `at` is when the first of what
    was coalesced was appended.
    """

    family: FactFamily
    person_id: int | None
    day_from: date
    day_to: date
    owned_id: int | None = None
    at: datetime | None = field(default=None, compare=False)


def on_change(listener: Callable[[], None]) -> None:
    """Register, at start-up, who is to be woken after facts changed.

    The listener runs inside the transaction that changed them and should do no more than
    `core.nudges.nudge_on_commit(its task)`; a sweep of its own finds what a lost nudge left.
    """
    if listener not in _listeners:
        _listeners.append(listener)


def append_changes(changes: Iterable[Change]) -> None:
    """Note what changed, in the transaction that changes it, and wake the readers."""
    rows = sorted(set(changes), key=lambda row: (row.family, row.person_id or 0, row.owned_id or 0, row.day_from))
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_factchange (family, person_id, day_from, day_to, owned_id)
            SELECT * FROM unnest(%s::text[], %s::bigint[], %s::date[], %s::date[], %s::bigint[])
            """,
            [
                [row.family.value for row in rows],
                [row.person_id for row in rows],
                [row.day_from for row in rows],
                [row.day_to for row in rows],
                [row.owned_id for row in rows],
            ],
        )
    announce_changes()


def announce_changes() -> None:
    """Wake the readers; for SQL that appended its rows itself."""
    for listener in _listeners:
        listener()


def take_changes(limit: int = 10_000) -> Sequence[Change]:
    """Take the oldest changes out of the outbox, at most `limit` of them, coalesced.

    Call it in a transaction, act on them in the same one, and repeat until it answers nothing: if the transaction
    fails, the changes are still there.  Readers at work at the same time take different ones.  Ranges of one family
    and person, or owned thing, that touch come as one.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("take_changes() needs the reader's transaction.")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH drained AS (
                DELETE FROM integrations_factchange
                WHERE id = ANY (ARRAY(
                    SELECT id FROM integrations_factchange ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
                ))
                RETURNING family, person_id, owned_id, day_from, day_to, at
            ), coalesced AS (
                SELECT family, person_id, owned_id, range_agg(daterange(day_from, day_to)) AS days, min(at) AS at
                FROM drained
                GROUP BY family, person_id, owned_id
            )
            SELECT family, person_id, lower(days), upper(days), owned_id, at
            FROM (SELECT family, person_id, owned_id, unnest(days) AS days, at FROM coalesced) AS ranges
            ORDER BY family, person_id, owned_id, 3
            """,
            [limit],
        )
        return [Change(FactFamily(row[0]), *row[1:]) for row in cursor.fetchall()]
