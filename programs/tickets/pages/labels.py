"""Labels of tickets in lists, and of the changes in their history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.columns import Column
from core.edit_conflicts import Difference
from insights.benchmarks.baselines import grows_with_time
from insights.benchmarks.before_after import MOST_WEEKS
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find, get
from insights.query.enums import UnitOfMeasure
from insights.ui import tiles, wording
from orgtree.access.access import Access
from orgtree.access.who_sees import AccountNames
from programs.history.events import PULL_REQUESTS, WATCHERS, Change, Changed, Value
from programs.history.labels import HistoryLine, cells_of, history_lines, value_words
from programs.models import Ticket, TicketEffect, TicketState
from programs.tickets.queries import TABLE
from programs.tickets.services.effects import EffectState, last_measured_on, state_of, visible_effect
from programs.tickets.services.history import FIELDS
from programs.tickets.services.writing import may_change

TONES = {TicketState.DONE: "good", TicketState.IN_PROGRESS: "acc"}
SHORT_RESOLUTION = 140
LINK_FIELDS = {PULL_REQUESTS: "Pull request", WATCHERS: "Watching"}


@dataclass(frozen=True)
class EffectText:
    """The metric before and after, and a judgement of the change; `surely` gives its basis."""

    metric: str
    before: str
    after: str
    change: tiles.Change | None
    state: EffectState
    interval: str
    surely: str


@dataclass(frozen=True)
class TicketLine:
    """A ticket as lists show it."""

    ticket: Ticket
    resolution: str
    late: str  # "5 days late"
    is_due_today: bool
    effect: EffectText | None
    may_change: bool
    cells: Sequence[tuple[Column, str]]  # of the table


def ticket_lines(tickets: Iterable[Ticket], access: Access, today: date) -> list[TicketLine]:
    """The lines of tickets read with unit, owner and effect; runs no query."""
    return [_line(ticket, access, today) for ticket in tickets]


def _line(ticket: Ticket, access: Access, today: date) -> TicketLine:
    late = ticket.days_late(today)
    words = " ".join(ticket.resolution.split())
    return TicketLine(
        ticket,
        resolution=words if len(words) <= SHORT_RESOLUTION else f"{words[:SHORT_RESOLUTION].rstrip()}…",
        late=f"{wording.count(late, 'day')} late" if late else "",
        is_due_today=ticket.is_standing and ticket.due_on == today,
        effect=effect_words(ticket, access),
        may_change=may_change(access.visibility, ticket),
        cells=cells_of(ticket, TABLE),
    )


def effect_words(ticket: Ticket, access: Access) -> EffectText | None:
    """The ticket's effect in words; None without a measurement, or if the viewer may not see the figures."""
    effect = visible_effect(ticket, access)
    if effect is None:
        return None
    metric = get(ticket.metric)
    if effect.before is None or effect.after is None:
        return None
    # Durations of one effect have one unit.
    ends = [end for end in (effect.change_low, effect.change_high) if end is not None]
    before, after, *durations = map(str, wording.alike([effect.before, effect.after, *map(abs, ends)], metric.unit))
    is_duration = metric.unit == UnitOfMeasure.SECONDS
    sizes = durations if is_duration else [wording.difference(end, metric.unit) for end in ends]
    a_week = " a week" if grows_with_time(metric) else ""
    return EffectText(
        metric.marked_name,
        before,
        f"{after}{a_week}",
        tiles.change_between(metric, effect.after, effect.before, "before"),
        state_of(metric.better, effect.change_low, effect.change_high),
        " to ".join(f"{'−' if end < 0 else '+'}{size}" for end, size in zip(ends, sizes, strict=True)),
        _sureness(ticket, metric, effect),
    )


def _sureness(ticket: Ticket, metric: Metric, effect: TicketEffect) -> str:
    """A sentence on the weeks behind the interval, or why there is none, and until when it is remeasured."""
    weeks = f"{MOST_WEEKS} weeks before and {wording.count(effect.weeks_after, 'week')} after"
    again = ""
    if effect.weeks_after < MOST_WEEKS and ticket.completed_on:
        again = f" Measured again each week until {wording.day(last_measured_on(ticket.completed_on))}."
    if effect.change_low is not None:
        return f"from all facts in {weeks}.{again}"
    if metric.is_stock:
        return "A value on one day has no interval."
    return f"Too few weeks or facts in {weeks} for an interval.{again}"


def ticket_history(
    changes: Sequence[Change], names: AccountNames, pull_requests: Mapping[int, str]
) -> list[HistoryLine]:
    """The changes as lines in order; names of accounts and visible pull requests are given."""
    return history_lines(
        changes,
        names,
        lambda step: ["Created"] if step.is_first else [],
        lambda change: _difference(change, names, pull_requests),
    )


def _difference(change: Changed, names: AccountNames, pull_requests: Mapping[int, str]) -> Difference:
    column = FIELDS.get(change.field)

    def words(value: Value) -> str:
        if change.field == WATCHERS and isinstance(value, int):
            return names[value]
        if change.field == PULL_REQUESTS and isinstance(value, int):
            return pull_requests[value]
        if change.field == "metric" and isinstance(value, str) and value:
            metric = find(value)
            return metric.name if metric else value
        return value_words(change.field, value, column.choices if column and column.choices else {})

    label = column.label if column else LINK_FIELDS[change.field]
    return Difference(label, words(change.before), words(change.after))
