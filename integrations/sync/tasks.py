"""Background syncing: nudged when somebody asks, and swept regularly."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db.models import Q
from django.utils import timezone

from integrations.connectors.errors import ConnectorError
from integrations.models import Connection
from integrations.sync.resources import AlreadyListingError, discover_resources
from integrations.sync.turns import stopping, take_turn
from orgtree.nudges import nudge_on_commit

logger = logging.getLogger(__name__)

TURNS_AT_ONCE = 2  # of a worker's threads: the others are for telemetry, figures and pages
SECONDS_OF_A_TASK = 60.0
_threads = threading.BoundedSemaphore(TURNS_AT_ONCE)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def sync_streams() -> None:
    """Take turns until nothing is due; a second thread of this worker is woken where more is due than one can do."""
    if not _threads.acquire(blocking=False):
        return
    try:
        until = time.monotonic() + SECONDS_OF_A_TASK
        crowded: set[int] = set()
        while not stopping.is_set():
            taken = take_turn(without=crowded)
            if taken is None:
                return
            nudge_on_commit(sync_streams)
            if taken.crowded is not None:
                crowded.add(taken.crowded)
            if time.monotonic() > until:
                return
    finally:
        _threads.release()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def discover() -> None:
    """List the resources of the connections whose time has come."""
    due = Connection.objects.filter(Q(discover_at__lte=timezone.now()), paused_at=None, removed_at=None).order_by(
        "discover_at", "pk"
    )
    for connection in due:
        if stopping.is_set():
            return
        try:
            discover_resources(connection)
        except (AlreadyListingError, ConnectorError):
            continue  # the connection says what is wrong
        except Exception:
            logger.exception("Listing the resources of connection %s broke off", connection.pk)
        nudge_on_commit(sync_streams)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _end_turns(**_: Any) -> None:
    """Turns end after the page that they are at."""
    stopping.set()
