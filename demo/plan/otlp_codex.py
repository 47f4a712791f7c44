"""Sessions as the log events that Codex CLI sends: numbers as words, no time of their own, prompts redacted.

Like the real program it sends the arguments of its tools in full; here they are patches of filler.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from demo.plan.agents import tool_name
from demo.plan.key_values import Value, key_values, nanoseconds, timestamp
from demo.plan.session import DemoSession, ModelRequest, ToolUse

_SOURCE = "event otel/src/events/session_telemetry.rs:"


def codex_logs(session: DemoSession) -> ResourceLogs:
    writer = _EventWriter(session)
    for run in session.active_periods:
        for turn in run.turns:
            writer.write(
                "user_prompt", turn.prompted_at, {"prompt_length": str(turn.prompt_length), "prompt": "[REDACTED]"}
            )
            for request in turn.requests:
                _write_request(writer, request)
    resource = {
        "service.name": "codex_exec",
        "service.version": session.setting.version,
        "env": "dev",
        "enduser.id": session.setting.person.email,
    }
    scope = InstrumentationScope(name="codex_otel.log_only")
    return ResourceLogs(
        resource=Resource(attributes=key_values(resource)),
        scope_logs=[ScopeLogs(scope=scope, log_records=writer.records)],
    )


class _EventWriter:
    def __init__(self, session: DemoSession) -> None:
        self.records: list[LogRecord] = []
        self._standing: dict[str, Value] = {
            "conversation.id": session.session_id,
            "app.version": session.setting.version,
            "originator": "codex_exec",
            "terminal.type": session.setting.person.terminal,
            "model": session.setting.model,
            "slug": session.setting.model,
        }

    def write(self, name: str, at: datetime, attributes: Mapping[str, Value]) -> None:
        named: dict[str, Value] = {"event.name": f"codex.{name}", **attributes, "event.timestamp": timestamp(at)}
        self.records.append(
            LogRecord(
                observed_time_unix_nano=nanoseconds(at),
                event_name=f"{_SOURCE}{len(name)}",
                attributes=key_values({**named, **self._standing}),
            )
        )


def _write_request(writer: _EventWriter, request: ModelRequest) -> None:
    attempt: dict[str, Value] = {"duration_ms": str(request.duration_ms), "attempt": 0, "endpoint": "/responses"}
    if request.failed:
        failed: dict[str, Value] = {"http.response.status_code": 500, "error.message": "http 500"}
        writer.write("api_request", request.at, attempt | failed)
        return
    writer.write("api_request", request.at, attempt | {"http.response.status_code": 200})
    prompt = request.uncached_input + request.cache_read
    writer.write(
        "sse_event",
        request.at,
        {
            "event.kind": "response.completed",
            "input_token_count": str(prompt),
            "output_token_count": str(request.output),
            "cached_token_count": request.cache_read,
            "cache_write_token_count": 0,
            "reasoning_token_count": request.output // 3,
            "tool_token_count": str(prompt + request.output),
        },
    )
    if request.tool is not None:
        _write_tool(writer, request.tool)


def _write_tool(writer: _EventWriter, call: ToolUse) -> None:
    tool = tool_name("codex", call.tool)
    decision, source = ("denied", "User") if call.refused else ("approved", "Config")
    named: dict[str, Value] = {"tool_name": tool, "tool_namespace": "functions", "call_id": call.use_id}
    writer.write("tool_decision", call.at, named | {"decision": decision, "source": source})
    if call.refused:
        return
    shell = tool == "exec_command"
    code = 1 if call.error_type and shell else 0
    output = f"Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code {code}\nOutput:\n" if shell else ""
    writer.write(
        "tool_result",
        call.at + timedelta(milliseconds=call.duration_ms),
        named
        | {
            "duration_ms": str(call.duration_ms),
            # A command that ends non-zero is a success to Codex.
            "success": "false" if call.error_type and not shell else "true",
            "output_truncated": False,
            "agent_name": "/root",
            "arguments": _patch(call) if call.edits else "{}",
            "output": output,
            "mcp_server": "",
            "mcp_server_origin": "",
        },
    )


def _patch(call: ToolUse) -> str:
    lines = [*("-x" for _ in range(call.lines_removed)), *("+y" for _ in range(call.lines_added))]
    return "\n".join(["*** Begin Patch", "*** Update File: filler", "@@", *lines, "*** End Patch", ""])
