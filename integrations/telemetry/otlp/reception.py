"""Summary of received telemetry, for pages that help to connect agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Max, Q, Sum
from django.utils import timezone

from integrations.models import AgentSession, IngestScope, IngestToken, QuarantinedRecord, UnreadEvent

SESSIONS_COUNTED = 1000  # beyond that the page says "more than"
UNNAMED_SINCE = timedelta(days=14)  # people who correct the settings should see the effect soon


@dataclass(frozen=True)
class Unread:
    """An agent whose stored telemetry is not understood yet."""

    agent: str
    count: int  # records that are not understood at all
    names: Sequence[str] = ()  # names of these records, the most frequent first
    attributes: Sequence[str] = ()  # unknown attributes of partly understood records, the most frequent first


@dataclass(frozen=True)
class Reception:
    sessions: int  # at most SESSIONS_COUNTED
    quarantined: int  # telemetry records that could not be stored and were not replayed
    last_quarantine_reason: str
    unread: Sequence[Unread]
    tokens: Sequence[IngestToken]  # valid for telemetry
    last_used_at: datetime | None  # of any token, revoked ones included; noted once a minute
    without_session: Sequence[str] = ()  # agents that sent records without a session id in the last weeks


def reception() -> Reception:
    """Summarise the received telemetry in a few small queries, independent of the amount of data."""
    waiting = QuarantinedRecord.objects.filter(replayed_at=None)
    last_problem = waiting.order_by("-received_at").values_list("reason", flat=True).first()
    unread = UnreadEvent.objects.filter(known=False).order_by("agent").values("agent")
    whole, part = Q(attribute=""), ~Q(attribute="")
    unread = unread.annotate(
        events=Sum("count", filter=whole, default=0),
        names=ArrayAgg("name", filter=whole, order_by=("-count", "name"), default=[]),
        attributes=ArrayAgg("attribute", filter=part, order_by=("-count", "attribute"), default=[]),
    )
    tokens = IngestToken.objects.select_related("identity__person").order_by("created_at")
    now = timezone.now()
    unnamed = AgentSession.objects.filter(is_unnamed=True, ended_at__gte=now - UNNAMED_SINCE)
    return Reception(
        sessions=AgentSession.objects.order_by()[:SESSIONS_COUNTED].count(),
        quarantined=waiting.count() if last_problem is not None else 0,
        last_quarantine_reason=last_problem or "",
        unread=[
            Unread(
                agent=row["agent"],
                count=row["events"],
                names=list(dict.fromkeys(row["names"])),
                attributes=list(dict.fromkeys(row["attributes"])),
            )
            for row in unread
        ],
        tokens=[
            token
            for token in tokens
            if not token.revoked_at
            and token.scope in ("", IngestScope.TELEMETRY)
            and (token.expires_at is None or token.expires_at > now)
        ],
        without_session=sorted(set(unnamed.values_list("agent", flat=True))),
        last_used_at=max((token.last_used_at for token in tokens if token.last_used_at), default=None),
    )


def last_session_of(email: str, *, agent: str = "") -> datetime | None:
    """The end of the last session of the person with this address, for one agent or any; None if there is none."""
    theirs = AgentSession.objects.filter(identity__person__email__iexact=email)
    if agent:
        theirs = theirs.filter(agent=agent)
    last_at: datetime | None = theirs.aggregate(last_at=Max("ended_at"))["last_at"]
    return last_at


def last_request_at() -> datetime | None:
    """The time when telemetry was last accepted, to the minute."""
    last_at: datetime | None = IngestToken.objects.aggregate(last_at=Max("last_used_at"))["last_at"]
    return last_at
