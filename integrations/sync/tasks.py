"""Background syncing: triggered on request, and swept regularly."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta
from itertools import takewhile
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from core.nudges import nudge_on_commit
from core.queue import run_all
from integrations.connectors.errors import ConnectorError
from integrations.intake.apply_placing_rules import apply_placing_rules
from integrations.intake.place_waiting import place_waiting
from integrations.models import Connection
from integrations.sync.remove_connection import delete_unwanted_facts
from integrations.sync.resources import discover_resources
from integrations.sync.slices import run_next_slice, stopping

SLICES_AT_ONCE = 2  # threads of a worker: the others are for telemetry, figures and pages
SECONDS_OF_A_TASK = 60.0
LOOK_AGAIN_AFTER_OWN_FAULT = timedelta(minutes=30)
_threads = threading.BoundedSemaphore(SLICES_AT_ONCE)
_listing = threading.Lock()  # only one thread: providers that do not answer must not occupy them all


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def sync_streams() -> None:
    """Run slices until nothing is due; a second thread is woken if more is due than one can read."""
    if not _threads.acquire(blocking=False):
        return
    try:
        until = time.monotonic() + SECONDS_OF_A_TASK
        rate_limited: set[int] = set()
        while not stopping.is_set():
            sync_slice = run_next_slice(without=rate_limited)
            if sync_slice is None:
                return
            nudge_on_commit(sync_streams)
            if sync_slice.rate_limited is not None:
                rate_limited.add(sync_slice.rate_limited)
            if time.monotonic() > until:
                return
    finally:
        _threads.release()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def discover() -> None:
    """List the resources of the connections whose listing is due."""
    if not _listing.acquire(blocking=False):
        return
    try:
        due = Connection.objects.filter(discover_at__lte=timezone.now(), paused_at=None, removed_at=None)
        in_order = due.order_by("discover_at", "pk")
        run_all(takewhile(lambda _: not stopping.is_set(), in_order), _discover, failed=_discover_later)
    finally:
        _listing.release()


def _discover(connection: Connection) -> None:
    with suppress(ConnectorError):  # the problem is stored with the connection
        discover_resources(connection)
    nudge_on_commit(sync_streams)


def _discover_later(connection: Connection) -> None:
    retry_at = timezone.now() + LOOK_AGAIN_AFTER_OWN_FAULT
    Connection.objects.filter(pk=connection.pk).update(discover_at=retry_at)


delete_unwanted = shared_task(delete_unwanted_facts, name="integrations.sync.tasks.delete_unwanted")


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def place_unplaced() -> None:
    """Place the records that wait for their repository, and move those that changed rules now place elsewhere."""
    place_waiting()
    apply_placing_rules()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _end_slices(**_: Any) -> None:
    """End the slices after their current page."""
    stopping.set()
