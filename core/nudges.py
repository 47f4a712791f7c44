"""Wakes up background tasks without relying on message delivery.

A message is a nudge; the work to do is a row.  A lost message delays the work by seconds, until a sweep finds the row,
and never loses a record.  It lives in the lowest app because every app above hands work to the background.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_NUDGES = 1.0
SECONDS_WITHOUT_BROKER = 10.0  # a hanging broker would block the request, so a timer retries
_lock = threading.Lock()
_nudged_at: dict[str, float] = {}
_broker_away_until = float("-inf")
_waiting: set[str] = set()


class Task(Protocol):
    name: str

    def delay(self) -> object: ...


def nudge_on_commit(task: Task, *, seconds: float = SECONDS_BETWEEN_NUDGES) -> None:
    """Send `task` once the current transaction is committed; at most one message per task and process in `seconds`.

    A nudge sooner after the last one is delayed, not dropped: the running task may have looked before this
    transaction's rows were visible.
    """
    transaction.on_commit(lambda: _nudge(task, seconds), robust=True)


def _nudge(task: Task, seconds: float) -> None:
    with _lock:
        if task.name in _waiting:
            return
        next_turn = _nudged_at.get(task.name, float("-inf")) + seconds
        delay = max(next_turn, _broker_away_until) - time.monotonic()
        if delay > 0:
            _waiting.add(task.name)
            timer = threading.Timer(delay, _send, [task])
            timer.daemon = True
            timer.start()
            return
    _send(task)


def _send(task: Task) -> None:
    global _broker_away_until  # noqa: PLW0603  # as module-wide as the lock that guards it
    with _lock:
        _waiting.discard(task.name)
        _nudged_at[task.name] = time.monotonic()
    try:
        task.delay()
    except (OSError, OperationalError) as problem:  # no broker: the sweep will find the rows
        logger.warning("Could not nudge %s: %s", task.name, problem)
        with _lock:
            _broker_away_until = time.monotonic() + SECONDS_WITHOUT_BROKER
