"""Raw telemetry rows as the receiver stores them, written without it: for tests of the fold alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db import connection, connections, transaction

from integrations.models import AgentSession, ReceivedBatch
from integrations.telemetry.agents.events import EventKind, Measure
from orgtree.identities.resolving import IdentityName, identify
from orgtree.models import IdentityKind


@dataclass(frozen=True)
class Event:
    """A row of integrations_agent_event, by its session's id as the agent sends it."""

    at: datetime
    session: str = "session-1"
    email: str = "ada@example.com"
    kind: EventKind = EventKind.SESSION
    key: str = ""
    model: str = ""
    tool: str = ""
    outcome: str = ""
    error_type: str = ""
    tokens: tuple[int, int, int, int] = (0, 0, 0, 0)
    duration_ms: int | None = None
    reported_cost: float | None = None
    hour_tokens: int | None = None  # of the third of `tokens`; None: the agent does not say
    tier: str = ""
    digest: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True)
class Point:
    """A row of integrations_agent_point."""

    at: datetime
    value: float
    measure: Measure = Measure.OUTPUT_TOKENS
    start: datetime | None = None
    session: str = "session-1"
    email: str = "ada@example.com"
    cumulative: bool = False
    model: str = ""
    series: uuid.UUID | None = None


def receive(records: Sequence[Event | Point]) -> None:
    """Store the records as one batch, leaving out those that are stored already."""
    with transaction.atomic():
        batch = ReceivedBatch.objects.create(
            at_from=min(record.at for record in records), at_to=max(record.at for record in records)
        )
        sessions = {}
        for external_id, email in sorted({(record.session, record.email) for record in records}):
            session, _ = AgentSession.objects.get_or_create(
                agent="claude_code",
                external_id=external_id,
                identity_id=identify([[IdentityName(IdentityKind.EMAIL, "", email)]])[0],
                defaults={"started_at": records[0].at, "ended_at": records[0].at},
            )
            sessions[external_id, email] = session.pk
        for day in {record.at.astimezone(UTC).date() for record in records}:
            _make_partitions(day)
        with connection.cursor() as cursor:
            for record in records:
                session_id = sessions[record.session, record.email]
                if isinstance(record, Event):
                    cursor.execute(
                        """
                        INSERT INTO integrations_agent_event (
                            at, digest, batch_id, session_id, kind, name, key, model, tool, outcome, error_type,
                            input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, duration_ms,
                            reported_cost, cache_write_1h_tokens, service_tier
                        )
                        VALUES (%s, %s, %s, %s, %s, '', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                        ON CONFLICT DO NOTHING
                        """,
                        [
                            *(record.at, record.digest, batch.pk, session_id, record.kind, record.key, record.model),
                            *(record.tool, record.outcome, record.error_type, *record.tokens),
                            *(record.duration_ms, record.reported_cost, record.hour_tokens, record.tier),
                        ],
                    )
                else:
                    series = record.series or uuid.uuid5(
                        uuid.NAMESPACE_OID, f"{record.session} {record.email} {record.measure} {record.model}"
                    )
                    cursor.execute(
                        """
                        INSERT INTO integrations_agent_point (
                            at, series, start, batch_id, session_id, cumulative, measure, model, value
                        )
                        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
                        ON CONFLICT DO NOTHING
                        """,
                        [
                            *(record.at, series, record.start or record.at, batch.pk, session_id),
                            *(record.cumulative, record.measure.value, record.model, record.value),
                        ],
                    )


def _make_partitions(day: date) -> None:
    with connection.cursor() as cursor:
        for table in ("integrations_agent_event", "integrations_agent_point"):
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {table}_{day:%Y%m%d} PARTITION OF {table} "
                f"FOR VALUES FROM ('{day} 00:00Z') TO ('{day + timedelta(days=1)} 00:00Z')"
            )


@contextmanager
def days_cut_in(zone: str) -> Iterator[None]:
    """HEADWAY_TIME_ZONE for this connection."""
    before = connection.settings_dict["TIME_ZONE"]
    _cut_days_in(zone)
    try:
        yield
    finally:
        _cut_days_in(before)


def _cut_days_in(zone: str | None) -> None:
    wrapper = connections["default"]
    wrapper.settings_dict["TIME_ZONE"] = zone
    for name in ("timezone", "timezone_name"):
        wrapper.__dict__.pop(name, None)
    wrapper.ensure_timezone()


def at(text: str) -> datetime:
    """A moment in UTC: at("2026-03-02 10:00")."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
