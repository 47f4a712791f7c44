"""A second opinion on sessions: slow, in Python, from all records at once.  It shares no code with the fold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
    both: int = 0


Days = dict[tuple[str, date, str, bool], DayFigures]  # by source, local day, model and whether it counts


@dataclass
class SessionFigures:
    started_at: datetime
    ended_at: datetime
    active_seconds: float
    has_work: bool
    tokens: tuple[int, int]  # by its events, by its metrics
    days: Days
    tools: dict[tuple[date, str], list[int]]


Expected = dict[tuple[str, str], SessionFigures]  # by session id and e-mail address


def expected_sessions(records: Sequence[Event | Point], zone: ZoneInfo) -> Expected:
    names = {(record.session, record.email) for record in records}
    drafts = {name: _draft(name, records) for name in names}
    for email in {email for _, email in names}:
        _choose([draft for (_, of_email), draft in drafts.items() if of_email == email])
    return {name: _session(draft, zone) for name, draft in drafts.items()}


def stored_sessions() -> Expected:
    return {
        (session.external_id, session.address): SessionFigures(
            session.started_at,
            session.ended_at,
            session.active_seconds,
            session.has_work,
            (session.event_tokens, session.metric_tokens),
            {
                (row.source, row.day, row.model, row.counted): DayFigures(
                    row.requests,
                    [row.input_tokens, row.cache_read_tokens, row.cache_write_tokens, row.output_tokens],
                    [row.lines_added, row.lines_removed],
                    [row.tool_calls, row.tool_failures, row.tool_refusals],
                    row.commits,
                    row.spend,
                    row.unpriced_tokens,
                    row.reported_cost,
                    row.both_tokens,
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


@dataclass
class Request:
    at: datetime
    model: str
    tokens: list[int]
    costs: list[Decimal]
    counted: bool = True


@dataclass
class Quarter:
    """The points of a session in a quarter of an hour."""

    increases: list[tuple[Point, float]] = field(default_factory=list)
    covered: list[datetime] = field(default_factory=list)  # since when its points count
    requests: list[Request] = field(default_factory=list)
    counted: bool = False
    both: int = 0

    @property
    def tokens(self) -> int:
        return sum(round(amount) for point, amount in self.increases if point.measure in TOKENS)

    def covers(self, moment: datetime) -> bool:
        first = min(self.covered) - timedelta(minutes=1)
        return first <= moment <= max(point.at for point, _ in self.increases)


@dataclass
class Draft:
    events: list[Event]
    requests: list[Request]
    quarters: dict[datetime, Quarter]

    @property
    def began(self) -> datetime | None:
        return min((event.at for event in self.events), default=None)


def _draft(name: tuple[str, str], records: Sequence[Event | Point]) -> Draft:
    of_session = [record for record in records if (record.session, record.email) == name]
    events = list({r.digest: r for r in of_session if isinstance(r, Event)}.values())
    requests = [
        Request(
            min(e.at for e in request),
            max(e.model for e in request),
            _merged_tokens(request),
            [Decimal(str(e.reported_cost)) for e in request if e.reported_cost is not None],
        )
        for request in _merged(event for event in events if event.kind == EventKind.REQUEST)
    ]
    quarters: dict[datetime, Quarter] = defaultdict(Quarter)
    for series in _series([r for r in of_session if isinstance(r, Point)]):
        previous: datetime | None = None
        for point, amount in _increases(series):
            if amount > 0:
                quarters[_quarter(point.at)].increases.append((point, amount))
                quarters[_quarter(point.at)].covered.append(_counts_since(point, previous))
            previous = point.at
    return Draft(events, requests, dict(quarters))


def _merged_tokens(request: Sequence[Event]) -> list[int]:
    """The greatest prompt, cached tokens and output; uncached is what is left of the prompt."""
    prompt = max(sum(event.tokens[:3]) for event in request)
    read, write, output = (max(event.tokens[kind] for event in request) for kind in (1, 2, 3))
    return [max(prompt - read - write, 0), read, write, output]


def _choose(sessions: Sequence[Draft]) -> None:
    """Choose events or metrics for each quarter of an hour of one person's sessions."""
    for session in sessions:
        for request in session.requests:
            if (quarter := _quarter_of(request, session, sessions)) is not None:
                quarter.requests.append(request)
    for row in _in_a_row(sessions):
        by_events = sum(sum(request.tokens) for quarter in row for request in quarter.requests)
        is_by_metrics, left = sum(quarter.tokens for quarter in row) > by_events, by_events
        for quarter in row:
            quarter.counted, quarter.both = is_by_metrics and quarter.tokens > 0, min(quarter.tokens, left)
            left -= quarter.both
            for request in quarter.requests:
                request.counted = not is_by_metrics


def _in_a_row(sessions: Sequence[Draft]) -> Iterator[list[Quarter]]:
    """The slots of a quarter of an hour that are compared as one: each session began after the one before it ended."""
    for start in {start for session in sessions for start in session.quarters}:
        with_slots = [session for session in sessions if start in session.quarters and session.quarters[start].tokens]
        with_slots.sort(key=lambda session: (session.began is None, session.began or start))
        row: list[Quarter] = []
        before: Draft | None = None
        for session in with_slots:
            if before is None or session.began is None or _worked(before, session, before.quarters[start]):
                if row:
                    yield row
                row = []
            row.append(session.quarters[start])
            before = session
        if row:
            yield row


def _quarter_of(request: Request, session: Draft, sessions: Sequence[Draft]) -> Quarter | None:
    """The meter slot that tells of a request: its own session's, else the one of a session before."""
    before = [other for other in sessions if other is not session and _is_before(other, session)]
    for owners in ([session], before):
        slots = [
            (not quarter.covers(request.at), -(owner.began or request.at).timestamp(), start, quarter)
            for owner in owners
            for start, quarter in owner.quarters.items()
            if quarter.tokens and (quarter.covers(request.at) or start == _quarter(request.at))
            if owner is session or not _worked(owner, session, quarter)
        ]
        if slots:
            return min(slots, key=lambda slot: slot[:3])[3]
    return None


def _is_before(other: Draft, session: Draft) -> bool:
    return other.began is not None and session.began is not None and other.began < session.began


def _worked(owner: Draft, session: Draft, quarter: Quarter) -> bool:
    """Whether the session before made a request after the session began, until the quarter's last reading."""
    last = max(point.at for point, _ in quarter.increases)
    return any(session.began is not None and session.began <= request.at <= last for request in owner.requests)


def _session(draft: Draft, zone: ZoneInfo) -> SessionFigures:
    events = draft.events
    increases = [entry for quarter in draft.quarters.values() for entry in quarter.increases]
    days: Days = defaultdict(DayFigures)
    tools: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for request in draft.requests:
        figures = days["events", _day(request.at, zone), request.model, request.counted]
        figures.requests += 1
        figures.tokens = [sum(pair) for pair in zip(figures.tokens, request.tokens, strict=True)]
        if request.model == PRICED:
            figures.spend = (figures.spend or Decimal(0)) + _price(request.tokens)
        else:
            figures.unpriced_tokens += sum(request.tokens)
        if request.costs:
            figures.reported_cost = (figures.reported_cost or Decimal(0)) + max(request.costs)
    for call in _merged(event for event in events if event.kind == EventKind.TOOL_CALL and event.outcome):
        day = _day(min(e.at for e in call), zone)
        outcome = max((e.outcome for e in call), key=OUTCOMES.index)
        counted = [int(outcome != "refused"), int(outcome == "failed"), int(outcome == "refused")]
        for counts in (days["events", day, "", True].calls, tools[day, max(e.tool for e in call)]):
            counts[:] = [count + one for count, one in zip(counts, counted, strict=True)]
    for start, quarter in draft.quarters.items():
        for point, amount in quarter.increases:
            figures = days["metrics", _day(start, zone), point.model, quarter.counted]
            if point.measure in TOKENS:
                figures.tokens[TOKENS.index(point.measure)] += round(amount)
                figures.spend = _price(figures.tokens)
            elif point.measure == Measure.REPORTED_COST:
                figures.reported_cost = (figures.reported_cost or Decimal(0)) + Decimal(str(amount))
            elif point.measure in (Measure.LINES_ADDED, Measure.LINES_REMOVED):
                figures.lines[int(point.measure == Measure.LINES_REMOVED)] += round(amount)
            elif point.measure == Measure.COMMITS:
                figures.commits += round(amount)
        days["metrics", _day(start, zone), quarter.increases[0][0].model, quarter.counted].both += quarter.both
    by_source = (
        sum(sum(figures.tokens) for (of, *_), figures in days.items() if of == source)
        for source in ("events", "metrics")
    )
    moments = [(event.at, event.at) for event in events] + [
        (min(_since(point) for point, _ in quarter.increases), max(point.at for point, _ in quarter.increases))
        for quarter in draft.quarters.values()
        if quarter.counted or not events
    ]
    started_at, ended_at, active_seconds = _active_periods(moments)
    measured = {point.measure for point, _ in increases}
    return SessionFigures(
        started_at,
        ended_at,
        active_seconds,
        any(event.kind != EventKind.SESSION for event in events)
        or bool(measured & {*TOKENS, Measure.LINES_ADDED, Measure.LINES_REMOVED, Measure.COMMITS}),
        (next(by_source), next(by_source)),
        dict(days),
        dict(tools),
    )


def _quarter(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


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


def _counts_since(point: Point, previous: datetime | None) -> datetime:
    since = previous if point.cumulative and previous is not None else point.start or point.at
    return min(point.at, max(since, point.at - timedelta(days=1)))


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
