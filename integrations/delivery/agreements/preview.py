"""Previews of an agreement's effect: figures are derived as after a real change, in a transaction that is
rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from django.db import OperationalError, transaction

from core import sql
from integrations.delivery.agreements.agree import agree
from integrations.delivery.agreements.apply import differing_owned, recompute
from integrations.delivery.allocation.measure import working_days
from integrations.delivery.allocation.work_days import measure_work_days
from integrations.delivery.recompute import recompute_pull_requests
from integrations.enums import Kind
from integrations.models import FactFamily
from integrations.outbox.fact_changes import Change, append_changes
from integrations.outbox.write_lock import lock_for_linking
from orgtree.models import Unit

WAITS, RUNS = 5, 20  # seconds: for records that are being stored, and for one statement
WEEK = timedelta(days=7)
OF_PEOPLE = ("work_starts_at", "work_ends_at", "time_zone")


class NoPreviewError(Exception):
    """The figures could not be derived in time; the message gives the reason and the remedy."""


@contextmanager
def as_if_agreed(unit: Unit, terms: dict[str, Any], start: date, end: date) -> Iterator[None]:
    """Derive, within the block, figures of [start, end) as if the unit had agreed on these terms on the first day.

    Nothing is stored.  Raises ValidationError, and NoPreviewError if records are being stored, or there are too many.
    """
    try:
        with transaction.atomic():
            sql.execute(
                "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)",
                [f"{WAITS}s", f"{RUNS}s"],
            )
            lock_for_linking(frozenset(Kind))
            agree(unit, terms, start=start)
            last = end - timedelta(days=1)
            recompute(differing_owned(), recompute_pull_requests, since=start, until=last)
            if any(terms.get(name) is not None for name in OF_PEOPLE):
                _measure_work_days(start, end)
            yield
            transaction.set_rollback(True)
    except OperationalError as problem:
        raise NoPreviewError(
            "The preview took too long, because records are being stored or there are many. Try again in a minute; "
            "nothing was saved."
        ) from problem


def _measure_work_days(start: date, end: date) -> None:
    monday = start - timedelta(days=start.weekday())
    while monday < end:
        measure_work_days(monday, working_days(monday, monday + WEEK))
        monday += WEEK
    append_changes([Change(FactFamily.EFFORT, start, end)])
