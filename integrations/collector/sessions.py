"""Sessions that machines report, stored as events like those of telemetry: each call counts once.

A request or tool call with the agent's own id is merged with the same one from telemetry.  A request without such an id
is dropped in favour of telemetry (integrations/telemetry/sessions/fold_wrappers.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from integrations.code.attribution.git_ai_notes import agent_of_tool
from integrations.collector.fields import RefusedReportError, count_in, list_in, object_in, text_in, time_in
from integrations.models import ToolOutcome
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.agents.values import MICROSECONDS_AHEAD, MICROSECONDS_TO_2000, NANOSECONDS_PER_MICROSECOND
from integrations.telemetry.otlp.decoded import DIGEST_BYTES, DecodedRequest
from integrations.telemetry.otlp.ingest_tokens import Sender
from integrations.telemetry.otlp.session_keys import AuthorNames, SessionKey
from integrations.telemetry.otlp.store import store
from integrations.telemetry.otlp.store_rows import YEAR_2000, EventRow, Figures
from integrations.telemetry.sessions.fold_tables import COLLECTOR

MOST_SESSIONS = 2_000
MOST_ACTIVITIES = 5_000
LONGEST_ID = 200
LONGEST_WORD = 120
_TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")


class _Place(NamedTuple):
    """A session of a report, with its position for error messages."""

    key: SessionKey
    where: str
    sender: Sender
    now: int  # microseconds since 2000


def sessions_in(report: Mapping[str, Any], sender: Sender) -> DecodedRequest:
    """The events of a report's sessions; empty for collectors before 0.2, which send none.  Raises
    RefusedReportError.
    """
    decoded = DecodedRequest(now=time.time_ns() // NANOSECONDS_PER_MICROSECOND - MICROSECONDS_TO_2000)
    sessions = list_in(report.get("sessions", []), "sessions", MOST_SESSIONS)
    for number, given in enumerate(sessions):
        where = f"sessions[{number}]"
        session = object_in(given, where)
        agent = agent_of_tool(text_in(session.get("agent"), f"{where}.agent", 40))
        key = SessionKey(
            agent,
            text_in(session.get("session"), f"{where}.session", LONGEST_ID),
            text_in(session.get("version"), f"{where}.version", 60, empty=True),
            AuthorNames(agent, "", "", "", "", ""),
        )
        decoded.events += _events(session, _Place(key, where, sender, decoded.now))
    if len(decoded.events) > MOST_ACTIVITIES:
        raise RefusedReportError(f"sessions have more than {MOST_ACTIVITIES:,} requests, tool calls and turns.")
    return decoded


def store_sessions(decoded: DecodedRequest, sender: Sender) -> None:
    """Store the events for the person of the token, each once."""
    if decoded.events:
        store(decoded, sender=sender)


def _events(session: Mapping[str, Any], place: _Place) -> Iterator[EventRow]:
    for request in _objects(session, "requests", place):
        where = f"{place.where}.requests"
        counts = {name: count_in(request.get(name), f"{where}.{name}") for name in _TOKENS}
        hourly = request.get("cache_write_1h_tokens")
        figures = Figures(
            "request",
            text_in(request.get("id"), f"{where}.id", LONGEST_ID),
            text_in(request.get("model"), f"{where}.model", LONGEST_WORD, empty=True),
            input_tokens=counts["input_tokens"],
            cache_read_tokens=counts["cache_read_tokens"],
            cache_write_tokens=counts["cache_write_tokens"],
            cache_write_1h_tokens=None if hourly is None else count_in(hourly, f"{where}.cache_write_1h_tokens"),
            output_tokens=counts["output_tokens"],
            sender=COLLECTOR,
        )
        yield _row(EventKind.REQUEST, request, figures, f"{where}.at", place)
    for call in _objects(session, "tool_calls", place):
        where = f"{place.where}.tool_calls"
        outcome, duration = call.get("outcome"), call.get("duration_ms")
        if outcome not in ToolOutcome.values:
            raise RefusedReportError(f"{where}.outcome is not one of {', '.join(ToolOutcome.values)}.")
        figures = Figures(
            "tool_call",
            text_in(call.get("id"), f"{where}.id", LONGEST_ID),
            tool=text_in(call.get("tool"), f"{where}.tool", LONGEST_WORD),
            outcome=outcome,
            duration_ms=None if duration is None else count_in(duration, f"{where}.duration_ms"),
            sender=COLLECTOR,
        )
        yield _row(EventKind.TOOL_CALL, call, figures, f"{where}.at", place)
    for at in list_in(session.get("turns"), f"{place.where}.turns", MOST_ACTIVITIES):
        yield _row(EventKind.PROMPT, {"at": at}, Figures("turn", sender=COLLECTOR), f"{place.where}.turns", place)


def _objects(session: Mapping[str, Any], name: str, place: _Place) -> Iterator[Mapping[str, Any]]:
    where = f"{place.where}.{name}"
    return (object_in(given, where) for given in list_in(session.get(name), where, MOST_ACTIVITIES))


def _row(kind: EventKind, given: Mapping[str, Any], figures: Figures, where: str, place: _Place) -> EventRow:
    at = _microseconds(time_in(given.get("at"), where), where, place.now)
    identity = repr((place.sender.identity_id, place.key.agent, place.key.external_id, int(kind), at, *figures))
    digest = blake2b(identity.encode(errors="replace"), digest_size=DIGEST_BYTES, person=b"collector").digest()
    return EventRow(at, digest, place.key, kind, figures)


def _microseconds(moment: datetime, where: str, now: int) -> int:
    difference = moment - YEAR_2000
    at = (difference.days * 86_400 + difference.seconds) * 1_000_000 + difference.microseconds
    if at < 0:
        raise RefusedReportError(f"{where} lies before the year 2000.")
    if at > now + MICROSECONDS_AHEAD:
        raise RefusedReportError(f"{where} lies more than a day in the future. Is the machine’s clock right?")
    return at
