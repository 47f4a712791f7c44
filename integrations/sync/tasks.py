"""Background syncing: nudged when somebody asks, and swept regularly."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from core.nudges import nudge_on_commit
from integrations.connectors.errors import ConnectorError
from integrations.models import Connection
from integrations.sync.resources import AlreadyListingError, discover_resources
from integrations.sync.slices import stopping, take_turn

logger = logging.getLogger(__name__)

TURNS_AT_ONCE = 2  # of a worker's threads: the others are for telemetry, figures and pages
SECONDS_OF_A_TASK = 60.0
LOOK_AGAIN_AFTER_OWN_FAULT = timedelta(minutes=30)
_threads = threading.BoundedSemaphore(TURNS_AT_ONCE)
_listing = threading.Lock()  # one thread: providers that do not answer must not take them all


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def sync_streams() -> None:
    """Take turns until nothing is due; a second thread of this worker is woken where more is due than one can do."""
    if not _threads.acquire(blocking=False):
        return
    try:
        until = time.monotonic() + SECONDS_OF_A_TASK
        crowded: set[int] = set()
        while not stopping.is_set():
            sync_slice = take_turn(without=crowded)
            if sync_slice is None:
                return
            nudge_on_commit(sync_streams)
            if sync_slice.crowded is not None:
                crowded.add(sync_slice.crowded)
            if time.monotonic() > until:
                return
    finally:
        _threads.release()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def discover() -> None:
    """List the resources of the connections whose time has come."""
    if not _listing.acquire(blocking=False):
        return
    try:
        due = Connection.objects.filter(discover_at__lte=timezone.now(), paused_at=None, removed_at=None)
        for connection in due.order_by("discover_at", "pk"):
            if stopping.is_set():
                return
            _discover(connection)
            nudge_on_commit(sync_streams)
    finally:
        _listing.release()


def _discover(connection: Connection) -> None:
    try:
        discover_resources(connection)
    except (AlreadyListingError, ConnectorError):
        return  # the connection says what is wrong
    except Exception:
        logger.exception("Listing the resources of connection %s broke off", connection.pk)
        retry_at = timezone.now() + LOOK_AGAIN_AFTER_OWN_FAULT
        Connection.objects.filter(pk=connection.pk).update(discover_at=retry_at)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def delete_unwanted() -> None:
    """Delete the connections that were removed with more facts than a browser waits for."""
    from integrations.sync.remove_connection import delete_unwanted_facts

    delete_unwanted_facts()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _end_turns(**_: Any) -> None:
    """Turns end after the page that they are at."""
    stopping.set()
