"""Measures the effect of a ticket: its metric in the weeks before it began and in those after it was done.

The twelve whole weeks before are compared with those after, for the ticket's unit and all units below it (or the whole
organisation).  The weeks in between belong to neither.  An effect is first measured after four weeks, then weekly, and
last after twelve: data that arrives later changes the metric's pages, but not the ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import F, Q

from insights.benchmarks.before_after import MOST_WEEKS, ChangeAfter, WindowPair, read_change, weeks_around
from insights.catalogue.registry import get, metrics
from insights.formulas.change_of_weeks import FEWEST_WEEKS
from insights.privacy.withhold import is_withheld
from insights.query import windows
from insights.query.enums import Better
from insights.query.errors import QueryError, UnknownMetricError
from insights.query.query import Granularity, Query, Scope, Window
from insights.ui import wording
from orgtree.access.access import Access
from programs.models import Ticket, TicketEffect, TicketState

TICKETS_AT_ONCE = 50


def weeks_after(completed_on: date, today: date) -> int:
    """The number of complete weeks after the week of completion, at most as many as are compared."""
    passed = (today - windows.whole_bucket(completed_on, Granularity.WEEK).end).days // 7
    return max(0, min(MOST_WEEKS, passed))


def first_measured_on(completed_on: date) -> date:
    return windows.whole_bucket(completed_on, Granularity.WEEK).end + timedelta(weeks=FEWEST_WEEKS)


def last_measured_on(completed_on: date) -> date:
    return windows.whole_bucket(completed_on, Granularity.WEEK).end + timedelta(weeks=MOST_WEEKS)


def windows_of(ticket: Ticket, weeks: int) -> WindowPair | None:
    """The windows before and after completion, with `weeks` after it; None for an open ticket."""
    return weeks_around(ticket.starts_on, ticket.completed_on, weeks) if ticket.completed_on else None


def effect_query(ticket: Ticket, window: Window) -> Query:
    return Query(ticket.metric, window, scope=_scope(ticket))


def visible_effect(ticket: Ticket, access: Access) -> TicketEffect | None:
    """The measured effect of the ticket's current version; None without one, or if hidden from the viewer.

    More people can see a ticket than its figures.
    """
    effect: TicketEffect | None = getattr(ticket, "effect", None)
    if effect is None or effect.of_version != ticket.version:
        return None
    weeks = windows_of(ticket, effect.weeks_after)
    if weeks is None or not effect.weeks_after:
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
    """The direction of an effect, which is known if its interval excludes 0."""

    BETTER = "better", "Better"
    WORSE = "worse", "Worse"
    UNCLEAR = "unclear", "Not clear yet"


def state_of(better: str, low: float | None, high: float | None) -> EffectState:
    """The state for an interval; `better` is the metric's direction, without which nothing is better or worse."""
    if low is None or high is None or low <= 0 <= high or better not in (Better.HIGHER, Better.LOWER):
        return EffectState.UNCLEAR
    return EffectState.BETTER if (low > 0) == (better == Better.HIGHER) else EffectState.WORSE


def why_no_effect(ticket: Ticket, today: date) -> str:
    """The reason why `visible_effect` is None."""
    if not ticket.metric:
        return "No metric is linked, so its effect is not measured."
    if ticket.completed_on is None:
        return "Measured four weeks after completion."
    first = first_measured_on(ticket.completed_on)
    if first > today:
        return f"Too early to tell: the first {FEWEST_WEEKS} whole weeks after it end on {wording.day(first)}."
    return "Not measured: too little data, or no access to the figures."


def measure_effects(*, today: date | None = None) -> int:
    """Measures every done ticket that has changed or has more complete weeks than were compared; returns their
    number.
    """
    measured, day = 0, today or windows.local_today()
    while waiting := _waiting(day):
        for ticket in waiting:
            _measure(ticket, day)
        measured += len(waiting)
    return measured


def _waiting(today: date) -> Sequence[Ticket]:
    known = [metric.key for metric in metrics()]
    monday = windows.whole_bucket(today, Granularity.WEEK).start
    # Completed in or before the week that many whole weeks ago.
    ended = {
        weeks: Q(completed_on__lt=monday - timedelta(weeks=weeks)) for weeks in range(FEWEST_WEEKS, MOST_WEEKS + 1)
    }
    more_weeks = reduce(or_, (is_over & Q(effect__weeks_after__lt=weeks) for weeks, is_over in ended.items()))
    stale = Q(effect=None) | ~Q(effect__of_version=F("version")) | more_weeks
    done = Ticket.objects.filter(ended[FEWEST_WEEKS], stale, state=TicketState.DONE, metric__in=known)
    return list(done.select_related("unit").order_by("pk")[:TICKETS_AT_ONCE])


def _measure(ticket: Ticket, today: date) -> None:
    weeks = weeks_after(ticket.completed_on, today) if ticket.completed_on else 0
    change = _change(ticket, weeks)
    before, after = (change.before, change.after) if change else (None, None)
    interval = change.interval if change else None
    TicketEffect.objects.update_or_create(
        ticket=ticket,
        defaults={
            "of_version": ticket.version,
            "metric_version": get(ticket.metric).version,
            "weeks_after": weeks,
            "before": before.value if before else None,
            "after": after.value if after else None,
            "sample_before": before.sample_size if before else 0,
            "sample_after": after.sample_size if after else 0,
            "people_before": before.people if before else 0,
            "people_after": after.people if after else 0,
            "change_low": interval.low if interval else None,
            "change_high": interval.high if interval else None,
        },
    )


def _change(ticket: Ticket, weeks: int) -> ChangeAfter | None:
    """The metric's change after completion; None if the metric can no longer be read for this unit."""
    pair = windows_of(ticket, weeks)
    try:
        return read_change(ticket.metric, _scope(ticket), pair) if pair else None
    except (QueryError, UnknownMetricError):
        return None


def _scope(ticket: Ticket) -> Scope:
    return Scope(ticket.unit.slug if ticket.unit else None)
