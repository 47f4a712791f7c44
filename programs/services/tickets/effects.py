"""What became of a ticket's metric: the weeks before it began beside the weeks after it was done.

The days in between belong to neither.  Both windows are equally long, and of the ticket's unit with all below it (or
the whole organisation).  Measured once, when the weeks after are over: what is told late moves the metric's own pages,
and no longer the ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Q

from insights import tiles, windows
from insights.metrics.errors import QueryError, UnknownMetricError
from insights.metrics.query import Figure, MetricQuery, Scope, Window
from insights.metrics.read import read_totals
from insights.metrics.registry import get, metrics
from programs.models import Ticket, TicketEffect, TicketState

EFFECT_DAYS = 28  # four whole weeks: as many of each weekday on both sides
TICKETS_AT_ONCE = 50


@dataclass(frozen=True)
class EffectWindows:
    before: Window
    after: Window


def windows_of(ticket: Ticket) -> EffectWindows | None:
    """None where the ticket is not done."""
    if ticket.completed_on is None:
        return None
    begins = ticket.completed_on + timedelta(days=1)
    return EffectWindows(
        before=Window(ticket.starts_on - timedelta(days=EFFECT_DAYS), ticket.starts_on),
        after=Window(begins, begins + timedelta(days=EFFECT_DAYS)),
    )


def effect_query(ticket: Ticket, window: Window) -> MetricQuery:
    return MetricQuery(ticket.metric, window, scope=Scope(ticket.unit.slug if ticket.unit else None))


def measure_effects(*, today: date | None = None) -> int:
    """Measure every ticket whose weeks after are over and that was not measured as it stands; how many there were."""
    measured = 0
    while waiting := _waiting(today or windows.local_today()):
        for ticket in waiting:
            _measure(ticket)
        measured += len(waiting)
    return measured


def _waiting(today: date) -> Sequence[Ticket]:
    known = [metric.key for metric in metrics()]
    done = Ticket.objects.filter(
        state=TicketState.DONE, metric__in=known, completed_on__lt=today - timedelta(days=EFFECT_DAYS)
    )
    stale = Q(effect=None) | ~Q(effect__of_version=F("version"))
    return list(done.filter(stale).select_related("unit").order_by("pk")[:TICKETS_AT_ONCE])


def _measure(ticket: Ticket) -> None:
    weeks = windows_of(ticket)
    before, after = _figures(ticket, weeks) if weeks else (None, None)
    TicketEffect.objects.update_or_create(
        ticket=ticket,
        defaults={
            "of_version": ticket.version,
            "metric_version": get(ticket.metric).version,
            "before": before.value if before else None,
            "after": after.value if after else None,
            "sample_before": before.sample_size if before else 0,
            "sample_after": after.sample_size if after else 0,
            "people_before": before.people if before else 0,
            "people_after": after.people if after else 0,
        },
    )


def _figures(ticket: Ticket, asked: EffectWindows) -> tuple[Figure | None, Figure | None]:
    """None twice where the metric can't be asked of this unit any more."""
    try:
        answers = read_totals([effect_query(ticket, window) for window in (asked.before, asked.after)])
    except (QueryError, UnknownMetricError):
        return None, None
    before, after = (tiles.whole(answer) for answer in answers)
    return before, after
