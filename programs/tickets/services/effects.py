"""Measures the effect of a ticket: its metric before it started and after it was done.

The days in between belong to neither window.  Both windows are equally long and cover the ticket's unit with all below
it (or the whole organisation).  An effect is measured once, after the second window: late data changes the metric's
pages, but not the ticket.

Normal variation is that of the year before the ticket (insights/benchmarks/changes.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q

from insights.benchmarks.changes import WINDOW_DAYS, MeasuredChange, WindowPair, measured_changes, window_from
from insights.catalogue.registry import get, metrics
from insights.engine.read import read_totals
from insights.privacy.withhold import is_withheld
from insights.query import windows
from insights.query.enums import Better
from insights.query.errors import QueryError, UnknownMetricError
from insights.query.query import Query, Scope, Window
from insights.ui import wording
from orgtree.access.access import Access
from programs.models import Ticket, TicketEffect, TicketState

TICKETS_AT_ONCE = 50


def windows_of(ticket: Ticket) -> WindowPair | None:
    """None where the ticket is not done."""
    if ticket.completed_on is None:
        return None
    return WindowPair(
        before=window_from(ticket.starts_on - timedelta(days=WINDOW_DAYS)),
        after=window_from(ticket.completed_on + timedelta(days=1)),
    )


def effect_query(ticket: Ticket, window: Window) -> Query:
    return Query(ticket.metric, window, scope=_scope(ticket))


def visible_effect(ticket: Ticket, access: Access) -> TicketEffect | None:
    """The measured effect of the ticket's current version; None without one, or if hidden from the viewer.

    A ticket can be seen by more people than its figures.
    """
    effect: TicketEffect | None = getattr(ticket, "effect", None)
    weeks = windows_of(ticket)
    if effect is None or effect.of_version != ticket.version or weeks is None:
        return None
    if not (access.visibility.whole if ticket.unit_id is None else access.visibility.can_see(ticket.unit_id)):
        return None
    people = ((effect.people_before, weeks.before), (effect.people_after, weeks.after))
    try:
        hidden = any(is_withheld(effect_query(ticket, window), count, access) for count, window in people)
    except UnknownMetricError:
        return None
    return None if hidden else effect


class EffectState(models.TextChoices):
    """What is known of a change: an interval that leaves out 0 says which way it went."""

    BETTER = "better", "Better"
    WORSE = "worse", "Worse"
    UNCLEAR = "unclear", "Not clear yet"


def state_of(better: str, low: float | None, high: float | None) -> EffectState:
    """`better` is the metric's direction; of one without a direction nothing is better or worse."""
    if low is None or high is None or low <= 0 <= high or better not in (Better.HIGHER, Better.LOWER):
        return EffectState.UNCLEAR
    return EffectState.BETTER if (low > 0) == (better == Better.HIGHER) else EffectState.WORSE


def why_no_effect(ticket: Ticket, today: date) -> str:
    """The reason why `visible_effect` is None."""
    weeks = windows_of(ticket)
    if not ticket.metric:
        return "No metric is linked, so its effect is not measured."
    if weeks is None:
        return "Measured four weeks after completion."
    if weeks.after.end > today:
        return f"Too early to tell: the {WINDOW_DAYS} days after it end on {wording.day(weeks.after.end)}."
    return "Not measured: too little data, or no access to the figures."


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
        state=TicketState.DONE, metric__in=known, completed_on__lt=today - timedelta(days=WINDOW_DAYS)
    )
    stale = Q(effect=None) | ~Q(effect__of_version=F("version"))
    return list(done.filter(stale).select_related("unit").order_by("pk")[:TICKETS_AT_ONCE])


def _measure(ticket: Ticket) -> None:
    weeks = windows_of(ticket)
    measured = _measured_change(ticket, weeks) if weeks else None
    before, after = (measured.before, measured.after) if measured else (None, None)
    interval = measured.interval if measured else None
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
            "change_low": interval.low if interval else None,
            "change_high": interval.high if interval else None,
            "placebos": len(measured.usual) if measured else 0,
        },
    )


def _measured_change(ticket: Ticket, weeks: WindowPair) -> MeasuredChange | None:
    """None where the metric can't be asked of this unit any more."""
    try:
        [measured] = measured_changes([ticket.metric], weeks, _scope(ticket), read_totals)
    except (QueryError, UnknownMetricError):
        return None
    return measured


def _scope(ticket: Ticket) -> Scope:
    return Scope(ticket.unit.slug if ticket.unit else None)
