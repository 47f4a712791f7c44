"""The second opinion: every metric of agents counted slowly, in Python, from the facts of a World."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import mean, quantiles

from insights.query.query import Statistic, Window
from tests.engine.code_facts import CommitFacts, FileFacts, Share
from tests.engine.facts import DayFacts, SessionFacts, World

PENDING = timedelta(hours=72)
# Fed by repositories alone, which are connected all the time.
OF_REPOSITORIES = (
    *("ai.lines_committed", "ai.committed_code_share", "ai.committed_code_share_of_enrolled"),
    "ai.enabled_repositories",
)


@dataclass(frozen=True)
class Selection:
    """A window, and whose and which facts of it; days are those on which the facts count."""

    window: Window
    now: datetime
    unit: str | None = None
    agents: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unassigned: str | None = None  # a tree

    @property
    def end_of_stock(self) -> date:
        return min(self.window.end, self.now.date() + timedelta(days=1))


Expected = tuple[float | None, float | None, float | None]  # value, numerator, denominator


def expected(world: World, key: str, selection: Selection, *, periods: float = 1) -> Expected:
    """Value, numerator and denominator, with None for a value that is no data."""
    return ORACLE[key](world, selection, periods)


def telemetry_since(world: World, unit: str | None, days: Iterable[date]) -> date | None:
    """The first of the days on which any session had been received; in a unit, of anybody who was in it."""
    if unit is None:
        return min((session.day for session in world.sessions), default=None)
    enrolled = world.enrolled.items()
    return next(
        (day for day in days if any(since <= day and _is_in(world, person, day, unit) for person, since in enrolled)),
        None,
    )


def by_segment(world: World, key: str, selection: Selection, segment: str) -> Mapping[str, float]:
    """The value of a sum for each segment value in which anything entered."""
    values: dict[str, Decimal] = {}
    for session, row in days(world, selection, of_model=True):
        for name, amount in SEGMENTS[key, segment](session, row, selection):
            if amount:
                values[name] = values.get(name, Decimal(0)) + Decimal(amount)
    return {name: float(amount) for name, amount in values.items()}


def sessions(world: World, selection: Selection) -> list[SessionFacts]:
    return [
        session
        for session in world.sessions
        if selection.window.start <= session.day < selection.window.end
        and _placed(world, session.person, session.day, selection)
        and _picked(session, selection)
    ]


def days(world: World, selection: Selection, *, of_model: bool) -> Iterable[tuple[SessionFacts, DayFacts]]:
    """Rows of days in the window; a model picks rows that name it (`of_model`), else sessions that used it."""
    for session in world.sessions:
        if selection.agents and session.agent not in selection.agents:
            continue
        if selection.models and not of_model and not _picked(session, selection):
            continue
        for row in session.days:
            in_window = selection.window.start <= row.day < selection.window.end
            named = not (selection.models and of_model) or (row.model or "unknown") in selection.models
            if in_window and named and _placed(world, session.person, row.day, selection):
                yield session, row


def _picked(session: SessionFacts, selection: Selection) -> bool:
    used = {row.model for row in session.days if sum(row.tokens.values())}
    return (not selection.agents or session.agent in selection.agents) and (
        not selection.models or bool(used & {*selection.models})
    )


def _placed(world: World, person: int | None, day: date, selection: Selection) -> bool:
    if selection.unassigned is not None and any(
        _is_in(world, person, day, unit) for unit in world.units[selection.unassigned]
    ):
        return False
    in_unit = selection.unit is None or _is_in(world, person, day, selection.unit)
    return in_unit and all(_holds(world, person, day, name, values) for name, values in selection.where.items())


def _is_in(world: World, person: int | None, day: date, unit: str) -> bool:
    return any(
        who == person and where == unit and start <= day and (end is None or day < end)
        for who, where, start, end in world.placements
    )


def _holds(world: World, person: int | None, day: date, name: str, values: tuple[str, ...]) -> bool:
    """Attributes end with the employment, as places in units do."""
    if person in world.left and day >= world.left[person]:
        return False
    return any(
        who == person and attribute == name and value in values and start <= day and (end is None or day < end)
        for who, attribute, value, start, end in world.attributes
    )


def _outcome(session: SessionFacts, selection: Selection) -> str:
    if session.shipped:
        return "committed"
    if session.ended > (selection.now - PENDING).replace(minute=0):
        return "pending"
    return "wasted" if session.covered else "unknown"


def _active(world: World, selection: Selection) -> set[int]:
    return {session.person for session in sessions(world, selection) if session.person is not None}


def _enrolled(world: World, selection: Selection) -> set[int]:
    end = selection.end_of_stock
    days = [selection.window.start + timedelta(days=n) for n in range(max(1, (end - selection.window.start).days))]
    return {
        person
        for person, since in world.enrolled.items()
        if since < end
        and any(
            _placed(world, person, day, selection) and (person not in world.left or day < world.left[person])
            for day in days
        )
    }


def _rate(above: float, below: float) -> Expected:
    return (above / below * 100 if below else None, above, below)


def _sum(amount: Callable[[DayFacts], Decimal | int], *, of_model: bool = True) -> Callable[..., Expected]:
    def total(world: World, selection: Selection, _periods: float) -> Expected:
        return float(sum(amount(row) for _, row in days(world, selection, of_model=of_model))), None, None

    return total


def _spend(world: World, selection: Selection, _periods: float) -> Expected:
    rows = [row for _, row in days(world, selection, of_model=True)]
    priced = sum((row.spend for row in rows if row.spend), Decimal(0))
    unpriced = sum(row.unpriced for row in rows)
    return (None if unpriced and not priced else float(priced)), None, None


def _spend_of(outcome: str) -> Callable[..., Expected]:
    def spend(world: World, selection: Selection, _periods: float) -> Expected:
        rows = [row for s, row in days(world, selection, of_model=True) if _outcome(s, selection) == outcome]
        priced = sum((row.spend for row in rows if row.spend), Decimal(0))
        return (None if not priced and any(row.unpriced for row in rows) else float(priced)), None, None

    return spend


def _commits(world: World, selection: Selection) -> list[CommitFacts]:
    return [
        commit
        for commit in world.commits
        if not commit.exclusion_reason
        and selection.window.start <= commit.day < selection.window.end
        and _placed(world, commit.person, commit.day, selection)
    ]


def files(world: World, selection: Selection) -> Iterable[tuple[CommitFacts, FileFacts]]:
    return (
        (commit, file) for commit in _commits(world, selection) for file in commit.files if not file.exclusion_reason
    )


def ai_shares(world: World, selection: Selection) -> Iterable[tuple[CommitFacts, FileFacts, Share]]:
    for commit, file in files(world, selection):
        for share in file.shares:
            of_agent = not selection.agents or share.agent in selection.agents
            if of_agent and (not selection.models or (share.model or "unknown") in selection.models):
                yield commit, file, share


def _by_enrolled(world: World, commit: CommitFacts) -> bool:
    """On the day of the commit its author's telemetry had come, or came."""
    return commit.person is not None and commit.person in world.enrolled and world.enrolled[commit.person] <= commit.day


def _ai_lines(world: World, selection: Selection) -> int:
    return sum(share.lines for _, _, share in ai_shares(world, selection))


def _spend_per_commit(world: World, selection: Selection, _periods: float) -> Expected:
    above, below = _spend(world, selection, 1)[0], len({commit.sha for commit, _, _ in ai_shares(world, selection)})
    return (above / below if above is not None and below else None), above, below


def _ship_rate(world: World, selection: Selection, _periods: float) -> Expected:
    judged = [
        session for session in sessions(world, selection) if _outcome(session, selection) in ("committed", "wasted")
    ]
    counted = [(sum(session.shipped.values()), sum(row.lines for row in session.days)) for session in judged]
    return _rate(sum(shipped for shipped, lines in counted if lines), sum(lines for _, lines in counted))


def _ship_rate_left_out(world: World, selection: Selection, _periods: float) -> Expected:
    lines = [
        (_outcome(session, selection), sum(row.lines for row in session.days)) for session in sessions(world, selection)
    ]
    left_out = sum(amount for outcome, amount in lines if outcome in ("pending", "unknown"))
    return _rate(left_out, sum(amount for _, amount in lines))


def _enabled_repositories(world: World, selection: Selection, _periods: float) -> Expected:
    last = selection.end_of_stock - timedelta(days=1)
    active = {commit.repository for commit, _, _ in ai_shares(world, selection)}
    spans = {name: world.context_files[name] for name in active if name in world.context_files}
    return _rate(sum(start <= last and (end is None or last < end) for start, end in spans.values()), len(active))


def _spend_per_developer(world: World, selection: Selection, periods: float) -> Expected:
    above, below = _spend(world, selection, periods)[0], len(_active(world, selection))
    return (above / below if above is not None and below else None), above, below


def _sessions_per_developer(world: World, selection: Selection, periods: float) -> Expected:
    above, below = len(sessions(world, selection)), len(_active(world, selection)) * periods
    return (above / below if below else None), above, below


def _duration(of: Callable[[SessionFacts], float]) -> Callable[..., Expected]:
    def average(world: World, selection: Selection, _periods: float) -> Expected:
        amounts = [of(session) for session in sessions(world, selection)]
        return (mean(amounts) if amounts else None), (sum(amounts) if amounts else None), len(amounts)

    return average


def _quotient(
    above: Callable[[DayFacts], int], below: Callable[[DayFacts], int], *, of_model: bool
) -> Callable[..., Expected]:
    def quotient(world: World, selection: Selection, _periods: float) -> Expected:
        rows = [row for _, row in days(world, selection, of_model=of_model)]
        return _rate(sum(map(above, rows)), sum(map(below, rows)))

    return quotient


def percentile(world: World, selection: Selection, statistic: Statistic) -> float | None:
    """The percentile of active seconds, interpolated linearly between the two nearest ranks."""
    amounts = sorted(session.active_seconds for session in sessions(world, selection))
    if len(amounts) < 2:
        return amounts[0] if amounts else None
    rank = {Statistic.MEDIAN: 50, Statistic.P75: 75, Statistic.P85: 85, Statistic.P90: 90, Statistic.P95: 95}[statistic]
    return quantiles(amounts, n=100, method="inclusive")[rank - 1]


def shares(world: World, selection: Selection) -> Mapping[str, float]:
    """Each active developer counts 1, divided over agents; per cent of the active developers."""
    values: dict[str, float] = {}
    active = _active(world, selection)
    for person in active:
        own = [session.agent for session in sessions(world, selection) if session.person == person]
        for agent in own:
            values[agent] = values.get(agent, 0) + 100 / len(own) / len(active)
    return values


def _calls(index: int) -> Callable[[DayFacts], int]:
    return lambda row: sum(counts[index] for counts in row.calls.values())


def _prompt(row: DayFacts) -> int:
    return sum(amount for kind, amount in row.tokens.items() if kind != "output_tokens")


def _active_of_enrolled(world: World, selection: Selection, _periods: float) -> Expected:
    return _rate(len(_active(world, selection)), len(_enrolled(world, selection)))


ORACLE: Mapping[str, Callable[..., Expected]] = {
    "ai.adoption_rate": _active_of_enrolled,
    "ai.active_share": _active_of_enrolled,
    "ai.active_developers": lambda w, a, _: (
        float(len(_active(w, a))),
        len(_active(w, a)),
        len(_enrolled(w, a)),
    ),
    "ai.sessions": lambda w, a, _: (float(len(sessions(w, a))), None, None),
    "ai.sessions_per_developer": _sessions_per_developer,
    "ai.session_duration": _duration(lambda session: session.active_seconds),
    "ai.session_span": _duration(lambda session: (session.ended - session.started).total_seconds()),
    "ai.tokens": _sum(lambda row: sum(row.tokens.values())),
    "ai.spend": _spend,
    "ai.spend_per_developer": _spend_per_developer,
    "ai.reported_cost": _sum(lambda row: row.cost or 0),
    "ai.unpriced_tokens": _sum(lambda row: row.unpriced),
    "ai.lines_generated": _sum(lambda row: row.lines),
    "ai.cache_hit_rate": _quotient(lambda row: row.tokens.get("cache_read_tokens", 0), _prompt, of_model=True),
    "ai.error_rate": _quotient(_calls(1), _calls(0), of_model=False),
    "ai.tool_calls": _sum(_calls(0), of_model=False),
    "ai.tool_failures": _sum(_calls(1), of_model=False),
    "ai.tool_refusals": _sum(_calls(2), of_model=False),
    "ai.spend_committed": _spend_of("committed"),
    "ai.spend_wasted": _spend_of("wasted"),
    "ai.spend_per_commit": _spend_per_commit,
    "ai.ship_rate": _ship_rate,
    "ai.ship_rate_left_out": _ship_rate_left_out,
    "ai.lines_committed": lambda w, a, _: (float(_ai_lines(w, a)), None, None),
    "ai.committed_code_share": lambda w, a, _: _rate(_ai_lines(w, a), sum(file.added for _, file in files(w, a))),
    "ai.committed_code_share_of_enrolled": lambda w, a, _: _rate(
        sum(share.lines for commit, _, share in ai_shares(w, a) if _by_enrolled(w, commit)),
        sum(file.added for commit, file in files(w, a) if _by_enrolled(w, commit)),
    ),
    "ai.enabled_repositories": _enabled_repositories,
    "commit.count": lambda w, a, _: (float(len(_commits(w, a))), None, None),
    "commit.lines": lambda w, a, _: (float(sum(file.added for _, file in files(w, a))), None, None),
}

Amounts = Iterable[tuple[str, Decimal | int]]


SEGMENTS: Mapping[tuple[str, str], Callable[[SessionFacts, DayFacts, Selection], Amounts]] = {
    ("ai.tokens", "token_kind"): lambda s, row, a: [(k.removesuffix("_tokens"), n) for k, n in row.tokens.items()],
    ("ai.tokens", "agent"): lambda s, row, a: [(s.agent, sum(row.tokens.values()))],
    ("ai.tokens", "model"): lambda s, row, a: [(row.model or "unknown", sum(row.tokens.values()))],
    ("ai.spend", "agent"): lambda s, row, a: [(s.agent, row.spend or 0)],
    ("ai.spend", "model"): lambda s, row, a: [(row.model or "unknown", row.spend or 0)],
    ("ai.spend", "outcome"): lambda s, row, a: [(_outcome(s, a), row.spend or 0)],
    ("ai.lines_generated", "agent"): lambda s, row, a: [(s.agent, row.lines)],
    ("ai.tool_calls", "tool"): lambda s, row, a: [(tool, counts[0]) for tool, counts in row.calls.items()],
    ("ai.tool_failures", "tool"): lambda s, row, a: [(tool, counts[1]) for tool, counts in row.calls.items()],
}
