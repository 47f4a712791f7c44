"""Outbox entries for changed seats."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integrations.models import FactFamily, SeatAssignment, SeatPlan
from integrations.outbox.fact_changes import Change, append_changes

EARLIEST = date(2000, 1, 1)


@contextmanager
def announcing_seats(plans: Collection[int] | None = None) -> Iterator[None]:
    """Wrap a change of these plans (None: all) or their assignments in a transaction, and append to the outbox the days
    on which there were seats before or after it.  With `plans`, a new plan needs `announce_plan`.
    """
    with transaction.atomic():
        _append(plans)
        yield
        _append(plans)


def announce_plan(plan: int) -> None:
    """Append the days of a new plan, in the transaction that creates it."""
    _append([plan])


def announce_today() -> None:
    """Append the costs of the new day."""
    today = timezone.localdate()
    append_changes([Change(FactFamily.SEATS, today - timedelta(days=1), today + timedelta(days=1))])


def _append(plans: Collection[int] | None) -> None:
    days = [
        *SeatPlan.objects.filter(_of(plans, "pk")).values_list("during", flat=True),
        *SeatAssignment.objects.filter(_of(plans, "plan")).values_list("during", flat=True),
    ]
    if days:
        since = min(during.lower or EARLIEST for during in days)
        append_changes([Change(FactFamily.SEATS, since, max(timezone.localdate(), since) + timedelta(days=1))])


def _of(plans: Collection[int] | None, name: str) -> Q:
    return Q() if plans is None else Q(**{f"{name}__in": plans})
