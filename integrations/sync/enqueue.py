"""Requesting, pausing and cancelling syncs: rows change, and the worker is nudged."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from core.nudges import nudge_on_commit
from integrations.enums import Kind
from integrations.models import Connection, Stream
from integrations.sync.leases import revoke_leases
from integrations.sync.readings import close_runs
from integrations.sync.tasks import discover, sync_streams

NEWS_TOGETHER = timedelta(seconds=5)


def enqueue_sync(connection: Connection, *, full: bool = False) -> None:
    """Make all selected streams due now, and list the resources again.

    `full` reads everything again.  Failed and waiting streams are retried at once.
    """
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(discover_at=timezone.now())
        mark_requested(connection, full=full)
        nudge_on_commit(discover)
        nudge_on_commit(sync_streams)


def mark_requested(connection: Connection, *, full: bool) -> None:
    """Make the connection's streams due, and record that somebody waits for them."""
    now = timezone.now()
    streams = Stream.objects.filter(resource__connection=connection, resource__picked=True)
    streams.update(requested_at=now, due_at=now, full_requested=F("full_requested") if not full else True)


def enqueue_stream(connection: Connection, resource: str, kind: Kind) -> bool:
    """Read this stream of a resource (by external id) in a few seconds because it has news.

    Returns False if the resource is not picked.  The delay exists because news arrives in bursts; a failed stream keeps
    its retry time.
    """
    streams = Stream.objects.filter(
        resource__connection=connection, resource__external_id=resource, resource__picked=True, kind=kind
    )
    soon = timezone.now() + NEWS_TOGETHER
    return bool(streams.filter(failures=0, due_at__gt=soon).update(due_at=soon)) or streams.exists()


def is_syncing(connection: Connection) -> bool:
    """Whether one of the connection's streams is being read, or is due."""
    streams = Stream.objects.filter(resource__connection=connection, resource__picked=True, resource__gone_at=None)
    return streams.filter(Q(reading_since__isnull=False) | Q(due_at__lte=timezone.now())).exists()


def pause(connection: Connection) -> None:
    """Stop reading after the current page, until it is resumed."""
    Connection.objects.filter(pk=connection.pk, paused_at=None).update(paused_at=timezone.now())


def resume(connection: Connection) -> None:
    """Continue after the last stored page."""
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(paused_at=None)
        nudge_on_commit(sync_streams)


def cancel_sync(connection: Connection) -> None:
    """End the current readings; stored pages stay, and the next regular reading continues after them."""
    with transaction.atomic():
        streams = Stream.objects.filter(resource__connection=connection)
        ids = list(streams.order_by("pk").select_for_update().values_list("pk", flat=True))
        revoke_leases(ids)
        next_time = timezone.now() + connection.interval
        streams.filter(due_at__lt=next_time).update(due_at=next_time)
        streams.update(requested_at=None, full_requested=False)
        close_runs(ids, "Cancelled. Stored records stay, and the next sync continues from there.")
