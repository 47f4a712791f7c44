"""Rows of the two raw tables, and copying them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from integrations.telemetry.agents.values import Value
from integrations.telemetry.otlp.session_keys import SessionKey

EVENT_TABLE = "integrations_agent_event"
POINT_TABLE = "integrations_agent_point"
LONGEST_NAME = 200
DIGEST = 3  # index of the digest in a row of either table
YEAR_2000 = datetime(2000, 1, 1, tzinfo=UTC)


class Figures(NamedTuple):
    """The columns of an event that are read from its record; empty for unread events."""

    name: str
    key: str = ""
    model: str = ""
    tool: str = ""
    outcome: str = ""
    error_type: str = ""
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    duration_ms: int | None = None
    reported_cost: Decimal | None = None
    cache_write_1h_tokens: int | None = None
    service_tier: str = ""
    sender: str = ""  # the program that counted, if programs differ on what input includes
    subtracted_tokens: int | None = None  # cached tokens taken out of the sender's input
    parts: Mapping[str, str] | None = None  # part → value; None if none is named
    span: str | None = None  # for a request that is a span: its id, and that of its parent
    parent_span: str | None = None
    attributes: Mapping[str, Value] | None = None


class EventRow(NamedTuple):
    """One event, without the columns that are known only when it is stored (batch, session id)."""

    at: int  # microseconds since 2000
    digest: bytes
    session: SessionKey | None
    kind: int
    figures: Figures


class PointRow(NamedTuple):
    """One metric point."""

    at: int
    series: bytes
    start: int
    session: SessionKey
    cumulative: bool
    measure: str
    model: str
    value: float


class Table(NamedTuple):
    """A raw table with its columns and types, in the order of copied values."""

    name: str
    digest: str  # the column that identifies a record
    columns: Mapping[str, str]

    @property
    def column_names(self) -> sql.Composable:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))

    def copy(self, cursor: CursorWrapper, into: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Copy rows into the table `into`, which has the same columns."""
        statement = sql.SQL("COPY {into} ({columns}) FROM STDIN (FORMAT BINARY)").format(
            into=sql.Identifier(into), columns=self.column_names
        )
        # Django's cursor does not convert psycopg's exceptions here.
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.set_types(list(self.columns.values()))
            for row in rows:
                copy.write_row(row)


EVENTS = Table(
    EVENT_TABLE,
    "digest",
    {
        "batch_id": "int8",
        "session_id": "int8",
        "at": "timestamptz",
        "digest": "uuid",
        "kind": "int2",
        **dict.fromkeys(("name", "key", "model", "tool", "outcome", "error_type"), "text"),
        **dict.fromkeys(
            ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "duration_ms"), "int8"
        ),
        "reported_cost": "numeric",
        "cache_write_1h_tokens": "int8",
        "service_tier": "text",
        "sender": "text",
        "subtracted_tokens": "int8",
        "parts": "jsonb",
        "span": "text",
        "parent_span": "text",
        "attributes": "jsonb",
        "place": "text",
    },
)
POINTS = Table(
    POINT_TABLE,
    "series",
    {
        "batch_id": "int8",
        "session_id": "int8",
        "at": "timestamptz",
        "series": "uuid",
        "start": "timestamptz",
        "cumulative": "bool",
        "measure": "text",
        "model": "text",
        "value": "float8",
        "place": "text",
    },
)


def events_in_order(rows: Iterable[EventRow]) -> list[EventRow]:
    """The rows sorted by the table's key, without duplicates."""
    return sorted({row[:2]: row for row in rows}.values(), key=itemgetter(0, 1))


def points_in_order(rows: Iterable[PointRow]) -> list[PointRow]:
    """The rows sorted by the table's key, without duplicates; the smallest of several values at one time."""
    once = {row[:3]: row for row in sorted(rows, key=attrgetter("value"), reverse=True)}
    return sorted(once.values(), key=itemgetter(0, 1, 2))


def event_values(rows: Iterable[EventRow], batch_id: int, sessions: Mapping[SessionKey, int]) -> list[tuple[Any, ...]]:
    """Values to copy, in the order of the columns."""
    return [
        (
            batch_id,
            None if session is None else sessions[session],
            time_at(at),
            UUID(bytes=digest),
            kind,
            *figures,
            _place_of(session),
        )
        for at, digest, session, kind, figures in rows
    ]


def point_values(rows: Iterable[PointRow], batch_id: int, sessions: Mapping[SessionKey, int]) -> list[tuple[Any, ...]]:
    return [
        (batch_id, sessions[session], time_at(at), UUID(bytes=series), time_at(start), *rest, _place_of(session))
        for at, series, start, session, *rest in rows
    ]


def _place_of(session: SessionKey | None) -> str:
    return session.place if isinstance(session, SessionKey) else ""  # reprocessed rows: the id of a session


def time_at(microseconds: int) -> datetime:
    """The time that many microseconds after the start of 2000."""
    return YEAR_2000 + timedelta(microseconds=microseconds)


def storable_name(name: str) -> str:
    """An external name, changed to fit a column."""
    return name.replace("\x00", "").encode(errors="replace").decode()[:LONGEST_NAME] or "(unnamed)"
