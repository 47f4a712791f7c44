"""Leases of streams: claimed fairly, limited in time, and fenced.

A stream is leased to a holder until `leased_until`; storing a page requires the lease and renews it.  A holder also
keeps an advisory lock, which ends with its database session: a killed holder is detected at once, without waiting for
its lease to expire, and after a lease is revoked, the next holder waits until the old one has noticed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from core import sql
from core.locks import Lock
from core.queue import new_holder
from integrations.enums import Kind
from integrations.models import Stream

LEASE = timedelta(minutes=2)  # more than one request may take with all its tries, see http.Patience
LEASE_HELD = Lock("lease of a stream")  # held by the worker that syncs it


class LostLeaseError(Exception):
    """The reading was cancelled or taken over: nothing more of it may be stored."""


@dataclass(frozen=True, slots=True)
class Lease:
    stream_id: int
    holder: str

    def renew(self) -> None:
        """Extend the lease.  Raises LostLeaseError."""
        mine = Stream.objects.filter(pk=self.stream_id, leased_by=self.holder)
        if not mine.update(leased_until=timezone.now() + LEASE):
            raise LostLeaseError

    def hold(self) -> Stream:
        """The stream's row, locked until the caller's transaction ends.  Raises LostLeaseError."""
        row = Stream.objects.select_for_update().filter(pk=self.stream_id, leased_by=self.holder).first()
        if row is None:
            raise LostLeaseError
        return row


@contextmanager
def claimed(
    *,
    connections: Collection[int] | None = None,
    without: Collection[int] = (),
    requested: bool = False,
    stream: int | None = None,
) -> Iterator[Lease | None]:
    """The stream to read next, leased to the caller; None if nothing is due.

    Connections take turns: the one that has waited longest is next.  Among its streams, those never read come first, in
    the order of a first sync, then the one that has waited longest.  `connections` limits the search, `without`
    excludes connections; `requested` limits it to streams that somebody asked to sync now.  `stream` is the one to
    take, due or not.
    """
    with transaction.atomic():
        chosen = sql.column(
            """
            WITH alive AS MATERIALIZED (  -- whatever their leases say: their workers' sessions hold the lock
                SELECT held.objid::bigint AS stream_id FROM pg_locks held
                WHERE held.locktype = 'advisory' AND held.classid = %(lock)s AND held.objsubid = 2
                    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            ), served AS (
                SELECT resource.connection_id, max(stream.served_at) AS at
                FROM integrations_stream stream JOIN integrations_resource resource ON resource.id = stream.resource_id
                GROUP BY resource.connection_id
            )
            SELECT stream.id
            FROM integrations_stream stream
            JOIN integrations_resource resource ON resource.id = stream.resource_id
            JOIN integrations_connection connection ON connection.id = resource.connection_id
            JOIN served ON served.connection_id = connection.id
            WHERE (
                    stream.id = %(stream)s
                    OR %(stream)s::bigint IS NULL AND stream.due_at <= %(now)s
                    AND resource.picked AND resource.gone_at IS NULL
                    AND connection.paused_at IS NULL AND connection.removed_at IS NULL
                )
                AND (%(connections)s::bigint[] IS NULL OR connection.id = ANY (%(connections)s))
                AND connection.id <> ALL (%(without)s)
                AND (stream.asked_at IS NOT NULL OR NOT %(requested)s)
                AND (stream.leased_until < %(now)s OR stream.id NOT IN (SELECT stream_id FROM alive))
            ORDER BY served.at NULLS FIRST, connection.id, stream.served_at NULLS FIRST,
                array_position(%(kinds)s, stream.kind::text), stream.id
            LIMIT 1
            FOR UPDATE OF stream SKIP LOCKED
            """,
            {
                "stream": stream,
                "connections": None if connections is None else list(connections),
                "without": list(without),
                "requested": requested,
                "lock": LEASE_HELD.number,
                "now": timezone.now(),
                "kinds": [str(kind) for kind in Kind],
            },
        )
        lease = next(map(_lease_to_us, chosen), None)
    try:
        yield lease
    finally:
        if lease is not None:
            _release(lease)


def _lease_to_us(stream_id: int) -> Lease:
    holder = new_holder()
    # Taken before the lease is visible: without the lock it would look like a killed worker's.
    LEASE_HELD.take(stream_id)
    now = timezone.now()
    Stream.objects.filter(pk=stream_id).update(leased_by=holder, leased_until=now + LEASE, served_at=now)
    return Lease(stream_id, holder)


def _release(lease: Lease) -> None:
    mine = Stream.objects.filter(pk=lease.stream_id, leased_by=lease.holder)
    mine.update(leased_by="", leased_until=None)
    LEASE_HELD.release(lease.stream_id)


def revoke_leases(streams: Collection[int]) -> None:
    """Revoke the leases of these streams: their holders can store nothing more."""
    Stream.objects.filter(pk__in=streams).exclude(leased_by="").update(leased_by="", leased_until=None)
