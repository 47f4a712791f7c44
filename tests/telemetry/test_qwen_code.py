"""Qwen Code: Gemini CLI's events under a prefix of their own."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import AgentSession
from integrations.telemetry.agents.gemini_cli import GEMINI_CLI
from integrations.telemetry.agents.qwen_code import QWEN_CODE
from tests.telemetry.agent_records import outcomes, tokens
from tests.telemetry.intake import NOW, SECOND, Intake, Json, counter, json_attributes, log_record, logs, metrics

pytestmark = pytest.mark.django_db

QWEN = {"service.name": "qwen-code", "service.version": "v22.1.0", "enduser.id": "ada@example.com"}
ANSWER = {
    "model": "qwen3-coder-plus",
    "input_token_count": 1000,
    "output_token_count": 100,
    "cached_content_token_count": 600,
    "thoughts_token_count": 20,
}


def event(name: str, **attributes: Any) -> Json:
    return log_record({"session.id": "s1", "event.name": f"qwen-code.{name}", **attributes})


@pytest.mark.parametrize(("total", "output"), [(1120, 120), (1100, 100), (None, 120)])
def test_the_total_says_whether_output_has_the_thoughts(intake: Intake, total: int | None, output: int) -> None:
    more = {} if total is None else {"total_token_count": total}
    intake.send(logs(event("api_response", response_id="r1", subagent_name="tester", **ANSWER, **more), resource=QWEN))
    assert tokens() == (400, 600, 0, output)
    session = AgentSession.objects.get()
    assert (session.agent, session.external_id, session.agent_version) == ("qwen_code", "s1", "v22.1.0")
    assert intake.counted(known=False) == {}


def test_a_failed_call_is_read(intake: Intake) -> None:
    intake.send(logs(event("tool_call", function_name="run_shell_command", success=False), resource=QWEN))
    assert list(outcomes().values()) == ["failed"]


def test_it_reads_every_event_that_gemini_cli_sends() -> None:
    assert GEMINI_CLI.events.keys() <= QWEN_CODE.events.keys()


def test_metrics_count_where_they_name_a_session(intake: Intake) -> None:
    def usage(kind: str, value: float, **attributes: str) -> Json:
        times = {"startTimeUnixNano": str(NOW - 60 * SECOND), "timeUnixNano": str(NOW)}
        labels = json_attributes({"type": kind, "model": "qwen3-coder-plus", **attributes})
        return counter("qwen-code.token.usage", {**times, "asDouble": value, "attributes": labels}, temporality=2)

    named = {"session.id": "s1"}
    points = usage("input", 1000, **named), usage("cache", 600, **named), usage("output", 100, **named)
    intake.send(metrics(*points, usage("thought", 20, **named), usage("input", 5), resource=QWEN))
    assert tokens() == (400, 600, 0, 100)
    assert AgentSession.objects.count() == 1
