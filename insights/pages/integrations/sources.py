"""Lines for sources other than connections, for the columnar copy of facts, and for ownership gaps.

Unowned items count for no unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse

from core.page_links import url_with
from insights.columns.refresh import ColumnsHealth
from insights.ui import wording
from insights.ui.tiles import Link
from integrations.delivery.ownership.listing import Counted, counted_things
from integrations.models import OwnedKind
from integrations.sync.other_sources import OnDisk, OtherSources
from integrations.sync.stored_records import Records
from orgtree.models import OrgTree

USUAL_LAG = timedelta(minutes=2)  # of the columnar copy, on a busy machine
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
    unplaced: Link | None = None


def source_lines(sources: OtherSources, records: Records, now: datetime, *, for_admin: bool) -> Sequence[SourceLine]:
    pushed = sum(records.get(sources.push_connection or 0, {}).values())
    return (
        _on_disk(sources.on_disk, now, for_admin=for_admin),
        _push(sources, pushed, now, for_admin=for_admin),
        _telemetry(sources, now, for_admin=for_admin),
    )


def _on_disk(local: OnDisk, now: datetime, *, for_admin: bool) -> SourceLine:
    if not local.repositories:
        look = NOT_CONNECTED
    elif local.failing and for_admin:
        look = ("bad", "alert-circle", f"{local.failing:,} failing")
    elif local.failing:
        look = ("watch", "clock-exclamation", "Late")
    elif local.unread:
        look = ("acc", "hourglass", "First reading")
    else:
        look = ("good", "check", "Up to date")
    detail = f"{wording.count(local.repositories, 'repository', 'repositories')} on this machine"
    if local.paused:
        detail += f", {local.paused:,} paused"
    return SourceLine(
        "on-disk",
        "Local git",
        *look,
        detail if local.repositories else "Commits, lines and files of repositories on this machine",
        wording.ago(local.newest, now) if local.newest else "",
        Link("Repositories", reverse("connect_repository")),
    )


def _push(sources: OtherSources, pushed: int, now: datetime, *, for_admin: bool) -> SourceLine:
    look = ("good", "check", "Receiving") if pushed else NOT_CONNECTED
    detail = f"{wording.count(pushed, 'record')} sent by pipelines and tools"
    if sources.push_connection is None or not for_admin:
        link = Link("Tokens", reverse("admin:integrations_ingesttoken_changelist")) if for_admin else None
    else:
        link = Link("Set up", reverse("admin:integrations_connection_change", args=[sources.push_connection]))
    return SourceLine(
        "push-api",
        "Push API",
        *look,
        detail if pushed else "Deployments, incidents and more from tools without a connector",
        wording.ago(sources.last_pushed_at, now) if sources.last_pushed_at else "",
        link,
        unplaced=_unplaced(sources) if for_admin else None,
    )


def _unplaced(sources: OtherSources) -> Link | None:
    if not sources.unplaced_pushed or sources.push_connection is None:
        return None
    address = reverse("admin:integrations_connection_unplaced", args=[sources.push_connection])
    return Link(f"{sources.unplaced_pushed:,} not placed", address)


def _telemetry(sources: OtherSources, now: datetime, *, for_admin: bool) -> SourceLine:
    look = ("good", "check", "Receiving") if sources.last_session_at else NOT_CONNECTED
    detail = f"{wording.count(sources.tokens, 'ingest token')} may send" if sources.tokens else "No ingest token yet"
    return SourceLine(
        "telemetry",
        "Coding agents",
        *look,
        f"{detail}: sessions, tokens and spend over OpenTelemetry" if for_admin else "Sessions, tokens and spend",
        wording.ago(sources.last_session_at, now) if sources.last_session_at else "",
        Link("Connect an agent", reverse("connect_agent")),
        sources.quarantined_telemetry if for_admin else 0,
    )


def columns_line(health: ColumnsHealth, now: datetime, *, for_admin: bool) -> dict[str, Any]:
    """The freshness of the copy; `last` is when the oldest of the partitions was built."""
    schedule = reverse("admin:django_celery_beat_periodictask_changelist")
    detail = f"{health.partitions:,} partitions, {health.bytes / 1e6:,.1f} MB"
    tone, icon, state = "good", "check", "Up to date"
    if health.stale_since is not None:
        detail = f"{health.stale:,} of {detail} are stale; their days are read from the database, with the same result"
        is_behind = now - health.stale_since > USUAL_LAG
        tone, icon, state = ("watch", "alert-triangle", "Behind") if is_behind else ("", "refresh", "Being built")
    return {
        "tone": tone,
        "icon": icon,
        "state": state,
        "detail": detail,
        "last": wording.ago(health.oldest_built_at, now) if health.oldest_built_at else "",
        "link": Link("Schedule", schedule) if for_admin else None,
    }


NOUNS: Mapping[OwnedKind, tuple[str, str]] = {
    OwnedKind.REPOSITORY: ("repository", "repositories"),
    OwnedKind.SERVICE: ("service", "services"),
    OwnedKind.PROJECT: ("project", "projects"),
    OwnedKind.BOARD: ("board", "boards"),
}
WITHOUT: Mapping[OwnedKind, str] = {
    OwnedKind.REPOSITORY: "deployments from there count for no unit",
    OwnedKind.SERVICE: "their deployments and incidents count for no unit",
    OwnedKind.PROJECT: "work planned there counts for no unit",
    OwnedKind.BOARD: "their sprints count for no unit",
}


def owner_lines(on: date, *, for_admin: bool) -> Sequence[dict[str, Any]]:
    """Lines for every active tree: the kinds with unowned items, or one line saying that all are owned."""
    trees = OrgTree.objects.filter(archived_at=None).order_by("created_at", "pk")
    counts = counted_things(trees, on=on)
    lines = []
    for tree in trees:
        of_tree = {kind: counts[tree.pk, kind] for kind in NOUNS if (tree.pk, kind) in counts}
        if of_tree:
            lines += list(_missing(tree, of_tree, for_admin)) or [_complete(tree, of_tree)]
    return lines


def _missing(tree: OrgTree, counts: Mapping[OwnedKind, Counted], for_admin: bool) -> Iterator[dict[str, Any]]:
    for kind, counted in counts.items():
        if counted.without_owner:
            without = f"{counted.without_owner:,}"
            detail = f"{without} of {wording.count(counted.total, *NOUNS[kind])} without an owner: {WITHOUT[kind]}"
            link = Link("Set owners", f"{_page(tree, kind)}&without=1") if for_admin else None
            yield {
                "tree": tree.name,
                "tone": "watch",
                "icon": "alert-triangle",
                "state": f"{without} missing",
                "detail": detail,
                "link": link,
            }


def _complete(tree: OrgTree, counts: Mapping[OwnedKind, Counted]) -> dict[str, Any]:
    things = wording.listed([wording.count(counted.total, *NOUNS[kind]) for kind, counted in counts.items()])
    return {
        "tree": tree.name,
        "tone": "good",
        "icon": "check",
        "state": "Complete",
        "detail": f"{things}, each with an owner",
        "link": Link("Ownership", _page(tree)),
    }


def _page(tree: OrgTree, kind: OwnedKind | None = None) -> str:
    return url_with(reverse("ownership"), {"tree": tree.slug, "kind": kind})
