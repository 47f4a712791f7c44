"""The card of a connection: status, records, and problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from insights.ui import wording
from integrations.connectors.base import EndOfLife
from integrations.connectors.registered import connectors
from integrations.enums import Kind
from integrations.sync.health import ConnectionHealth, KindHealth, State, StreamProblem
from integrations.sync.unplaced_groups import UnplacedGroup

Look = tuple[str, str, str]  # tone, icon, words
STATE_LABELS: Mapping[State, Look] = {
    State.PAUSED: ("", "minus", "Paused"),
    State.REFUSED: ("bad", "alert-circle", "Refused"),
    State.FAILING: ("bad", "alert-circle", "Failing"),
    State.NOTHING_PICKED: ("watch", "alert-triangle", "Nothing picked"),
    State.FIRST: ("acc", "hourglass", "First sync"),
    State.READING: ("acc", "refresh", "Reading"),
    State.LATE: ("watch", "clock-exclamation", "Late"),
    State.FRESH: ("good", "check", "Up to date"),
}
# People who cannot fix it see that figures lag behind, but not why.
STATE_LABELS_FOR_OTHERS: Mapping[State, Look] = {
    **STATE_LABELS,
    State.REFUSED: STATE_LABELS[State.LATE],
    State.FAILING: STATE_LABELS[State.LATE],
    State.NOTHING_PICKED: ("", "minus", "Not synced"),
}


@dataclass(frozen=True)
class KindLine:
    """The records of one kind."""

    name: str
    stored: str
    streams: str
    behind: str
    progress: str
    fraction: float | None  # 0–1, of running syncs
    failing: int


@dataclass(frozen=True)
class QuotaLine:
    """A request quota: the rest, and its reset time."""

    budget: str
    left: str
    fraction: float | None
    resets: str


@dataclass(frozen=True)
class ProblemLine:
    stream: str
    problem: str
    remedy: str
    next_try: str


@dataclass(frozen=True)
class EndLine:
    title: str
    what_to_do: str


@dataclass(frozen=True)
class Card:
    """A connection; fields for admins are empty for others."""

    pk: int
    name: str
    provider: str
    tone: str
    icon: str
    state: str
    summary: str
    is_busy: bool
    problem: str
    remedy: str
    kinds: Sequence[KindLine]
    problems: Sequence[ProblemLine]
    more_problems: int
    quotas: Sequence[QuotaLine]
    hooks: str
    hook_problems: int
    ends: Sequence[EndLine]
    mirrors: str
    quarantined: int
    unplaced: int
    unplaced_groups: Sequence[UnplacedGroup]


def card_of(health: ConnectionHealth, records: Mapping[Kind, int], now: datetime, *, for_admin: bool) -> Card:
    """`records` are the stored records of the connection by kind."""
    connection = health.connection
    tone, icon, state = (STATE_LABELS if for_admin else STATE_LABELS_FOR_OTHERS)[health.state]
    known = connectors().get(connection.provider)
    return Card(
        pk=connection.pk,
        name=connection.name,
        provider=known.name if known else connection.provider,
        tone=tone,
        icon=icon,
        state=state,
        summary=_summary(health, now),
        is_busy=health.is_busy,
        problem=connection.problem if for_admin else "",
        remedy=connection.remedy if for_admin else "",
        kinds=[_kind_line(kind, records, now, for_admin=for_admin) for kind in health.kinds],
        problems=[_problem(problem, now) for problem in health.problems] if for_admin else (),
        more_problems=max(0, health.failing - len(health.problems)) if for_admin else 0,
        quotas=_quota_lines(health, now) if for_admin else (),
        hooks=_hooks(health, now) if for_admin else "",
        hook_problems=health.hook_problems if for_admin else 0,
        ends=[_end(end, now) for end in health.ends] if for_admin else (),
        mirrors=_mirrors(health, now) if for_admin else "",
        quarantined=health.quarantined if for_admin else 0,
        unplaced=health.unplaced if for_admin else 0,
        unplaced_groups=health.unplaced_groups if for_admin else (),
    )


def _summary(health: ConnectionHealth, now: datetime) -> str:
    picked = f"{health.picked:,} of {wording.count(health.listed, 'resource')} synced"
    if health.newest is None or health.oldest is None:
        return picked
    words = f"{picked} · last success {wording.ago(health.newest, now)}"
    if health.state == State.FIRST or (health.newest - health.oldest).total_seconds() < wording.HOUR:
        return words
    return f"{words} · furthest behind {wording.duration((now - health.oldest).total_seconds())}"


def _end(end: EndOfLife, now: datetime) -> EndLine:
    since = "since" if end.ends_on <= now.date() else "from"
    return EndLine(f"{end.what} {since} {wording.day(end.ends_on)}.", end.what_to_do)


def _kind_line(kind: KindHealth, records: Mapping[Kind, int], now: datetime, *, for_admin: bool) -> KindLine:
    return KindLine(
        name=kind.kind.words.capitalize(),
        stored=f"{records.get(kind.kind, 0):,}",
        streams=f"{kind.finished:,} of {kind.streams:,}",
        behind=wording.ago(kind.oldest, now) if kind.oldest else "",
        progress=_progress(kind, now),
        fraction=min(1.0, kind.read / kind.to_read) if kind.to_read else None,
        failing=kind.failing if for_admin else 0,
    )


def _progress(kind: KindHealth, now: datetime) -> str:
    if not kind.under_way:
        return ""
    if not kind.to_read:
        return f"{kind.read:,} read"
    left = kind.seconds_left(now)
    return f"{kind.read:,} of {kind.to_read:,}" + (f", {wording.duration(left)} left" if left else "")


def _problem(problem: StreamProblem, now: datetime) -> ProblemLine:
    seconds = (problem.next_try_at - now).total_seconds() if problem.next_try_at else 0
    next_try = f"Tried again in {wording.duration(seconds)}." if seconds > 0 else "Tried again at once."
    return ProblemLine(problem.stream, problem.problem, problem.remedy, next_try)


def _quota_lines(health: ConnectionHealth, now: datetime) -> list[QuotaLine]:
    lines = []
    for quota in health.quotas:
        is_over = quota.resets_at is not None and quota.resets_at <= now
        remaining = quota.limit if is_over else quota.remaining
        left = f"{remaining:,} of {quota.limit:,} left" if quota.limit and remaining is not None else "limit unknown"
        if quota.blocked_until is not None and quota.blocked_until > now:
            resets = f"rate limited until {_until(quota.blocked_until, now)}"
        else:
            resets = f"full again {_until(quota.resets_at, now)}" if quota.resets_at and not is_over else ""
        fraction = remaining / quota.limit if quota.limit and remaining is not None else None
        lines.append(QuotaLine(quota.budget.replace("_", " "), left, fraction, resets))
    return lines


def _until(at: datetime, now: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}, in {wording.duration((at - now).total_seconds())}"


def _hooks(health: ConnectionHealth, now: datetime) -> str:
    if health.hooks is None:
        return "No delivery yet"
    words = f"Last delivery {wording.ago(health.hooks.last_at, now)} ({health.hooks.last_event})"
    return f"{words}, {health.hooks.waiting:,} waiting" if health.hooks.waiting else words


def _mirrors(health: ConnectionHealth, now: datetime) -> str:
    if health.mirrors is None:
        return ""
    mirrors = health.mirrors
    parts = [f"{mirrors.mirrored - mirrors.unread:,} of {mirrors.mirrored:,} read"]
    if mirrors.failing:
        parts.append(f"{mirrors.failing:,} failing")
    if mirrors.newest is not None:
        parts.append(f"last {wording.ago(mirrors.newest, now)}")
    return ", ".join(parts)
