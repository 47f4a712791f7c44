"""/integrations/: the health of all data sources, with a card for each connection.

Everybody who is signed in sees names and freshness; problems, quotas and settings are for admins.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from core.seconds import HOUR
from core.views import record_view
from insights.columns.refresh import columns_health
from insights.pages.integrations.needs import need_lines
from insights.pages.integrations.sources import columns_line, owner_lines, source_lines
from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.silences import open_silences
from insights.ui.tiles import Link
from integrations.connectors.base import EndOfLife
from integrations.connectors.errors import Cause
from integrations.connectors.registered import connectors
from integrations.delivery.completeness import completeness
from integrations.enums import Kind
from integrations.models import Stream
from integrations.sync.connect import webhook_address
from integrations.sync.health import ConnectionHealth, KindHealth, State, sync_health
from integrations.sync.other_sources import other_sources
from integrations.sync.stored_records import stored_records

Look = tuple[str, str, str]  # tone, icon, words
STATE_LABELS: Mapping[State, Look] = {
    State.PAUSED: ("", "minus", "Paused"),
    State.UNREACHABLE: ("bad", "cloud-off", Cause.UNREACHABLE.label),
    State.WRONG_ADDRESS: ("bad", "alert-circle", Cause.WRONG_ADDRESS.label),
    State.REFUSED: ("bad", "alert-circle", Cause.REFUSED.label),
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
    State.UNREACHABLE: STATE_LABELS[State.LATE],
    State.WRONG_ADDRESS: STATE_LABELS[State.LATE],
    State.REFUSED: STATE_LABELS[State.LATE],
    State.FAILING: STATE_LABELS[State.LATE],
    State.NOTHING_PICKED: ("", "minus", "Not synced"),
}


def card_of(health: ConnectionHealth, records: Mapping[Kind, int], now: datetime, *, for_admin: bool) -> dict[str, Any]:
    """The card of a connection; `records` counts its stored records by kind."""
    connection = health.connection
    tone, icon, state = (STATE_LABELS if for_admin else STATE_LABELS_FOR_OTHERS)[health.state]
    known = connectors().get(connection.provider)
    return {
        "pk": connection.pk,
        "name": connection.name,
        "provider": known.name if known else connection.provider,
        "tone": tone,
        "icon": icon,
        "state": state,
        "summary": _summary(health, now),
        "is_busy": health.is_busy,
        "problem": connection.problem if for_admin else "",
        "remedy": connection.remedy if for_admin else "",
        "kinds": [_kind_line(kind, records, now, for_admin=for_admin) for kind in health.kinds],
        "problems": [_problem(problem, now) for problem in health.problems] if for_admin else (),
        "more_problems": max(0, health.failing - len(health.problems)) if for_admin else 0,
        "quotas": _quota_lines(health, now) if for_admin else (),
        "hooks": _hooks(health, now) if for_admin else "",
        "hook_problems": health.hook_problems if for_admin else 0,
        "ends": [_end(end, now) for end in health.ends] if for_admin else (),
        "mirrors": _mirrors(health, now) if for_admin else "",
        "quarantined": health.quarantined if for_admin else 0,
        "unplaced": health.unplaced if for_admin else 0,
        "unplaced_groups": health.unplaced_groups if for_admin else (),
    }


def _summary(health: ConnectionHealth, now: datetime) -> str:
    picked = f"{health.picked:,} of {wording.count(health.listed, 'resource')} synced"
    if health.newest is None or health.oldest is None:
        return picked
    words = f"{picked} · last success {wording.ago(health.newest, now)}"
    if health.state == State.FIRST or (health.newest - health.oldest).total_seconds() < HOUR:
        return words
    return f"{words} · furthest behind {wording.duration((now - health.oldest).total_seconds())}"


def _end(end: EndOfLife, now: datetime) -> dict[str, Any]:
    since = "since" if end.ends_on <= now.date() else "from"
    return {"title": f"{end.what} {since} {wording.day(end.ends_on)}.", "what_to_do": end.what_to_do}


def _kind_line(kind: KindHealth, records: Mapping[Kind, int], now: datetime, *, for_admin: bool) -> dict[str, Any]:
    return {
        "name": kind.kind.words.capitalize(),
        "stored": f"{records.get(kind.kind, 0):,}",
        "streams": f"{kind.finished:,} of {kind.streams:,}",
        "behind": wording.ago(kind.oldest, now) if kind.oldest else "",
        "progress": _progress(kind, now),
        "fraction": min(1.0, kind.read / kind.to_read) if kind.to_read else None,
        "failing": kind.failing if for_admin else 0,
    }


def _progress(kind: KindHealth, now: datetime) -> str:
    if not kind.under_way:
        return ""
    if not kind.to_read:
        return f"{kind.read:,} read"
    left = kind.seconds_left(now)
    return f"{kind.read:,} of {kind.to_read:,}" + (f", {wording.duration(left)} left" if left else "")


def _problem(stream: Stream, now: datetime) -> dict[str, Any]:
    seconds = (stream.due_at - now).total_seconds() if stream.due_at else 0
    next_try = f"Tried again in {wording.duration(seconds)}." if seconds > 0 else "Tried again at once."
    cause = f"{Cause(stream.cause).label}. " if stream.cause else ""
    return {"stream": str(stream), "problem": f"{cause}{stream.problem}", "remedy": stream.remedy, "next_try": next_try}


def _quota_lines(health: ConnectionHealth, now: datetime) -> list[dict[str, Any]]:
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
        lines.append({"budget": quota.budget.replace("_", " "), "left": left, "fraction": fraction, "resets": resets})
    return lines


def _until(at: datetime, now: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}, in {wording.duration((at - now).total_seconds())}"


def _hooks(health: ConnectionHealth, now: datetime) -> str:
    """The status of webhooks; empty for a provider whose webhooks are not accepted."""
    if health.hooks is None:
        return "No delivery yet" if webhook_address(health.connection) else ""
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


PUSH_LINE = """\
curl -sS BASE_URL/ingest/v1/deployments/ \\
  -H "Authorization: Bearer $INGEST_TOKEN" -H 'Content-Type: application/json' \\
  -d '{"records": [{"id": "'$BUILD_ID'", "repository": "acme/shop", "environment": "production", "sha": "'$COMMIT'",
                    "status": "success", "finished_at": "'$(date -u +%FT%TZ)'"}]}'"""


@record_view
def integrations(request: HttpRequest) -> HttpResponse:
    return render(request, "insights/integrations/page.html", _context(request))


@record_view
def integrations_live(request: HttpRequest) -> HttpResponse:
    """The content without its frame, which the page polls during syncs."""
    return render(request, "insights/integrations/_live.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    access = access_in(request)
    for_admin, sees_all = bool(request.user.is_staff), access.visibility.whole
    health, records = sync_health(now), stored_records()
    needs = need_lines(completeness(), now, for_admin=for_admin)
    add = reverse("admin:integrations_connection_add")
    return {
        "cards": [
            card_of(connection, records.get(connection.connection.pk, {}), now, for_admin=for_admin)
            for connection in health
        ],
        "needs": needs,
        "met": sum(line.is_met for line in needs),
        "owners": owner_lines(timezone.localdate(now), for_admin=for_admin) if for_admin or sees_all else (),
        "sources": source_lines(other_sources(), records, now, for_admin=for_admin),
        "silences": open_silences(access) if for_admin else (),
        "columns": columns_line(columns_health(), now, for_admin=for_admin),
        "is_busy": any(connection.is_busy or connection.state == State.FIRST for connection in health),
        "for_admin": for_admin,
        "push_line": PUSH_LINE.replace("BASE_URL", settings.BASE_URL),
        "connect_link": Link("Connect source control", add) if for_admin else None,
    }
