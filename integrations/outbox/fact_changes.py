"""The transactional outbox of fact changes.

Writers append what changed in the transaction that changes the facts.  Readers take rows in a transaction in which they
also store the resulting work: each change is processed exactly once, even if a process dies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from core import sql
from core.hooks import Hook
from core.queue import claim
from integrations.models import FactChange, FactFamily

# Called inside the transaction that changed facts.  A listener nudges its task and does nothing else.
change_listeners: Hook[Callable[[], None]] = Hook()
# Called with the changes that are taken out, in that transaction: they mark what is derived of these days.
taken_listeners: Hook[Callable[[Sequence[Change]], None]] = Hook()


@dataclass(frozen=True, slots=True)
class Change:
    """Facts of `family` changed on days [day_from, day_to).  `at` is when the first coalesced change was appended."""

    family: FactFamily
    day_from: date
    day_to: date
    at: datetime | None = field(default=None, compare=False)


def append_changes(changes: Iterable[Change]) -> None:
    """Append changes to the outbox, in the transaction that makes them, and wake the readers."""
    by_family: dict[FactFamily, list[Change]] = defaultdict(list)
    for change in changes:
        by_family[change.family].append(change)
    for family, rows in by_family.items():
        append_days(
            {family: "SELECT * FROM unnest(%(starts)s::date[], %(ends)s::date[])"},
            {"starts": [row.day_from for row in rows], "ends": [row.day_to for row in rows]},
        )


def append_days(days: Mapping[FactFamily, str], parameters: Mapping[str, Any]) -> None:
    """Append the days that SQL selects, as in `insert_days`, and wake the readers if there are any."""
    if sql.execute(insert_days(days), parameters):
        announce_changes()


def insert_days(days: Mapping[FactFamily, str]) -> str:
    """A statement that appends days, for use in one that also changes facts; its caller then calls `announce_changes`.

    The SQL of each family selects (first day, day after the last); nulls and empty ranges are left out.
    """
    selected = " UNION ALL ".join(
        f"SELECT '{family.value}', * FROM ({days_of_family}) AS days"  # noqa: S608  # SQL of this program
        for family, days_of_family in days.items()
    )
    return f"""
        INSERT INTO integrations_factchange (family, day_from, day_to)
        SELECT family, lower(days), upper(days)
        FROM (
            SELECT family, unnest(range_agg(daterange(day_from, day_to))) AS days
            FROM ({selected}) AS changed (family, day_from, day_to)
            WHERE day_from < day_to
            GROUP BY family
        ) AS coalesced
    """  # noqa: S608  # SQL of this program


def announce_changes() -> None:
    """Wake the readers, after a statement with `insert_days`."""
    for listener in change_listeners:
        listener()


def take_changes(limit: int = 10_000) -> Sequence[Change]:
    """Take the oldest changes out of the outbox, at most `limit` rows, coalesced.

    Call it in a transaction, process the changes in the same one, and repeat until it returns nothing: if the
    transaction fails, the changes stay.  Adjacent ranges of a family are merged.
    """
    claimed = [row.pk for row in claim(FactChange.objects.only("pk").order_by("pk"), limit)]
    rows = sql.rows(
        """
        WITH drained AS (
            DELETE FROM integrations_factchange WHERE id = ANY (%s)
            RETURNING family, day_from, day_to, at
        ), coalesced AS (
            SELECT family, range_agg(daterange(day_from, day_to)) AS days, min(at) AS at
            FROM drained
            GROUP BY family
        )
        SELECT family, lower(days), upper(days), at
        FROM (SELECT family, unnest(days) AS days, at FROM coalesced) AS ranges
        ORDER BY 1, 2
        """,
        [claimed],
    )
    changes = [Change(FactFamily(row[0]), *row[1:]) for row in rows]
    if changes:
        for listener in taken_listeners:
            listener(changes)
    return changes
