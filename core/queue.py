"""Queues of work: each row is a piece of work.  A message only wakes a worker (core/nudges.py).

Which function processes a queue depends on how long a row takes, and on what happens when it fails:

    drain(step)                 several rows per transaction; if `step` fails, they stay in the queue
    run_one_by_one(rows, run)   one row per transaction; a failed one is noted and skipped
    run_all(rows, run)          rows that take many transactions each, under a lock or a lease

A step gets its rows by `claim` or `take`.  If a worker is killed, its transaction is rolled back and its locks are
released, so the next scheduled sweep finds the rows unchanged.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Model, QuerySet

from core.locks import BusyError

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")
Result = TypeVar("Result")


def claim(rows: QuerySet[Row], most: int) -> list[Row]:
    """Lock the first rows of the queryset that no other worker holds, until the transaction ends.

    Raises TransactionManagementError outside a transaction.
    """
    return list(rows.select_for_update(skip_locked=True, of=("self",))[:most])


def take(rows: QuerySet[Row], most: int) -> list[Row]:
    """Claim the rows and delete them; if the transaction fails, they stay in the queue."""
    claimed = claim(rows, most)
    rows.model._default_manager.filter(pk__in=[row.pk for row in claimed]).delete()
    return claimed


def drain(step: Callable[[], int], *, enter: Callable[[], bool] = lambda: True, enough: int = 1) -> int:
    """Call `step` in one transaction after another until it handles fewer than `enough` rows; returns the total.

    For a queue that only one worker may process at a time, `enter` acquires its lock: `try_hold` leaves the rows to
    the current holder, `hold` waits for it.
    """
    total = 0
    while True:
        with transaction.atomic():
            handled = step() if enter() else 0
        total += handled
        if handled < enough:
            return total


def run_one_by_one(
    rows: QuerySet[Row],
    run: Callable[[Row], object],
    *,
    failed: Callable[[Row, Exception], object],
    errors: tuple[type[Exception], ...] = (Exception,),
    most: int | None = None,
    seconds: float = float("inf"),
) -> int:
    """Call `run` for one row after another, each in its own transaction, until none is left; returns the successes.

    `run` must take its row out of `rows`.  If it raises one of `errors`, its changes are rolled back, `failed` records
    the failure in the same transaction, and the row is skipped until the next call.
    """
    began, succeeded = time.monotonic(), 0
    passed_over: set[int] = set()
    while (most is None or succeeded + len(passed_over) < most) and time.monotonic() - began < seconds:
        with transaction.atomic():
            claimed = claim(rows.exclude(pk__in=passed_over), 1)
            if not claimed:
                break
            row, number = claimed[0], claimed[0].pk
            try:
                with transaction.atomic():
                    run(row)
                    connection.check_constraints()  # at the commit, no row could be blamed for a violation
            except errors as problem:
                passed_over.add(number)
                failed(rows.get(pk=number), problem)  # as stored: the changes were rolled back
            else:
                succeeded += 1
    return succeeded


def run_all(
    items: Iterable[Item],
    run: Callable[[Item], Result],
    *,
    failed: Callable[[Item], object] = lambda item: None,
) -> list[Result]:
    """Call `run` for every item, outside of any transaction; returns the results.

    Items that another worker is processing (BusyError) are skipped.  A failure is logged and does not stop the others.
    """
    results = []
    for item in items:
        try:
            results.append(run(item))
        except BusyError:
            continue
        except Exception:
            logger.exception("Work on %r broke off", item)
            failed(item)
    return results


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait before the next attempt: `first`, doubled with every consecutive failure, at most `longest`."""

    first: timedelta
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """The wait after a failure that followed `failures` others."""
        doubled: timedelta = self.first * 2 ** min(failures, 20)
        return min(doubled, self.longest)


def new_holder() -> str:
    """A name for this process and this claim, stored in rows that are held longer than a transaction."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(8)}"
