"""Single records as each agent sends them, and what was made of them."""

from __future__ import annotations

from typing import Any

from integrations.models import AgentSessionDay, AgentToolCall
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.intake import NOW, SECOND, Json, json_attributes, log_record

CODEX = {"service.name": "codex_cli_rs", "service.version": "0.169.0", "enduser.id": "ada@example.com"}
GEMINI = {"service.name": "gemini-cli", "service.version": "v20.20.2", "enduser.id": "ada@example.com"}
COPILOT = {"service.name": "github-copilot", "service.instance.id": "copilot-otel-1-0", "enduser.id": "ada@example.com"}
VS_CODE = {"service.name": "copilot-chat", "session.id": "a-window", "enduser.id": "ada@example.com"}
PROGRAM = {"service.name": "Research assistant", "enduser.id": "ada@example.com"}
CHAT: dict[str, Any] = {
    "gen_ai__request__model": "claude-sonnet-4.5",
    "gen_ai__usage__input_tokens": 100,
    "gen_ai__usage__output_tokens": 9,
    "gen_ai__usage__cache_read__input_tokens": 60,
    "gen_ai__usage__cache_creation__input_tokens": 30,
}


def codex_event(name: str, **attributes: Any) -> Json:
    return log_record({"event.name": f"codex.{name}", "conversation.id": "c1", "model": "gpt-5.5", **attributes})


def span(
    operation: str | None, number: int = 1, *, parent: str = "", trace: str = "7e" * 16, **attributes: Any
) -> Json:
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    sent = {"gen_ai.conversation.id": "c1", "gen_ai.operation.name": operation, **named}
    return {
        "name": f"{operation} something",
        "traceId": trace,
        "spanId": f"{number:016x}",
        "parentSpanId": parent,
        "startTimeUnixNano": str(NOW - 60 * SECOND + number),
        "endTimeUnixNano": str(NOW - 59 * SECOND + number),
        "attributes": json_attributes({name: value for name, value in sent.items() if value is not None}),
    }


def outcomes() -> dict[str, str]:
    fold_received_batches()
    return dict(AgentToolCall.objects.values_list("key", "outcome"))


def tokens() -> tuple[int, int, int, int]:
    """The counted tokens of all sessions: uncached input, cache read, cache write, output."""
    fold_received_batches()
    days = AgentSessionDay.objects.filter(counted=True)
    columns = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
    return tuple(sum(days.values_list(column, flat=True)) for column in columns)
