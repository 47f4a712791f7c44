"""Queues of work: rows that say what is to be done.  A message only wakes a worker (core/nudges.py).

How the rows of a queue are worked on depends on how long one takes, and on what fails:

    drain(step)                 some rows a transaction; where `step` fails, they are in the queue again
    run_one_by_one(rows, run)   one row per transaction; a failed one is noted and skipped
    run_all(rows, run)          rows whose work takes many transactions: a lock or a lease holds each

`claim` and `take` are how a step gets its rows.  A killed worker's transaction is undone and its locks are released, so
that the next sweep of the schedule finds its rows as they were.
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
    """Lock the first rows, in the queryset's order, that no other worker holds, until the transaction ends.

    Raises TransactionManagementError outside of one.
    """
    return list(rows.select_for_update(skip_locked=True, of=("self",))[:most])


def take(rows: QuerySet[Row], most: int) -> list[Row]:
    """As claim, and delete them: if the transaction fails, they are in the queue again."""
    claimed = claim(rows, most)
    rows.model._default_manager.filter(pk__in=[row.pk for row in claimed]).delete()
    return claimed


def drain(step: Callable[[], int], *, enter: Callable[[], bool] = lambda: True, enough: int = 1) -> int:
    """Call `step`, each time in a transaction of its own, until it handles fewer than `enough`; how many it handled.

    Where one worker at a time may empty the queue, `enter` is its lock's `try_hold`, which leaves the rest to its
    holder, or `hold`, which takes turns.
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
    """Run on one row after another, each in a transaction of its own, until none is left; on how many it succeeded.

    `run` sees to it that its row is not among `rows` afterwards.  Where it raises one of `errors`, what it did is
    undone, `failed` notes it in the same transaction, and the row is passed over until the next call.
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
                    connection.check_constraints()  # at the commit they would be nobody's failure
            except errors as problem:
                passed_over.add(number)
                failed(rows.get(pk=number), problem)  # as it is stored: what was done to it is undone
            else:
                succeeded += 1
    return succeeded


def run_all(
    items: Iterable[Item],
    run: Callable[[Item], Result],
    *,
    failed: Callable[[Item], object] = lambda item: None,
) -> list[Result]:
    """Run on each of these, outside of any transaction; what it returned.

    One that another worker is at (BusyError) is left to it; one that fails is logged, and does not hold up the others.
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
    """How long to wait before the next attempt: `first`, doubled with every failure in a row, at most `longest`."""

    first: timedelta
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """After a failure, with so many in a row before it."""
        doubled: timedelta = self.first * 2 ** min(failures, 20)
        return min(doubled, self.longest)


def new_holder() -> str:
    """Names this process and this claim, in a row that is held for longer than a transaction."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(8)}"
