"""Freshness and completeness of each connection: the first page to look at if a metric seems wrong.

A handful of grouped queries for all connections together, however many streams they have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Window
from django.db.models.functions import RowNumber

from integrations.connectors.base import EndOfLife, Settings
from integrations.connectors.errors import Cause
from integrations.connectors.registered import connectors
from integrations.enums import Kind
from integrations.models import (
    Connection,
    QuarantinedPayload,
    Quota,
    RepositorySource,
    Resource,
    Stream,
    UnplacedRecord,
    WebhookDelivery,
)
from integrations.models.connections import GIT, PUSH
from integrations.sync.unplaced_groups import UnplacedGroup, unplaced_groups

PROBLEMS_SHOWN = 5  # per connection; the others are counted
END_OF_LIFE_AHEAD = timedelta(days=365)  # a move to another product takes quarters
LATE_AFTER = timedelta(hours=1)  # plus three times its schedule: a short outage of a provider is no warning
WITHOUT_STREAMS = (GIT, PUSH)  # repositories on disk have sources; pushed records arrive unrequested

_UNDER_WAY = Q(reading_since__isnull=False)
_FAILING = Q(failures__gt=0)


class State(StrEnum):
    """The state of a connection: the worst that applies."""

    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    WRONG_ADDRESS = "wrong_address"  # something else answers there
    REFUSED = "refused"  # the credential, or a permission of it
    FAILING = "failing"  # some of its streams fail, for several or other reasons
    NOTHING_PICKED = "nothing_picked"
    FIRST = "first"  # its first reading is under way or queued
    READING = "reading"
    LATE = "late"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True)
class KindHealth:
    """All streams of one kind of one connection.

    `read` and `to_read` are numbers of records of the current readings; `to_read` is None until a provider reports it.
    """

    kind: Kind
    streams: int
    finished: int  # streams that were read to their end at least once
    under_way: int
    requested: int  # streams that were requested and not read since
    failing: int
    causes: frozenset[str]  # of the failing ones; empty for one without a known cause
    newest: datetime | None  # start of the last finished reading
    oldest: datetime | None  # the same for the stream that is furthest behind
    began: datetime | None  # the earliest of the current readings
    read: int
    to_read: int | None

    def seconds_left(self, now: datetime) -> float | None:
        """The remaining time at the current pace; None without a pace or a number of records."""
        if not self.to_read or not self.read or self.began is None:
            return None
        return max(self.to_read - self.read, 0) * (now - self.began).total_seconds() / self.read


@dataclass(frozen=True, slots=True)
class HookHealth:
    """Webhook deliveries of a connection, as far back as they are stored."""

    last_at: datetime
    last_event: str
    waiting: int


@dataclass(frozen=True, slots=True)
class MirrorHealth:
    """Mirrors of a connection's repositories, from which lines and files are read."""

    mirrored: int
    unread: int
    failing: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    connection: Connection
    state: State
    picked: int
    listed: int
    kinds: Sequence[KindHealth]
    problems: Sequence[Stream]  # failing streams
    quotas: Sequence[Quota]
    hooks: HookHealth | None
    mirrors: MirrorHealth | None
    quarantined: int
    unplaced: int
    unplaced_groups: Sequence[UnplacedGroup]  # the largest
    hook_problems: int  # resources whose webhook could not be registered
    ends: Sequence[EndOfLife] = ()  # products and APIs in use that the provider retires soon

    @property
    def newest(self) -> datetime | None:
        """The start of the last finished reading."""
        return max((kind.newest for kind in self.kinds if kind.newest), default=None)

    @property
    def oldest(self) -> datetime | None:
        """The start of the last finished reading of the stream that is furthest behind."""
        return _oldest(self.kinds)

    @property
    def failing(self) -> int:
        return sum(kind.failing for kind in self.kinds)

    @property
    def is_busy(self) -> bool:
        """Whether reloading the page soon will show something new."""
        return not self.connection.paused_at and any(kind.under_way or kind.requested for kind in self.kinds)


def sync_health(now: datetime) -> list[ConnectionHealth]:
    """The health of every synced connection, by name."""
    connections = list(synced_connections().order_by("name"))
    kinds = _kinds()
    problems = _problems()
    hooks = _hooks()
    mirrors = _mirrors()
    quotas: dict[int, list[Quota]] = defaultdict(list)
    for quota in Quota.objects.order_by("budget"):
        quotas[quota.connection_id].append(quota)
    resources = _resources()
    quarantined = _counted(QuarantinedPayload.objects.filter(replayed_at=None), "connection_id")
    unplaced: dict[int, int] = defaultdict(int)
    for row in UnplacedRecord.objects.counts():
        unplaced[row["connection"]] += row["number"]
    groups: dict[int, list[UnplacedGroup]] = defaultdict(list)
    for group in unplaced_groups(most=PROBLEMS_SHOWN):
        groups[group.connection].append(group)
    healths = []
    for connection in connections:
        listed, picked, hook_problems = resources.get(connection.pk, (0, 0, 0))
        of_kinds = kinds.get(connection.pk, [])
        healths.append(
            ConnectionHealth(
                connection=connection,
                state=_state(connection, picked, of_kinds, now),
                picked=picked,
                listed=listed,
                kinds=of_kinds,
                problems=problems.get(connection.pk, []),
                quotas=quotas.get(connection.pk, []),
                hooks=hooks.get(connection.pk),
                mirrors=mirrors.get(connection.pk),
                quarantined=quarantined.get(connection.pk, 0),
                unplaced=unplaced[connection.pk],
                unplaced_groups=groups[connection.pk],
                hook_problems=hook_problems,
                ends=_ends(connection, now),
            )
        )
    return healths


def synced_connections() -> QuerySet[Connection]:
    """Connections to providers that are read; removed ones are excluded."""
    return Connection.objects.filter(removed_at=None).exclude(provider__in=WITHOUT_STREAMS)


def is_late(connection: Connection, oldest: datetime | None, now: datetime) -> bool:
    """Whether the last reading is older than the connection's schedule explains."""
    patience = max(LATE_AFTER, timedelta(minutes=3 * connection.sync_every_minutes))
    return oldest is not None and now - oldest > patience


def _ends(connection: Connection, now: datetime) -> list[EndOfLife]:
    """Products and APIs in use that end within a year, or have ended already."""
    known = connectors().get(connection.provider)
    if known is None:
        return []
    settings = {field.name: str(connection.settings.get(field.name, field.default)) for field in known.fields}
    ends = known(Settings(values=settings, secrets={})).ends()
    return [end for end in ends if end.ends_on - END_OF_LIFE_AHEAD <= now.date()]


def _state(connection: Connection, picked: int, kinds: Sequence[KindHealth], now: datetime) -> State:
    holding = (
        (State.PAUSED, connection.paused_at is not None),
        *((State(cause.value), connection.cause == cause) for cause in Cause),
        (State.FAILING, bool(connection.problem)),
        (State.NOTHING_PICKED, not picked),
        (_state_of_failing(kinds), any(kind.failing for kind in kinds)),
        (State.FIRST, not kinds or any(kind.finished < kind.streams for kind in kinds)),
        (State.LATE, is_late(connection, _oldest(kinds), now)),
        (State.READING, any(kind.under_way for kind in kinds)),
    )
    return next((state for state, holds in holding if holds), State.FRESH)


def _state_of_failing(kinds: Sequence[KindHealth]) -> State:
    """The state for the cause that all failing streams share; a general one if they differ."""
    causes = frozenset[str]().union(*(kind.causes for kind in kinds))
    return State(*causes) if len(causes) == 1 and "" not in causes else State.FAILING


def _oldest(kinds: Sequence[KindHealth]) -> datetime | None:
    return min((kind.oldest for kind in kinds if kind.oldest), default=None)


def _streams() -> QuerySet[Stream]:
    """The streams to keep fresh."""
    return Stream.objects.filter(
        resource__picked=True, resource__gone_at=None, resource__connection__in=synced_connections()
    )


def _kinds() -> dict[int, list[KindHealth]]:
    rows = (
        _streams()
        .values("kind", connection=F("resource__connection_id"))
        .annotate(
            streams=Count("pk"),
            finished=Count("pk", filter=Q(succeeded_at__isnull=False)),
            under_way=Count("pk", filter=_UNDER_WAY),
            requested=Count("pk", filter=Q(requested_at__isnull=False)),
            failing=Count("pk", filter=_FAILING),
            causes=ArrayAgg("cause", filter=_FAILING, distinct=True, default=[]),
            newest=Max("succeeded_at"),
            oldest=Min("succeeded_at"),
            began=Min("reading_since"),
            records_read=Sum("read", filter=_UNDER_WAY, default=0),
            records_known=Sum("to_read", filter=_UNDER_WAY, default=0),
            unknown=Count("pk", filter=_UNDER_WAY & Q(to_read=None)),
        )
    )
    order = list(Kind)
    by_connection: dict[int, list[KindHealth]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: order.index(Kind(row["kind"]))):
        by_connection[row["connection"]].append(
            KindHealth(
                kind=Kind(row["kind"]),
                streams=row["streams"],
                finished=row["finished"],
                under_way=row["under_way"],
                requested=row["requested"],
                failing=row["failing"],
                causes=frozenset(row["causes"]),
                newest=row["newest"],
                oldest=row["oldest"],
                began=row["began"],
                read=row["records_read"],
                to_read=None if row["unknown"] or not row["under_way"] else row["records_known"],
            )
        )
    return by_connection


def _problems() -> dict[int, list[Stream]]:
    """Failing streams, each with the reason and the remedy."""
    nth = Window(RowNumber(), partition_by=F("resource__connection_id"), order_by=[F("failures").desc(), F("pk")])
    failing = _streams().filter(_FAILING).annotate(nth=nth).filter(nth__lte=PROBLEMS_SHOWN)
    by_connection: dict[int, list[Stream]] = defaultdict(list)
    for stream in failing.select_related("resource").order_by("nth"):
        by_connection[stream.resource.connection_id].append(stream)
    return by_connection


def _hooks() -> dict[int, HookHealth]:
    newest_first = WebhookDelivery.objects.filter(connection=OuterRef("pk")).order_by("-received_at", "-pk")
    last = synced_connections().annotate(last=Subquery(newest_first.values("pk")[:1])).exclude(last=None)
    waiting = _counted(WebhookDelivery.objects.filter(state=WebhookDelivery.State.WAITING), "connection_id")
    return {
        delivery.connection_id: HookHealth(delivery.received_at, delivery.event, waiting.get(delivery.connection_id, 0))
        for delivery in WebhookDelivery.objects.filter(pk__in=last.values("last")).defer("body")
    }


def _mirrors() -> dict[int, MirrorHealth]:
    sources = RepositorySource.objects.filter(connection__in=synced_connections()).order_by().values("connection_id")
    mirrors = sources.annotate(
        mirrored=Count("pk"),
        unread=Count("pk", filter=Q(synced_at=None)),
        failed=Count("pk", filter=_FAILING),
        newest=Max("synced_at"),
    )
    return {
        row["connection_id"]: MirrorHealth(row["mirrored"], row["unread"], row["failed"], row["newest"])
        for row in mirrors
    }


def _resources() -> dict[int, tuple[int, int, int]]:
    """The numbers of listed resources, of picked ones, and of picked ones without a webhook, by connection."""
    here = Q(gone_at=None)
    rows = (
        Resource.objects.order_by()
        .values_list("connection_id")
        .annotate(
            listed=Count("pk", filter=here),
            synced=Count("pk", filter=here & Q(picked=True)),
            hook_problems=Count("pk", filter=here & Q(picked=True) & ~Q(hook_problem="")),
        )
    )
    return {connection: (listed, picked, problems) for connection, listed, picked, problems in rows}


def _counted(rows: QuerySet[Any], by: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(by).annotate(Count("pk")))
