"""Integrations: what comes in from where, how fresh it is, and what is still missing.

Everybody who is signed in sees names and freshness; problems, quotas and settings are for admins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from insights import wording
from integrations.connectors.base import connectors
from integrations.services.sync_health import ConnectionHealth, KindHealth, State, StreamProblem, sync_health

WORDS: dict[State, tuple[str, str, str]] = {  # tone, icon, words
    State.PAUSED: ("", "minus", "Paused"),
    State.REFUSED: ("bad", "alert-circle", "Refused"),
    State.FAILING: ("bad", "alert-circle", "Failing"),
    State.NOTHING_PICKED: ("watch", "alert-triangle", "Nothing picked"),
    State.FIRST: ("acc", "hourglass", "First sync"),
    State.READING: ("acc", "refresh", "Reading"),
    State.LATE: ("watch", "clock-exclamation", "Late"),
    State.FRESH: ("good", "check", "Up to date"),
}
# What somebody who cannot mend it is told: that figures may lag, not why.
WORDS_FOR_EVERYBODY = {**WORDS, State.REFUSED: WORDS[State.LATE], State.FAILING: WORDS[State.LATE]}


@dataclass(frozen=True)
class KindLine:
    """The streams of one kind in words."""

    name: str
    streams: str
    fraction: float | None  # 0–1, of readings under way whose length is known
    progress: str
    last: str
    tone: str


@dataclass(frozen=True)
class QuotaLine:
    budget: str
    left: str
    fraction: float | None
    resets: str
    blocked: bool


@dataclass(frozen=True)
class ConnectionCard:
    """A connection as the page shows it; what only admins see is empty for others."""

    pk: int
    name: str
    provider: str
    tone: str
    icon: str
    state: str
    summary: str
    problem: str
    remedy: str
    kinds: Sequence[KindLine]
    problems: Sequence[StreamProblem]
    more_problems: int
    quotas: Sequence[QuotaLine]
    hooks: str
    quarantined: int


@login_required
@never_cache
@require_GET
def integrations(request: HttpRequest) -> HttpResponse:
    return render(request, "insights/integrations/page.html", _context(request))


@login_required
@never_cache
@require_GET
def integrations_live(request: HttpRequest) -> HttpResponse:
    """What changes while something is read; the page asks for it again until nothing is."""
    return render(request, "insights/integrations/_live.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    found = sync_health(now)
    for_admin = bool(request.user.is_staff)
    return {
        "cards": [_card(each, now, for_admin=for_admin) for each in found],
        "is_busy": any(each.is_busy or each.state == State.FIRST for each in found),
        "for_admin": for_admin,
    }


def _card(each: ConnectionHealth, now: datetime, *, for_admin: bool) -> ConnectionCard:
    connection = each.connection
    tone, icon, state = (WORDS if for_admin else WORDS_FOR_EVERYBODY)[each.state]
    known = connectors().get(connection.provider)
    return ConnectionCard(
        pk=connection.pk,
        name=connection.name,
        provider=known.name if known else connection.provider,
        tone=tone,
        icon=icon,
        state=state,
        summary=_summary(each, now),
        problem=connection.problem if for_admin else "",
        remedy=connection.remedy if for_admin else "",
        kinds=[_kind_line(kind, now) for kind in each.kinds],
        problems=each.problems if for_admin else (),
        more_problems=max(0, each.failing - len(each.problems)) if for_admin else 0,
        quotas=_quota_lines(each, now) if for_admin else (),
        hooks=_hooks(each, now) if for_admin else "",
        quarantined=each.quarantined if for_admin else 0,
    )


def _summary(each: ConnectionHealth, now: datetime) -> str:
    picked = f"{wording.count(each.picked, 'resource')} of {each.found:,}"
    if each.newest is None:
        return f"{picked} · not read to its end yet"
    last = f"last success {wording.ago(each.newest, now)}"
    if each.oldest is None or (each.newest - each.oldest).total_seconds() < wording.HOUR:
        return f"{picked} · {last}"
    return f"{picked} · {last} · furthest behind {wording.duration((now - each.oldest).total_seconds())}"


def _kind_line(kind: KindHealth, now: datetime) -> KindLine:
    return KindLine(
        name=kind.kind.words.capitalize(),
        streams=f"{kind.finished:,} of {kind.streams:,}",
        fraction=kind.read / kind.to_read if kind.to_read else None,
        progress=_progress(kind),
        last=wording.ago(kind.oldest, now) if kind.oldest else "",
        tone="bad" if kind.failing else "",
    )


def _progress(kind: KindHealth) -> str:
    if not kind.under_way:
        return ""
    if kind.to_read:
        return f"{kind.read:,} of {kind.to_read:,}"
    return f"{kind.read:,} read"


def _quota_lines(each: ConnectionHealth, now: datetime) -> list[QuotaLine]:
    lines = []
    for quota in each.quotas:
        is_over = quota.resets_at is not None and quota.resets_at <= now
        remaining = quota.limit if is_over else quota.remaining
        blocked = quota.blocked_until is not None and quota.blocked_until > now
        known = quota.limit is not None and remaining is not None
        lines.append(
            QuotaLine(
                budget=quota.budget,
                left=f"{remaining:,} of {quota.limit:,} left" if known else "no limit told",
                fraction=(remaining or 0) / quota.limit if quota.limit and remaining is not None else None,
                resets=_until(quota.blocked_until if blocked else None if is_over else quota.resets_at, now),
                blocked=blocked,
            )
        )
    return lines


def _until(at: datetime | None, now: datetime) -> str:
    if at is None:
        return ""
    return f"{timezone.localtime(at):%H:%M}, in {wording.duration((at - now).total_seconds())}"


def _hooks(each: ConnectionHealth, now: datetime) -> str:
    if each.hooks is None:
        return "No delivery yet"
    words = f"last delivery {wording.ago(each.hooks.last_at, now)} ({each.hooks.last_event})"
    return f"{words}, {each.hooks.waiting:,} waiting" if each.hooks.waiting else words
