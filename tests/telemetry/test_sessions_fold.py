"""From raw rows to sessions, their days and their tools."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from integrations.models import AgentRequest, AgentSession, AgentSessionDay, AgentToolCall, AgentToolDay, ReceivedBatch
from integrations.telemetry.events import EventKind, Measure
from integrations.telemetry.fold import fold_received_batches
from tests.telemetry.raw_rows import Event, Point, at, receive

pytestmark = pytest.mark.django_db

MODEL = "claude-sonnet-4-5"


def fold(*records: Event | Point) -> AgentSession:
    """Receive the records and fold them; the one session they are of."""
    receive(records)
    fold_received_batches()
    return AgentSession.objects.get()


def test_a_request_becomes_a_figure_of_its_day() -> None:
    session = fold(
        Event(at("2026-03-02 10:00"), kind=EventKind.PROMPT),
        Event(
            at("2026-03-02 10:05"),
            kind=EventKind.REQUEST,
            key="r1",
            model=MODEL,
            tokens=(2102, 11006, 619, 432),
            reported_cost=0.01840905,
        ),
    )
    figures = AgentSessionDay.objects.get()
    assert (figures.day, figures.source, figures.model) == (date(2026, 3, 2), "events", MODEL)
    assert (figures.requests, figures.input_tokens, figures.output_tokens) == (1, 2102, 432)
    assert (figures.cache_read_tokens, figures.cache_write_tokens) == (11006, 619)
    assert figures.spend == figures.reported_cost == Decimal("0.01840905")
    assert (session.started_at, session.ended_at) == (at("2026-03-02 10:00"), at("2026-03-02 10:05"))
    assert (session.active_seconds, session.event_tokens, session.has_work) == (300, 14159, True)
    assert not ReceivedBatch.objects.exists()
