"""Measures database work, with its checks at commit, and without leaving a trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from bench.figures import percentile


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction that is rolled back at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds that the work takes; within a transaction, including the checks that wait for its commit."""
    started = time.perf_counter()
    work()
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return time.perf_counter() - started


def median_seconds(work: Callable[[], object], *, rounds: int) -> float:
    return percentile([seconds_of(work) for _ in range(rounds)], 50)


def median_seconds_rolled_back(work: Callable[[], object], *, rounds: int) -> float:
    """The median duration as in `median_seconds`, for work that makes changes: each round starts from the same
    state.
    """
    seconds = []
    for _ in range(rounds):
        with rolled_back():
            seconds.append(seconds_of(work))
    return percentile(seconds, 50)
