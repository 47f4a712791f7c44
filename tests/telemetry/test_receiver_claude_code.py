"""Rows from Claude Code's events, spans and metrics."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.telemetry.agents.events import EventKind
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
    point,
    spans,
)

pytestmark = pytest.mark.django_db
TOOL = {**ADA, "tool_name": "Edit", "tool_use_id": "toolu_1"}


@pytest.fixture
def intake() -> Intake:
    return Intake()


def event(name: str, attributes: dict[str, Any]) -> Json:
    return log_record({**attributes, "event.name": name}, body={"stringValue": f"claude_code.{name}"})


def span(name: str, attributes: dict[str, Any]) -> Json:
    return {
        "name": name,
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "startTimeUnixNano": str(NOW - SECOND),
        "endTimeUnixNano": str(NOW),
        "attributes": json_attributes(attributes),
    }


def test_an_answered_request(intake: Intake) -> None:
    intake.send(logs(log_record(REQUEST)))
    (stored,) = intake.events
    assert stored["kind"] == EventKind.REQUEST
    assert (stored["key"], stored["model"]) == ("req_1", "claude-sonnet-4-5")
    assert (
        stored["input_tokens"],
        stored["cache_read_tokens"],
        stored["cache_write_tokens"],
        stored["output_tokens"],
    ) == (
        *(100, 1000, 50),
        10,
    )
    assert (float(stored["reported_cost"]), stored["duration_ms"]) == (0.0095889, 98)


def test_a_failed_request_carries_its_status_and_no_message(intake: Intake) -> None:
    failed = {**ADA, "model": "m", "status_code": 529, "error": "the service said this", "request_id": "req_2"}
    intake.send(logs(event("api_error", failed)))
    (stored,) = intake.events
    assert (stored["kind"], stored["error_type"], stored["key"]) == (EventKind.REQUEST_ERROR, "529", "req_2")


@pytest.mark.parametrize(("success", "outcome"), [("true", "succeeded"), ("false", "failed"), (True, "succeeded")])
def test_a_tool_result(intake: Intake, success: Any, outcome: str) -> None:
    intake.send(
        logs(event("tool_result", {**TOOL, "success": success, "duration_ms": "24", "error_type": "ShellError"}))
    )
    (stored,) = intake.events
    assert (stored["kind"], stored["tool"], stored["key"]) == (EventKind.TOOL_CALL, "Edit", "toolu_1")
    assert (stored["outcome"], stored["duration_ms"], stored["error_type"]) == (outcome, 24, "ShellError")


def test_a_refused_tool_is_a_refused_call_and_an_accepted_one_is_known_by_its_result(intake: Intake) -> None:
    accepted = {**TOOL, "tool_use_id": "toolu_2"}
    intake.send(
        logs(
            event("tool_decision", {**TOOL, "decision": "reject", "source": "user_reject"}),
            event("tool_decision", {**accepted, "decision": "accept", "source": "config"}),
            event("tool_result", {**accepted, "success": "true"}),
        )
    )
    assert {(stored["key"], stored["outcome"]) for stored in intake.events} == {
        ("toolu_1", "refused"),
        ("toolu_2", "succeeded"),
    }
    assert intake.counted(known=True) == {("claude_code", "tool_decision"): 1}


def test_a_prompt_shows_the_session_at_work(intake: Intake) -> None:
    intake.send(logs(event("user_prompt", {**ADA, "prompt": "<REDACTED>", "prompt_length": "51"})))
    assert [stored["kind"] for stored in intake.events] == [EventKind.PROMPT]
    assert intake.dropped == {}


def test_the_name_is_taken_from_the_body_where_no_attribute_has_it(intake: Intake) -> None:
    nameless = {name: value for name, value in REQUEST.items() if name != "event.name"}
    intake.send(
        logs(
            log_record({**nameless, "request_id": "by body"}, body={"stringValue": "claude_code.api_request"}),
            log_record({**nameless, "request_id": "by event name"}, eventName="claude_code.api_request"),
        )
    )
    assert {stored["key"] for stored in intake.events} == {"by body", "by event name"}


def test_hooks_are_counted_and_make_no_session(intake: Intake) -> None:
    """`--continue` registers hooks under a session id that never appears again."""
    intake.send(logs(event("hook_registered", {**ADA, "hook_event": "Stop"})))
    assert intake.events == intake.sessions == []
    assert intake.counted(known=True) == {("claude_code", "hook_registered"): 1}


def test_an_event_of_a_later_version_is_kept_and_listed(intake: Intake) -> None:
    intake.send(logs(event("telepathy_used", {**ADA, "strength": 7, "transcript": "line\nline", "seen": {}})))
    (stored,) = intake.events
    assert (stored["kind"], stored["name"]) == (EventKind.UNREAD, "telepathy_used")
    attributes = json.loads(stored["attributes"])
    assert attributes["strength"] == 7
    assert "seen" not in attributes, "it has no value"
    assert intake.dropped == {"transcript": 1}
    assert intake.counted(known=False) == {("claude_code", "telepathy_used"): 1}


def test_spans_tell_of_the_same_requests_and_calls_as_events(intake: Intake) -> None:
    request = {name: value for name, value in REQUEST.items() if name not in ("event.name", "cost_usd")}
    call = {**ADA, "tool_use_id": "toolu_1"}
    intake.send(
        spans(
            span("claude_code.llm_request", {**request, "success": True}),
            span("claude_code.llm_request", {**request, "success": False, "request_id": "req_failed"}),
            span("claude_code.tool", {**call, "tool_name": "Bash", "full_command": "rm -r secrets", "duration_ms": 30}),
            span("claude_code.tool.execution", {**call, "success": False, "error": "exit code 3", "duration_ms": 12}),
            span("claude_code.tool.blocked_on_user", {**ADA, "decision": "accept"}),
            span("claude_code.interaction", {**ADA, "user_prompt": "please"}),
        )
    )
    by_name = {(stored["name"], stored["key"]): stored for stored in intake.events}
    assert by_name["claude_code.llm_request", "req_1"]["input_tokens"] == 100
    assert by_name["claude_code.llm_request", "req_failed"]["kind"] == EventKind.REQUEST_ERROR
    assert by_name["claude_code.tool", "toolu_1"]["tool"] == "Bash"
    assert by_name["claude_code.tool.execution", "toolu_1"]["outcome"] == "failed"
    assert by_name["claude_code.interaction", ""]["kind"] == EventKind.PROMPT
    assert intake.dropped == {"full_command": 1, "error": 1, "user_prompt": 1}


@pytest.mark.parametrize(
    ("metric", "attributes", "measure"),
    [
        ("token.usage", {"type": "input", "model": "m"}, "input_tokens"),
        ("token.usage", {"type": "cacheRead", "model": "m"}, "cache_read_tokens"),
        ("token.usage", {"type": "cacheCreation", "model": "m"}, "cache_write_tokens"),
        ("token.usage", {"type": "output", "model": "m"}, "output_tokens"),
        ("cost.usage", {"model": "m"}, "reported_cost"),
        ("lines_of_code.count", {"type": "added"}, "lines_added"),
        ("lines_of_code.count", {"type": "removed"}, "lines_removed"),
        ("commit.count", {}, "commits"),
        ("active_time.total", {"type": "cli"}, "active_seconds"),
        ("session.count", {"start_type": "fresh"}, "sessions"),
        ("session.count", {}, "sessions"),
    ],
)
def test_a_metric_is_kept_as_its_measure(intake: Intake, metric: str, attributes: dict[str, str], measure: str) -> None:
    intake.send(metrics(counter(f"claude_code.{metric}", point(2.5, attributes))))
    (stored,) = intake.points
    assert (stored["measure"], stored["value"], stored["model"]) == (measure, 2.5, attributes.get("model", ""))


@pytest.mark.parametrize("start_type", ["continue", "resume", "agents_view"])
def test_a_session_that_goes_on_is_no_new_one(intake: Intake, start_type: str) -> None:
    intake.send(metrics(counter("claude_code.session.count", point(1, {"start_type": start_type}))))
    assert intake.points == intake.sessions == []


def test_a_point_without_a_session_belongs_to_its_author_s_day(intake: Intake) -> None:
    intake.send(metrics(counter("claude_code.commit.count", point(1, {"session.id": ""}))))
    assert [stored["measure"] for stored in intake.points] == ["commits"]
    assert [session["external_id"][:15] for session in intake.sessions] == ["(no session id)"]
    assert intake.counted(known=False) == {}


@pytest.mark.parametrize(
    ("names", "identity"),
    [
        ({"enduser.id": "Ada@Example.com", "user.id": "inst"}, ("email", "ada@example.com")),
        ({"enduser.id": "ada", "user.id": "inst"}, ("login", "ada")),
        ({"user.email": "ada@example.com", "user.account_uuid": "acc"}, ("email", "ada@example.com")),
        ({"user.account_uuid": "acc", "user.id": "inst"}, ("agent_account", "acc")),
        ({"user.id": "inst"}, ("installation", "inst")),
        ({}, ("installation", "unnamed")),
    ],
)
def test_a_session_belongs_to_the_strongest_name(
    intake: Intake, names: dict[str, str], identity: tuple[str, str]
) -> None:
    attributes = {name: value for name, value in REQUEST.items() if name not in ("enduser.id", "user.id")}
    intake.send(logs(log_record({**attributes, **names})))
    (session,) = intake.sessions
    assert (session["kind"], session["value"]) == identity


def test_a_name_on_the_resource_counts_for_all_its_records(intake: Intake) -> None:
    attributes = {name: value for name, value in REQUEST.items() if name != "enduser.id"}
    resource = {"service.name": "claude-code", "enduser.id": "grace@example.com"}
    intake.send(logs(log_record(attributes), resource=resource))
    assert [session["value"] for session in intake.sessions] == ["grace@example.com"]
