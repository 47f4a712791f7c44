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
    """Wrap a change of these plans (None: all) or their assignments: everybody with a seat before or after it is
    appended to the outbox, in one transaction.  With `plans`, a new plan needs `announce_plan`.
    """
    with transaction.atomic():
        before = _concerned(plans)
        yield
        _append(before | _concerned(plans))


def announce_plan(plan: int) -> None:
    """Append the changes of a new plan, in the transaction that creates it."""
    _append(_concerned([plan]))


def announce_today() -> None:
    """Append the costs of the new day."""
    today = timezone.localdate()
    with transaction.atomic():
        held = SeatAssignment.objects.filter(during__contains=today, plan__during__contains=today)
        people = set(held.values_list("identity__person_id", flat=True))
        yesterday = today - timedelta(days=1)
        append_changes(
            Change(FactFamily.SEATS, person, yesterday, today + timedelta(days=1)) for person in {*people, None}
        )


def _concerned(plans: Collection[int] | None) -> set[tuple[int | None, date]]:
    """(person, first day) of seats of the plans; None for unassigned seats."""
    concerned: set[tuple[int | None, date]] = {
        (None, days.lower or EARLIEST)
        for days in SeatPlan.objects.filter(_of(plans, "pk")).values_list("during", flat=True)
    }
    held = SeatAssignment.objects.filter(_of(plans, "plan")).values_list("identity__person_id", "during")
    concerned.update((person, days.lower or EARLIEST) for person, days in held)
    return concerned


def _of(plans: Collection[int] | None, name: str) -> Q:
    return Q() if plans is None else Q(**{f"{name}__in": plans})


def _append(concerned: Collection[tuple[int | None, date]]) -> None:
    after = timezone.localdate() + timedelta(days=1)
    append_changes(
        Change(FactFamily.SEATS, person, since, max(after, since + timedelta(days=1))) for person, since in concerned
    )
