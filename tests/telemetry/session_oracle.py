"""A second opinion on sessions: slow, in Python, from all records at once.  It shares no code with the fold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import F

from integrations.models import AgentSession, AgentSessionDay, AgentToolDay
from integrations.telemetry.agents.events import EventKind, Measure
from tests.telemetry.raw_rows import Event, Point

GAP = timedelta(minutes=30)
TOKENS = (Measure.INPUT_TOKENS, Measure.CACHE_READ_TOKENS, Measure.CACHE_WRITE_TOKENS, Measure.OUTPUT_TOKENS)
PRICED = "claude-sonnet-4-5"
DOLLARS_A_MILLION = tuple(Decimal(price) for price in ("3", "0.3", "3.75", "15"))  # up to 200,000 prompt tokens
OUTCOMES = ("succeeded", "failed", "refused")  # the later outweighs the earlier


@dataclass
class DayFigures:
    requests: int = 0
    tokens: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    lines: list[int] = field(default_factory=lambda: [0, 0])  # added, removed
    calls: list[int] = field(default_factory=lambda: [0, 0, 0])  # ran, failed, refused
    commits: int = 0
    spend: Decimal | None = None
    unpriced_tokens: int = 0
    reported_cost: Decimal | None = None
    counted: bool = False


@dataclass
class SessionFigures:
    started_at: datetime
    ended_at: datetime
    active_seconds: float
    has_work: bool
    tokens: tuple[int, int]  # by its events, by its metrics
    days: dict[tuple[str, date, str], DayFigures]  # by source, local day and model
    tools: dict[tuple[date, str], list[int]]


Expected = dict[tuple[str, str], SessionFigures]  # by session id and e-mail address


def expected_sessions(records: Sequence[Event | Point], zone: ZoneInfo) -> Expected:
    names = {(record.session, record.email) for record in records}
    return {
        name: _session(
            list({r.digest: r for r in records if isinstance(r, Event) and (r.session, r.email) == name}.values()),
            [r for r in records if isinstance(r, Point) and (r.session, r.email) == name],
            zone,
        )
        for name in names
    }


def stored_sessions() -> Expected:
    return {
        (session.external_id, session.address): SessionFigures(
            session.started_at,
            session.ended_at,
            session.active_seconds,
            session.has_work,
            (session.event_tokens, session.metric_tokens),
            {
                (row.source, row.day, row.model): DayFigures(
                    row.requests,
                    [row.input_tokens, row.cache_read_tokens, row.cache_write_tokens, row.output_tokens],
                    [row.lines_added, row.lines_removed],
                    [row.tool_calls, row.tool_failures, row.tool_refusals],
                    row.commits,
                    row.spend,
                    row.unpriced_tokens,
                    row.reported_cost,
                    row.counted,
                )
                for row in AgentSessionDay.objects.filter(session=session)
            },
            {
                (row.day, row.tool): [row.calls, row.failures, row.refusals]
                for row in AgentToolDay.objects.filter(session=session)
            },
        )
        for session in AgentSession.objects.annotate(address=F("identity__value"))
    }


def _session(events: list[Event], points: list[Point], zone: ZoneInfo) -> SessionFigures:
    increases = [entry for series in _series(points) for entry in _increases(series)]
    days: dict[tuple[str, date, str], DayFigures] = defaultdict(DayFigures)
    tools: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for request in _merged(event for event in events if event.kind == EventKind.REQUEST):
        figures = days["events", _day(min(e.at for e in request), zone), max(e.model for e in request)]
        figures.requests += 1
        used = [max(e.tokens[kind] for e in request) for kind in range(4)]
        figures.tokens = [sum(pair) for pair in zip(figures.tokens, used, strict=True)]
        if max(e.model for e in request) == PRICED:
            figures.spend = (figures.spend or Decimal(0)) + _price(used)
        else:
            figures.unpriced_tokens += sum(used)
        costs = [Decimal(str(e.reported_cost)) for e in request if e.reported_cost is not None]
        if costs:
            figures.reported_cost = (figures.reported_cost or Decimal(0)) + max(costs)
    for call in _merged(event for event in events if event.kind == EventKind.TOOL_CALL and event.outcome):
        day = _day(min(e.at for e in call), zone)
        outcome = max((e.outcome for e in call), key=OUTCOMES.index)
        counted = [int(outcome != "refused"), int(outcome == "failed"), int(outcome == "refused")]
        for counts in (days["events", day, ""].calls, tools[day, max(e.tool for e in call)]):
            counts[:] = [count + one for count, one in zip(counts, counted, strict=True)]
    for point, amount in increases:
        if amount <= 0:
            continue
        figures = days["metrics", _day(point.at, zone), point.model]
        if point.measure in TOKENS:
            figures.tokens[TOKENS.index(point.measure)] += round(amount)
            figures.spend = _price(figures.tokens)
        elif point.measure == Measure.REPORTED_COST:
            figures.reported_cost = (figures.reported_cost or Decimal(0)) + Decimal(str(amount))
        elif point.measure in (Measure.LINES_ADDED, Measure.LINES_REMOVED):
            figures.lines[int(point.measure == Measure.LINES_REMOVED)] += round(amount)
        elif point.measure == Measure.COMMITS:
            figures.commits += round(amount)
    tokens = _choose_source(days)
    moments = [(event.at, event.at) for event in events] or [
        (_since(point), point.at) for point, amount in increases if amount > 0
    ]
    started_at, ended_at, active_seconds = _active_periods(moments)
    measured = {point.measure for point, amount in increases if amount > 0}
    return SessionFigures(
        started_at,
        ended_at,
        active_seconds,
        any(event.kind != EventKind.SESSION for event in events)
        or bool(measured & {*TOKENS, Measure.LINES_ADDED, Measure.LINES_REMOVED, Measure.COMMITS}),
        tokens,
        dict(days),
        dict(tools),
    )


def _choose_source(days: dict[tuple[str, date, str], DayFigures]) -> tuple[int, int]:
    """Mark the days of the source that told of more tokens; how many each told of."""
    events, metrics = (
        sum(sum(figures.tokens) for (of, *_), figures in days.items() if of == source)
        for source in ("events", "metrics")
    )
    for (source, *_), figures in days.items():
        figures.counted = source == ("events" if events >= metrics else "metrics")
    return events, metrics


def _price(tokens: Sequence[int]) -> Decimal:
    return sum((Decimal(n) * p for n, p in zip(tokens, DOLLARS_A_MILLION, strict=True)), Decimal(0)) / 1_000_000


def _merged(events: Iterable[Event]) -> list[list[Event]]:
    by_key: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_key[event.key or str(event.digest)].append(event)
    return list(by_key.values())


def _series(points: Sequence[Point]) -> list[list[Point]]:
    by_series: dict[object, dict[datetime, Point]] = defaultdict(dict)
    for point in points:
        by_series[point.measure, point.model, point.series, point.start][point.at] = point
    return [[readings[moment] for moment in sorted(readings)] for readings in by_series.values()]


def _increases(series: Sequence[Point]) -> list[tuple[Point, float]]:
    increases, previous = [], 0.0
    for point in series:
        began_again = point.value < previous
        amount = point.value - previous if point.cumulative and not began_again else point.value
        previous = point.value
        increases.append((point, amount))
    return increases


def _since(point: Point) -> datetime:
    if point.cumulative or point.start is None or point.at - point.start > GAP:
        return point.at
    return point.start


def _active_periods(moments: Sequence[tuple[datetime, datetime]]) -> tuple[datetime, datetime, float]:
    """Start, end, and the seconds of all active periods: one ends where nothing happens for over 30 minutes."""
    ordered = sorted(moments)
    periods = [list(ordered[0])]
    for start, end in ordered[1:]:
        if start - periods[-1][1] > GAP:
            periods.append([start, end])
        else:
            periods[-1][1] = max(periods[-1][1], end)
    active = sum((end - start).total_seconds() for start, end in periods)
    return periods[0][0], periods[-1][1], active


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
