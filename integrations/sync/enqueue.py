"""Asking for a sync, pausing and cancelling one: rows change, and the worker is nudged."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.nudges import nudge_on_commit
from integrations.enums import Kind
from integrations.models import Connection, Stream
from integrations.sync.leases import take_away
from integrations.sync.readings import close_runs

NEWS_TOGETHER = timedelta(seconds=5)


def ask_for_sync(connection: Connection, *, full: bool = False) -> None:
    """Let everything that is picked be read as soon as there is a turn, and the resources be listed anew.

    `full` looks at everything again.  What failed or waits is tried at once.
    """
    from integrations.sync.tasks import discover, sync_streams

    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(discover_at=timezone.now())
        note_asked(connection, full=full)
        nudge_on_commit(discover)
        nudge_on_commit(sync_streams)


def note_asked(connection: Connection, *, full: bool) -> None:
    """Its streams are due, and whoever asked waits for them."""
    now = timezone.now()
    streams = Stream.objects.filter(resource__connection=connection, resource__picked=True)
    streams.update(asked_at=now, due_at=now, full_asked=F("full_asked") if not full else True)


def read_soon(connection: Connection, resource: str, kind: Kind) -> bool:
    """There is news in that stream of a resource, named by its external id: read on in a few seconds.

    False where the resource is not picked.  Not at once, for news comes in bursts; what failed waits for its own time.
    """
    streams = Stream.objects.filter(
        resource__connection=connection, resource__external_id=resource, resource__picked=True, kind=kind
    )
    soon = timezone.now() + NEWS_TOGETHER
    return bool(streams.filter(failures=0, due_at__gt=soon).update(due_at=soon)) or streams.exists()


def pause(connection: Connection) -> None:
    """From the next page on nothing more is read, until it is resumed."""
    Connection.objects.filter(pk=connection.pk, paused_at=None).update(paused_at=timezone.now())


def resume(connection: Connection) -> None:
    """Go on from the last stored page."""
    from integrations.sync.tasks import sync_streams

    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(paused_at=None)
        nudge_on_commit(sync_streams)


def cancel_sync(connection: Connection) -> None:
    """End what is being read; what was stored stays, and the next regular reading goes on from there."""
    with transaction.atomic():
        streams = Stream.objects.filter(resource__connection=connection)
        ids = list(streams.order_by("pk").select_for_update().values_list("pk", flat=True))
        take_away(ids)
        next_time = timezone.now() + timedelta(minutes=max(connection.sync_every_minutes, 1))
        streams.filter(due_at__lt=next_time).update(due_at=next_time)
        streams.update(asked_at=None, full_asked=False)
        close_runs(ids, "Cancelled. What was stored stays, and the next sync goes on from there.")
