"""The rows of the two raw tables, and their bytes in PostgreSQL's binary COPY format.

Building the bytes by hand costs a third of what psycopg's write_row does, and the server reads them twice as fast as
text: measured with 1,000 rows of 18 columns, 5.4 µs a row altogether against 7.6 (write_row) and 10.0 (text).
https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from struct import Struct
from typing import NamedTuple

from integrations.telemetry.sightings import SessionKey

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

EVENT_TABLE = "integrations_agent_event"
EVENT_COLUMNS = (
    "at, digest, batch_id, session_id, kind, name, key, model, tool, outcome, error_type, "
    "input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, duration_ms, reported_cost, "
    "cache_write_1h_tokens, service_tier, attributes"
)
POINT_TABLE = "integrations_agent_point"
POINT_COLUMNS = "at, series, start, batch_id, session_id, cumulative, measure, model, value"


class EventRow(NamedTuple):
    """One event; what is known only when it is stored (batch, session) is left out."""

    at: int  # microseconds since 2000
    digest: bytes
    session: SessionKey | None
    kind: int
    figures: bytes  # the columns from `name` on, encoded


class PointRow(NamedTuple):
    """One metric point; `measure_and_model` are those two columns, encoded."""

    at: int
    series: bytes
    start: int
    session: SessionKey
    cumulative: bool
    measure_and_model: bytes
    value: float


_length = Struct(">i").pack
_whole = Struct(">iq").pack
NULL = _length(-1)
_event_start = Struct(">h iq i16s iq iq ih".replace(" ", "")).pack
_event_start_without_session = Struct(">h iq i16s iq i ih".replace(" ", "")).pack
_point_start = Struct(">h iq i16s iq iq iq i?".replace(" ", "")).pack
_double = Struct(">id").pack
_numeric = Struct(">ihhHH6H").pack


def text(value: str) -> bytes:
    encoded = value.encode()
    return _length(len(encoded)) + encoded


def whole(value: int) -> bytes:
    return _whole(8, value)


def json(value: bytes) -> bytes:
    version_of_jsonb = b"\x01"
    return _length(len(value) + 1) + version_of_jsonb + value


def money(amount: float) -> bytes:
    """A numeric with ten decimals; `amount` is not negative and below 10**9."""
    # Digits of base 10,000: three before the point and three after it; the server strips the zeros.
    carried, decimals = divmod(round(amount % 1 * 10**10) * 100, 10**12)
    dollars = int(amount) + carried
    return _numeric(
        *(20, 6, 2, 0, 10),  # bytes, digits, weight of the first digit, sign, decimals that are shown
        *(dollars // 10**8, dollars // 10**4 % 10**4, dollars % 10**4),
        *(decimals // 10**8, decimals // 10**4 % 10**4, decimals % 10**4),
    )


def encoded_events(rows: Iterable[EventRow], batch_id: int, sessions: Mapping[SessionKey, int]) -> bytes:
    chunks = [HEADER]
    for at, digest, session, kind, figures in rows:
        if session is None:
            chunks.append(_event_start_without_session(20, 8, at, 16, digest, 8, batch_id, -1, 2, kind))
        else:
            chunks.append(_event_start(20, 8, at, 16, digest, 8, batch_id, 8, sessions[session], 2, kind))
        chunks.append(figures)
    chunks.append(TRAILER)
    return b"".join(chunks)


def encoded_points(rows: Iterable[PointRow], batch_id: int, sessions: Mapping[SessionKey, int]) -> bytes:
    chunks = [HEADER]
    for at, series, start, session, cumulative, measure_and_model, value in rows:
        chunks.append(_point_start(9, 8, at, 16, series, 8, start, 8, batch_id, 8, sessions[session], 1, cumulative))
        chunks.append(measure_and_model)
        chunks.append(_double(8, value))
    chunks.append(TRAILER)
    return b"".join(chunks)
