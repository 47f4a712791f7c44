"""What comes in without a connection's streams, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from insights.ui import wording
from insights.ui.tiles import Link
from integrations.sync.other_sources import OnDisk, OtherSources
from integrations.sync.stored_records import Records

NOT_CONNECTED = ("", "minus", "Not connected")


@dataclass(frozen=True)
class SourceLine:
    key: str
    name: str
    tone: str
    icon: str
    state: str
    detail: str
    last: str
    link: Link | None
    quarantined: int = 0


def source_lines(found: OtherSources, records: Records, now: datetime, *, for_admin: bool) -> Sequence[SourceLine]:
    pushed = sum(records.get(found.push_connection or 0, {}).values())
    return (
        _on_disk(found.on_disk, now, for_admin=for_admin),
        _push(found, pushed, now, for_admin=for_admin),
        _telemetry(found, now, for_admin=for_admin),
    )


def _on_disk(found: OnDisk, now: datetime, *, for_admin: bool) -> SourceLine:
    if not found.repositories:
        look = NOT_CONNECTED
    elif found.failing and for_admin:
        look = ("bad", "alert-circle", f"{found.failing:,} failing")
    elif found.failing:
        look = ("watch", "clock-exclamation", "Late")
    elif found.unread:
        look = ("acc", "hourglass", "First reading")
    else:
        look = ("good", "check", "Up to date")
    detail = f"{wording.count(found.repositories, 'repository', 'repositories')} on this machine"
    if found.paused:
        detail += f", {found.paused:,} paused"
    return SourceLine(
        "on-disk",
        "Local git",
        *look,
        detail if found.repositories else "Commits, lines and files of repositories on this machine",
        wording.ago(found.newest, now) if found.newest else "",
        Link("Repositories", reverse("connect_repository")),
    )


def _push(found: OtherSources, pushed: int, now: datetime, *, for_admin: bool) -> SourceLine:
    look = ("good", "check", "Receiving") if pushed else NOT_CONNECTED
    detail = f"{wording.count(pushed, 'record')} sent by pipelines and tools"
    if found.push_connection is None or not for_admin:
        link = Link("Tokens", reverse("admin:integrations_ingesttoken_changelist")) if for_admin else None
    else:
        link = Link("Set up", reverse("admin:integrations_connection_change", args=[found.push_connection]))
    return SourceLine(
        "push-api",
        "Push API",
        *look,
        detail if pushed else "Deployments, incidents and more from whatever has no connector",
        wording.ago(found.last_pushed_at, now) if found.last_pushed_at else "",
        link,
    )


def _telemetry(found: OtherSources, now: datetime, *, for_admin: bool) -> SourceLine:
    look = ("good", "check", "Receiving") if found.last_session_at else NOT_CONNECTED
    detail = f"{wording.count(found.tokens, 'ingest token')} may send" if found.tokens else "No ingest token yet"
    return SourceLine(
        "telemetry",
        "Coding agents",
        *look,
        f"{detail}: sessions, tokens and spend over OpenTelemetry" if for_admin else "Sessions, tokens and spend",
        wording.ago(found.last_session_at, now) if found.last_session_at else "",
        Link("Connect an agent", reverse("connect_agent")),
        found.quarantined_telemetry if for_admin else 0,
    )
