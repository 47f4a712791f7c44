"""Cline: both generations of its events, and its counters."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import AgentRequest, AgentSession
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import outcomes, tokens
from tests.telemetry.intake import NOW, SECOND, Intake, Json, counter, json_attributes, log_record, logs, metrics

pytestmark = pytest.mark.django_db

CLINE = {"service.name": "cline", "enduser.id": "ada@example.com"}
TASK = {"ulid": "01TASK", "extension_version": "3.40.0", "platform": "Visual Studio Code", "distinct_id": "machine-1"}
USAGE = {"tokensIn": 1200, "tokensOut": 80, "cacheReadTokens": 1000, "cacheWriteTokens": 0, "totalCost": 0.0014}


def event(name: str, seconds: int = 0, **attributes: Any) -> Json:
    named = {**TASK, "provider": "anthropic", "model": "claude-sonnet-4-5", **attributes}
    return log_record(named, body={"stringValue": name}, timeUnixNano=str(NOW - 60 * SECOND + seconds * SECOND))


def test_the_extension_says_tokens_with_a_turn_and_repeats_some(intake: Intake) -> None:
    turn = event("task.conversation_turn", 1, source="assistant", mode="act", **USAGE)
    repeated = event("task.tokens", 2, tokensIn=1200, tokensOut=80)
    prompted = event("task.conversation_turn", source="user")
    intake.send(logs(event("task.created"), prompted, turn, repeated, event("ui.button_clicked"), resource=CLINE))
    assert tokens() == (200, 1000, 0, 80)
    assert AgentRequest.objects.get().reported_cost is not None
    assert (AgentSession.objects.get().external_id, AgentSession.objects.get().agent) == ("01TASK", "cline")
    assert intake.counted(known=False) == {}


def test_programs_of_the_sdk_say_them_apart(intake: Intake) -> None:
    turn = event("task.conversation_turn", 1, source="assistant", agentId="a1")
    intake.send(logs(turn, event("task.tokens", 2, agentId="a1", **USAGE), resource=CLINE))
    assert tokens() == (200, 1000, 0, 80)
    assert AgentRequest.objects.count() == 1


def test_input_without_cached_tokens_is_known_by_provider(intake: Intake) -> None:
    apart = {**USAGE, "tokensIn": 200}
    for seconds, provider, usage in ((1, "anthropic", apart), (2, "anthropic", {**apart, "cacheReadTokens": 100})):
        intake.send(
            logs(
                event("task.conversation_turn", seconds, source="assistant", **usage, provider=provider), resource=CLINE
            )
        )
        fold_received_batches()
    intake.send(
        logs(event("task.conversation_turn", 3, source="assistant", provider="openai", **USAGE), resource=CLINE)
    )
    assert tokens() == (200 + 200 + 200, 1000 + 100 + 1000, 0, 240)


@pytest.mark.parametrize("missing", ["undefined", "null", ""])
def test_a_missing_number_as_text_is_missing(intake: Intake, missing: str) -> None:
    usage: dict[str, Any] = {**USAGE, "cacheWriteTokens": missing, "totalCost": missing}
    intake.send(logs(event("task.conversation_turn", source="assistant", **usage), resource=CLINE))
    assert tokens() == (200, 1000, 0, 80)
    assert intake.reasons == []


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        ({"success": True, "autoApproved": True}, "succeeded"),
        ({"success": False, "autoApproved": True}, "failed"),
        ({"success": False, "autoApproved": False}, "refused"),
        ({"success": False}, "failed"),
    ],
)
def test_how_a_call_ended(intake: Intake, sent: dict[str, bool], outcome: str) -> None:
    intake.send(logs(event("task.tool_used", tool="execute_command", **sent), resource=CLINE))
    assert list(outcomes().values()) == [outcome]


def test_counters_alone_give_the_same_tokens_and_lines(intake: Intake) -> None:
    amounts = {
        "cline.tokens.input.total": 1200,
        "cline.tokens.output.total": 80,
        "cline.cache.read.tokens.total": 1000,
        "cline.ai_output.accepted.lines_added.total": 7,
        "cline.turns.total": 1,
    }

    def point(value: float, **attributes: str) -> Json:
        times = {"startTimeUnixNano": str(NOW - 60 * SECOND), "timeUnixNano": str(NOW)}
        return {**times, "asDouble": value, "attributes": json_attributes({"model": "gpt-5", **attributes})}

    counters = [counter(name, point(value, **TASK)) for name, value in amounts.items()]
    unnamed = counter("cline.tokens.input.total", point(5, extension_version="3.40.0"))
    intake.send(metrics(*counters, unnamed, resource=CLINE))
    assert tokens() == (200, 1000, 0, 80)
    assert AgentSession.objects.get().lines_added == 7
