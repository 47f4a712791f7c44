"""Sources without streams: repositories on disk, pushed records, and agents' telemetry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from integrations.enums import Kind
from integrations.intake.tables import TABLES
from integrations.models import (
    AgentSession,
    Connection,
    IngestScope,
    IngestToken,
    QuarantinedRecord,
    RepositorySource,
    UnplacedRecord,
)
from integrations.models.connections import GIT, PUSH


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Repositories read from paths of this machine, with the times of successful readings."""

    repositories: int
    failing: int
    paused: int
    unread: int
    newest: datetime | None
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class OtherSources:
    """Other sources: `last_session_at` is the last activity of the newest session, `last_pushed_at` the arrival of the
    last new pushed record.

    `tokens` may send telemetry.
    """

    on_disk: OnDisk
    tokens: int
    last_session_at: datetime | None
    quarantined_telemetry: int
    push_connection: int | None
    last_pushed_at: datetime | None
    unplaced_pushed: int


def other_sources() -> OtherSources:
    """Read the other sources in a handful of queries."""
    push = Connection.objects.filter(provider=PUSH, removed_at=None).order_by("pk").first()
    return OtherSources(
        on_disk=_on_disk(),
        tokens=IngestToken.objects.filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
            scope__in=("", IngestScope.TELEMETRY),
            revoked_at=None,
        ).count(),
        last_session_at=_last_session_at(),
        quarantined_telemetry=QuarantinedRecord.objects.filter(replayed_at=None).count(),
        push_connection=push.pk if push else None,
        last_pushed_at=_last_pushed_at(push) if push else None,
        unplaced_pushed=UnplacedRecord.objects.filter(connection=push).count() if push else 0,
    )


def _on_disk() -> OnDisk:
    counts = RepositorySource.objects.filter(connection__provider=GIT).aggregate(
        repositories=Count("pk"),
        failing=Count("pk", filter=Q(failures__gt=0)),
        paused=Count("pk", filter=Q(connection__paused_at__isnull=False)),
        unread=Count("pk", filter=Q(synced_at=None)),
        newest=Max("synced_at"),
        oldest=Min("synced_at"),
    )
    return OnDisk(**counts)


def _last_session_at() -> datetime | None:
    """The end of the newest day's last session; sessions that arrived later may be older."""
    newest = AgentSession.objects.filter(has_work=True).order_by("-started_on", "-ended_at")
    return newest.values_list("ended_at", flat=True).first()


def _last_pushed_at(push: Connection) -> datetime | None:
    kinds = (
        *(Kind.DEPLOYMENT, Kind.INCIDENT, Kind.PIPELINE_RUN, Kind.PULL_REQUEST, Kind.WORK_ITEM),
        *(Kind.TEST_REPORT, Kind.COVERAGE_REPORT, Kind.CODE_SCANNING_ALERT),
    )
    seen = (
        TABLES[kind].model._default_manager.filter(connection=push).aggregate(last=Max("first_seen_at"))["last"]
        for kind in kinds
    )
    return max((at for at in seen if at is not None), default=None)
