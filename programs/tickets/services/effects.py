"""Measures the effect of a ticket: its metric before it started and after it was done.

The days in between belong to neither window.  Both windows are equally long and cover the ticket's unit with all below
it (or the whole organisation).  An effect is measured once, after the second window: late data changes the metric's
pages, but not the ticket.

Normal variation is estimated from the year before the ticket: how far the value moved between windows the same
distance apart, week by week (insights/formulas/normal_variation.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Q

from insights.catalogue.registry import get, metrics
from insights.engine.read import read_totals
from insights.formulas.differences import ConfidenceInterval
from insights.formulas.normal_variation import interval_of_change
from insights.privacy.withhold import is_withheld
from insights.query import windows
from insights.query.errors import QueryError, UnknownMetricError
from insights.query.query import MetricValue, Query, Scope, Window
from insights.ui import tiles, wording
from orgtree.access.access import Access
from programs.models import Ticket, TicketEffect, TicketState

EFFECT_DAYS = 28  # four whole weeks: as many of each weekday on both sides
EFFECT_WEEKS = EFFECT_DAYS // 7
YEAR_WEEKS = 52
# Of a ticket that took longer, a year has too few comparisons that don't tell nearly the same.
LONGEST_WEEKS = 20
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


def effect_query(ticket: Ticket, window: Window) -> Query:
    return Query(ticket.metric, window, scope=Scope(ticket.unit.slug if ticket.unit else None))


def visible_effect(ticket: Ticket, access: Access) -> TicketEffect | None:
    """What was measured of the ticket as it stands; None where nothing was, or its figures are not the viewer's to see.

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


def why_no_effect(ticket: Ticket, today: date) -> str:
    """In words, where `visible_effect` is None."""
    weeks = windows_of(ticket)
    if not ticket.metric:
        return "No metric is linked, so its effect is not measured."
    if weeks is None:
        return "Measured four weeks after completion."
    if weeks.after.end > today:
        return f"Too early to tell: the {EFFECT_DAYS} days after it end on {wording.day(weeks.after.end)}."
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
        state=TicketState.DONE, metric__in=known, completed_on__lt=today - timedelta(days=EFFECT_DAYS)
    )
    stale = Q(effect=None) | ~Q(effect__of_version=F("version"))
    return list(done.filter(stale).select_related("unit").order_by("pk")[:TICKETS_AT_ONCE])


def _measure(ticket: Ticket) -> None:
    weeks = windows_of(ticket)
    figures = _figures(ticket, weeks) if weeks else None
    before, after, usual = figures or (None, None, [])
    interval = _interval(before, after, usual)
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
            "placebos": len(usual),
        },
    )


def _interval(
    before: MetricValue | None, after: MetricValue | None, usual: Sequence[float]
) -> ConfidenceInterval | None:
    if before is None or after is None or before.value is None or after.value is None:
        return None
    return interval_of_change(after.value - before.value, usual, overlapping=EFFECT_WEEKS)


def _figures(
    ticket: Ticket, effect_windows: EffectWindows
) -> tuple[MetricValue | None, MetricValue | None, list[float]] | None:
    """Before, after, and the changes of the year before; None where the metric can't be asked of this unit any more."""
    pairs = placebos(effect_windows)
    spans = list(
        dict.fromkeys(
            [
                effect_windows.before,
                effect_windows.after,
                *(window for pair in pairs for window in (pair.before, pair.after)),
            ]
        )
    )
    try:
        answers = read_totals([effect_query(ticket, window) for window in spans])
    except (QueryError, UnknownMetricError):
        return None
    totals = {window: tiles.whole(answer) for window, answer in zip(spans, answers, strict=True)}
    first_day = min((window.start for window in spans if totals[window].sample_size), default=date.max)
    values = {window: figure.value if window.start >= first_day else None for window, figure in totals.items()}
    usual = [
        after - before
        for pair in pairs
        if (before := values[pair.before]) is not None and (after := values[pair.after]) is not None
    ]
    return totals[effect_windows.before], totals[effect_windows.after], usual


def placebos(effect_windows: EffectWindows) -> list[EffectWindows]:
    """The same comparison in the year before the ticket began, each a week earlier; none of a ticket that took long."""
    weeks = round((effect_windows.after.start - effect_windows.before.start).days / 7)
    if weeks > LONGEST_WEEKS:
        return []
    starts = [effect_windows.before.start - timedelta(weeks=back) for back in range(weeks, YEAR_WEEKS + 1)]
    return [EffectWindows(_weeks_from(start), _weeks_from(start + timedelta(weeks=weeks))) for start in starts]


def _weeks_from(start: date) -> Window:
    return Window(start, start + timedelta(days=EFFECT_DAYS))
