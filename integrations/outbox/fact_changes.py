"""The transactional outbox of fact changes.

Writers append what changed in the transaction that changes the facts.  Readers take rows in a transaction in which they
also store the resulting work: each change is processed exactly once, even if a process dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection

from core.hooks import Hook
from core.queue import claim
from integrations.models import FactChange, FactFamily

# Called inside the transaction that changed facts.  A listener nudges its task and does nothing else.
change_listeners: Hook[Callable[[], None]] = Hook()


@dataclass(frozen=True, slots=True)
class Change:
    """Facts of `family` changed for a person (None: unmatched) on days [day_from, day_to).

    Facts that count for an owner have `owned_id` instead.  `at` is when the first coalesced change was appended.
    """

    family: FactFamily
    person_id: int | None
    day_from: date
    day_to: date
    owned_id: int | None = None
    at: datetime | None = field(default=None, compare=False)


def append_changes(changes: Iterable[Change]) -> None:
    """Append changes to the outbox, in the transaction that makes them, and wake the readers."""
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
    """Wake the readers, after SQL that inserts into the outbox itself."""
    for listener in change_listeners:
        listener()


def take_changes(limit: int = 10_000) -> Sequence[Change]:
    """Take the oldest changes out of the outbox, at most `limit` rows, coalesced.

    Call it in a transaction, process the changes in the same one, and repeat until it returns nothing: if the
    transaction fails, the changes stay.  Adjacent ranges of one family and person, or owned object, are merged.
    """
    claimed = [row.pk for row in claim(FactChange.objects.only("pk").order_by("pk"), limit)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH drained AS (
                DELETE FROM integrations_factchange WHERE id = ANY (%s)
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
            [claimed],
        )
        return [Change(FactFamily(row[0]), *row[1:]) for row in cursor.fetchall()]
