"""Records without a session id count for their person, and how many sessions they were stays unknown."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from integrations.facts.ai import AGENT_SESSIONS
from integrations.models import AgentSession, AgentSessionDay, Enrolment, UnreadEvent
from integrations.telemetry.agents.dictionary import set_value_mapping
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.otlp.decode_unread import AGENT, SIGNAL
from integrations.telemetry.otlp.store_tallies import add_up_tallies
from integrations.telemetry.reread import reprocess_unread_events
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import CHAT, CODEX, COPILOT, GEMINI, VS_CODE, codex_event, span, tokens
from tests.telemetry.intake import (
    ADA,
    NOW,
    REQUEST,
    SECOND,
    Intake,
    Json,
    counter,
    json_attributes,
    log_record,
    logs,
    metrics,
    rows,
    spans,
)
from tests.telemetry.raw_rows import days_cut_in

pytestmark = pytest.mark.django_db

PERSON = {name: value for name, value in ADA.items() if name != "session.id"}
UNNAMED = {name: value for name, value in REQUEST.items() if name != "session.id"}


def midnight() -> int:
    """The one before now, in nanoseconds."""
    return int(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * SECOND


def noon_of_yesterday() -> int:
    return midnight() - 12 * 3600 * SECOND


def request(number: int = 1, *, at: int | None = None, **attributes: Any) -> Json:
    """A request at yesterday's noon, unless another time is given."""
    sent = {**UNNAMED, "request_id": f"req_{number}", **attributes}
    return log_record(sent, timeUnixNano=str((at or noon_of_yesterday()) + number * SECOND))


def lines(value: float, *, at: int | None = None, start: int | None = None, **attributes: Any) -> Json:
    at = at or noon_of_yesterday()
    return {
        "startTimeUnixNano": str(start or at - 60 * SECOND),
        "timeUnixNano": str(at),
        "asDouble": value,
        "attributes": json_attributes({**PERSON, "type": "added", **attributes}),
    }


def used() -> list[Json]:
    fold_received_batches()
    return rows(
        "SELECT person_id IS NOT NULL AS is_somebody, agent, sessions, unnamed_requests, active_seconds,"
        f" lines_generated FROM ({AGENT_SESSIONS.sql}) AS used ORDER BY agent, day"
    )


def test_a_person_s_requests_tools_and_lines_count_without_a_session(intake: Intake) -> None:
    called = {**PERSON, "event.name": "tool_result", "tool_name": "Edit", "success": "true", "tool_use_id": "t1"}
    intake.send(logs(request(1), request(2), log_record(called, timeUnixNano=str(noon_of_yesterday()))))
    intake.send(metrics(counter("claude_code.lines_of_code.count", lines(80.0))))
    assert used() == [
        {
            "is_somebody": True,
            "agent": "claude_code",
            "sessions": None,
            "unnamed_requests": 2,
            "active_seconds": None,
            "lines_generated": 80,
        }
    ]
    assert tokens() == (200, 2000, 100, 20)
    assert AgentSessionDay.objects.aggregate(Sum("tool_calls")) == {"tool_calls__sum": 1}
    assert Enrolment.objects.count() == 1
    assert intake.counted(known=False) == {}


def test_the_same_tokens_by_events_and_metrics_count_once_in_any_order(intake: Intake) -> None:
    """Metrics by the installation alone, events by the address too."""
    machine: Any = {"enduser.id": "", "model": "claude-sonnet-4-5", "type": "output"}
    sent = [
        logs(request(1)),
        metrics(counter("claude_code.token.usage", lines(10.0, **machine))),
    ]
    for number, order in enumerate(itertools.permutations(sent)):
        for body in order:
            intake.send(body)
        assert (len(used()), number) == (1, number)
    assert tokens() == (100, 1000, 50, 10)


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        (
            CODEX,
            lambda: logs(codex_event("sse_event", **{"conversation.id": None}, input_token_count=7), resource=CODEX),
        ),
        (
            GEMINI,
            lambda: logs(
                log_record({"event.name": "gemini_cli.api_response", "model": "gemini-3-pro", "input_token_count": 7}),
                resource=GEMINI,
            ),
        ),
        (
            COPILOT,
            lambda: spans(
                span("chat", **{**CHAT, "gen_ai__conversation__id": None}),
                resource={name: value for name, value in COPILOT.items() if name != "service.instance.id"},
            ),
        ),
    ],
    ids=["codex", "gemini", "copilot"],
)
def test_every_agent_s_requests_count_where_a_relay_drops_the_session(intake: Intake, resource: Any, body: Any) -> None:
    intake.send(body())
    [use] = used()
    assert (use["is_somebody"], use["sessions"], use["unnamed_requests"]) == (True, None, 1)
    assert sum(tokens()) > 0


def test_a_million_records_become_many_rows_of_one_day(intake: Intake) -> None:
    """One per person, installation, agent and day."""
    for day, person, machine in itertools.product(range(2), ("ada", "ben"), ("one", "two")):
        who = {"enduser.id": f"{person}@example.com", "user.id": f"{person} {machine}"}
        at = noon_of_yesterday() - day * 86_400 * SECOND
        intake.send(logs(*(request(number, at=at, **who) for number in range(5))))
    assert [(use["sessions"], use["unnamed_requests"]) for use in used()] == [(None, 5)] * 8


def test_the_day_is_one_of_the_installation(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TIME_ZONE", "America/Los_Angeles")
    with days_cut_in("America/Los_Angeles"):
        intake.send(logs(request(1, at=midnight() - 60 * SECOND), request(2, at=midnight())))
        assert [use["unnamed_requests"] for use in used()] == [2]
        started = AgentSession.objects.get().started_on
        assert started is not None
        assert str(started) in AgentSession.objects.get().external_id


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_counter_that_runs_over_midnight_counts_once(intake: Intake, order: Sequence[int]) -> None:
    start = midnight() - 7200 * SECOND
    readings = [(midnight() - 600 * SECOND, 10.0), (midnight() + 60 * SECOND, 25.0), (midnight() + 1800 * SECOND, 30.0)]
    readings = [(at - 86_400 * SECOND, value) for at, value in readings]
    for position in order:
        at, value = readings[position]
        point = lines(value, at=at, start=start - 86_400 * SECOND)
        intake.send(metrics(counter("claude_code.lines_of_code.count", point, temporality=2)))
        fold_received_batches()
    days = AgentSessionDay.objects.order_by("day").values_list("lines_added", flat=True)
    assert list(days) == [10, 20]


def test_a_session_under_another_name_is_found_once_somebody_says_so(intake: Intake) -> None:
    """A relay moved the session id to an attribute of its own: the requests count at once, and move later."""
    intake.send(logs(request(1, relay_sid="s1"), request(2, relay_sid="s2"), request(3, relay_sid="s2")))
    [use] = used()
    assert (use["sessions"], use["unnamed_requests"]) == (None, 3)
    add_up_tallies()
    for unread in UnreadEvent.objects.filter(attribute="relay_sid"):
        set_value_mapping(unread, "session.id")
    assert reprocess_unread_events() == 3
    assert [(use["sessions"], use["unnamed_requests"]) for use in used()] == [(1, 0), (1, 0)]
    assert tokens() == (300, 3000, 150, 30)


def test_who_names_nobody_counts_for_the_organisation_alone(intake: Intake) -> None:
    nobody: Any = {"enduser.id": None, "user.id": None}
    intake.send(logs(request(1, **nobody)))
    [use] = used()
    assert (use["is_somebody"], use["sessions"], use["unnamed_requests"]) == (False, None, 1)


def test_what_was_stored_before_is_read_again(intake: Intake) -> None:
    """An earlier version kept such records as not understood."""
    intake.send(logs(request(1)))
    before = {name: value for name, value in UNNAMED.items() if isinstance(value, str | int)}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_agent_event SET session_id = NULL, kind = %s, attributes = %s::jsonb",
            [EventKind.UNREAD, json.dumps({**before, AGENT: "claude_code", SIGNAL: "logs"})],
        )
    AgentSession.objects.all().delete()
    UnreadEvent.objects.create(
        agent="claude_code",
        signal="logs",
        name="api_request",
        count=1,
        first_at=timezone.now(),
        last_at=timezone.now(),
        tried_with="before",
    )
    assert reprocess_unread_events() == 1
    [use] = used()
    assert (use["is_somebody"], use["unnamed_requests"]) == (True, 1)
    assert tokens() == (100, 1000, 50, 10)


def test_a_window_s_requests_without_a_conversation_are_a_session_of_its_developer(intake: Intake) -> None:
    sent = {**CHAT, "gen_ai__conversation__id": None}
    tool = span(
        "execute_tool", 3, gen_ai__conversation__id=None, gen_ai__tool__name="readFile", gen_ai__tool__call__id="c"
    )
    intake.send(spans(span("chat", 1, **sent), tool, resource=VS_CODE))
    intake.send(spans(span("chat", 2, trace="8e" * 16, **sent), resource=VS_CODE))
    [use] = used()
    assert (use["is_somebody"], use["sessions"]) == (True, 1)
    assert tokens() == (20, 120, 60, 18)
    assert AgentSessionDay.objects.aggregate(Sum("tool_calls")) == {"tool_calls__sum": 1}


def added(value: float) -> Json:
    point = {
        "timeUnixNano": str(NOW - 30 * SECOND),
        "asDouble": value,
        "attributes": json_attributes({"type": "added"}),
    }
    return metrics(counter("copilot_chat.lines_of_code.count", point), resource=VS_CODE)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_window_keeps_its_own_requests_beside_its_conversations(intake: Intake, order: Sequence[int]) -> None:
    """Inline chat beside a conversation; the window's lines go to the conversation."""
    bodies = [
        spans(span("chat", 1, **{**CHAT, "gen_ai__conversation__id": None}), resource=VS_CODE),
        spans(span("chat", 2, **CHAT), resource=VS_CODE),
        added(6.0),
    ]
    for position in order:
        intake.send(bodies[position])
        fold_received_batches()
    assert sum(use["sessions"] for use in used()) == 2
    assert tokens() == (20, 120, 60, 18)
    figures = AgentSessionDay.objects.aggregate(Sum("lines_added"))
    assert figures == {"lines_added__sum": 6}


def test_a_window_that_only_counts_lines_is_no_session(intake: Intake) -> None:
    intake.send(added(6.0))
    assert used() == []
