"""Sessions as the records that Claude Code itself sends: same resource, scopes, attributes, types and order.

A test compares every key and type with recordings of the real program.  Like the real program with its default
settings the records carry no content: prompts and answers are the literal `<REDACTED>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from random import Random

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from demo.plan.key_values import Value, key_values, nanoseconds
from demo.plan.session import DemoSession, ModelRequest, SessionRun, ToolUse, Turn

_REDACTED = "<REDACTED>"
_LOG_SCOPE = "com.anthropic.claude_code.events"
_METRIC_SCOPE = "com.anthropic.claude_code"
# name → (description, unit), in the order in which the program registers them
_METRICS: dict[str, tuple[str, str]] = {
    "claude_code.session.count": ("Count of CLI sessions started", ""),
    "claude_code.lines_of_code.count": (
        "Count of lines of code modified, with the 'type' attribute indicating whether lines were added or removed "
        "and the 'model' attribute indicating which model made the change",
        "",
    ),
    "claude_code.commit.count": ("Number of git commits created", ""),
    "claude_code.cost.usage": ("Cost of the Claude Code session", "USD"),
    "claude_code.token.usage": ("Number of tokens used", "tokens"),
    "claude_code.code_edit_tool.decision": (
        "Count of code editing tool permission decisions (accept/reject) for Edit, Write, and NotebookEdit tools",
        "",
    ),
    "claude_code.active_time.total": ("Total active time in seconds", "s"),
}


def session_logs(session: DemoSession) -> ResourceLogs:
    """All log events of a session."""
    writer = _EventWriter(session)
    for run in session.active_periods:
        writer.sequence = 0  # it starts again when a session is resumed
        for turn in run.turns:
            _write_turn(writer, turn)
    scope = InstrumentationScope(name=_LOG_SCOPE, version=session.setting.version)
    return ResourceLogs(resource=_resource(session), scope_logs=[ScopeLogs(scope=scope, log_records=writer.records)])


def session_metrics(session: DemoSession) -> ResourceMetrics:
    """The delta points of a session, one export for each of its stretches."""
    points: dict[str, list[NumberDataPoint]] = {name: [] for name in _METRICS}
    identity = _identity(session)
    for position, run in enumerate(session.active_periods):
        started_at = run.turns[0].prompted_at
        for name, attributes, value in _run_figures(run, resumed=position > 0):
            points[name].append(
                NumberDataPoint(
                    attributes=[*identity, *key_values(attributes)],
                    start_time_unix_nano=nanoseconds(started_at),
                    time_unix_nano=nanoseconds(run.ended_at),
                    as_double=value,
                )
            )
    metrics = [
        Metric(
            name=name,
            description=description,
            unit=unit,
            sum=Sum(data_points=points[name], aggregation_temporality=AGGREGATION_TEMPORALITY_DELTA, is_monotonic=True),
        )
        for name, (description, unit) in _METRICS.items()
        if points[name]
    ]
    scope = InstrumentationScope(name=_METRIC_SCOPE, version=session.setting.version)
    return ResourceMetrics(resource=_resource(session), scope_metrics=[ScopeMetrics(scope=scope, metrics=metrics)])


class _EventWriter:
    """Gives every event of a session what they all carry, and its number."""

    def __init__(self, session: DemoSession) -> None:
        self.records: list[LogRecord] = []
        self.sequence = 0
        self._identity = _identity(session)

    def write(self, name: str, at: datetime, attributes: Mapping[str, Value]) -> None:
        sent_at = nanoseconds(at)
        common: dict[str, Value] = {
            "event.name": name,
            "event.timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
            "event.sequence": self.sequence,
        }
        self.records.append(
            LogRecord(
                time_unix_nano=sent_at,
                observed_time_unix_nano=sent_at,
                body=AnyValue(string_value=f"claude_code.{name}"),
                attributes=[*self._identity, *key_values(common), *key_values(attributes)],
            )
        )
        self.sequence += 1


def _write_turn(writer: _EventWriter, turn: Turn) -> None:
    prompt: dict[str, Value] = {"prompt.id": turn.prompt_id}
    writer.write(
        "user_prompt", turn.prompted_at, prompt | {"prompt_length": str(turn.prompt_length), "prompt": _REDACTED}
    )
    for request in turn.requests:
        if request.failed:
            _write_api_error(writer, prompt, request)
            continue
        if request.tool is not None:
            _write_tool_decision(writer, prompt, request.tool)
            if not request.tool.slow:
                _write_tool_result(writer, prompt, request.tool)
        _write_api_request(writer, prompt, request)
        if request.tool is not None and request.tool.slow:
            _write_tool_result(writer, prompt, request.tool)


def _parts_of(request: ModelRequest) -> dict[str, Value]:
    """Attributes of the part that a request belongs to: the main conversation, a sub-agent or a skill."""
    drawn = Random(request.request_id).random()  # noqa: S311 - a demo, not a secret
    parts: dict[str, Value] = {
        "query_source": "repl_main_thread",
        "effort": "high" if drawn > 0.7 else "medium",
    }
    if drawn < 0.15:
        parts |= {"query_source": "Explore", "agent.name": "Explore"}
    elif drawn < 0.25:
        parts |= {"skill.name": "release-notes", "plugin.name": "house-style"}
    return parts


def _write_api_request(writer: _EventWriter, prompt: dict[str, Value], request: ModelRequest) -> None:
    writer.write(
        "api_request",
        request.at,
        prompt
        | {
            "model": request.model,
            "input_tokens": request.uncached_input,
            "output_tokens": request.output,
            "cache_read_tokens": request.cache_read,
            "cache_creation_tokens": request.cache_write,
            "cost_usd": request.cost_usd,
            "cost_usd_micros": round(request.cost_usd * 1_000_000),
            "duration_ms": request.duration_ms,
            "request_id": request.request_id,
            "speed": "normal",
            **_parts_of(request),
        },
    )
    writer.write(
        "assistant_response",
        request.at,
        prompt
        | {
            "response_length": request.output * 4,
            "response": _REDACTED,
            "request_id": request.request_id,
            "model": request.model,
            "query_source": "repl_main_thread",
        },
    )


def _write_api_error(writer: _EventWriter, prompt: dict[str, Value], request: ModelRequest) -> None:
    writer.write(
        "api_error",
        request.at,
        prompt
        | {
            "model": request.model,
            "error": "529 Overloaded",
            "status_code": 529,
            "duration_ms": request.duration_ms,
            "attempt": 11,
            "request_id": request.request_id,
            "speed": "normal",
            "query_source": "repl_main_thread",
        },
    )


def _write_tool_decision(writer: _EventWriter, prompt: dict[str, Value], call: ToolUse) -> None:
    decision, source = ("reject", "user_reject") if call.refused else ("accept", "config")
    writer.write(
        "tool_decision",
        call.at,
        prompt | {"decision": decision, "source": source, "tool_name": call.tool, "tool_use_id": call.use_id},
    )


def _write_tool_result(writer: _EventWriter, prompt: dict[str, Value], call: ToolUse) -> None:
    if call.refused:
        return
    attributes: dict[str, Value] = {
        "tool_name": call.tool,
        "tool_use_id": call.use_id,
        "success": "false" if call.error_type else "true",
        "duration_ms": str(call.duration_ms),
    }
    if call.error_type:
        attributes["error_type"] = call.error_type
    attributes["tool_input_size_bytes"] = str(90 + 24 * call.lines_added)
    if not call.error_type:
        attributes["tool_result_size_bytes"] = str(140 + call.duration_ms % 4000)
    writer.write("tool_result", call.at + timedelta(milliseconds=call.duration_ms), prompt | attributes)


def _run_figures(run: SessionRun, *, resumed: bool) -> Iterable[tuple[str, dict[str, Value], float]]:
    """(metric, attributes, value) of what the program counted during one run."""
    if not resumed:
        yield "claude_code.session.count", {"start_type": "fresh"}, 1
    answered = [request for turn in run.turns for request in turn.requests if not request.failed]
    tools = [request.tool for request in answered if request.tool is not None]
    model = answered[0].model if answered else ""
    if any(call.edits and not call.error_type and not call.refused for call in tools):
        for kind, lines in (
            ("added", sum(call.lines_added for call in tools)),
            ("removed", sum(call.lines_removed for call in tools)),
        ):
            yield "claude_code.lines_of_code.count", {"type": kind, "model": model}, lines
    if run.commits:
        yield "claude_code.commit.count", {}, run.commits
    if answered:
        main: dict[str, Value] = {"model": model, "query_source": "main"}
        yield "claude_code.cost.usage", main, sum(request.cost_usd for request in answered)
        for kind, tokens in (
            ("input", sum(request.uncached_input for request in answered)),
            ("output", sum(request.output for request in answered)),
            ("cacheRead", sum(request.cache_read for request in answered)),
            ("cacheCreation", sum(request.cache_write for request in answered)),
        ):
            yield "claude_code.token.usage", main | {"type": kind}, tokens
    yield from _edit_decisions(tools)
    active_seconds = sum(request.duration_ms for request in answered) / 1000
    yield "claude_code.active_time.total", {"type": "cli"}, active_seconds


def _edit_decisions(tools: Iterable[ToolUse]) -> Iterable[tuple[str, dict[str, Value], float]]:
    counts: dict[tuple[str, str, str, str], int] = {}
    for call in tools:
        if call.edits:
            decision, source = ("reject", "user_reject") if call.refused else ("accept", "config")
            series = (decision, source, call.tool, call.language)
            counts[series] = counts.get(series, 0) + 1
    for (decision, source, tool, language), count in counts.items():
        attributes: dict[str, Value] = {
            "decision": decision,
            "source": source,
            "tool_name": tool,
            "language": language,
        }
        yield "claude_code.code_edit_tool.decision", attributes, count


def _resource(session: DemoSession) -> Resource:
    return Resource(
        attributes=key_values(
            {
                "enduser.id": session.setting.person.email,
                "host.arch": "arm64",
                "os.type": "darwin",
                "os.version": "25.1.0",
                "service.name": "claude-code",
                "service.version": session.setting.version,
            }
        )
    )


def _identity(session: DemoSession) -> list[KeyValue]:
    person = session.setting.person
    return key_values(
        {
            "enduser.id": person.email,
            "user.id": hashlib.sha256(f"installation of {person.email}".encode()).hexdigest(),
            "session.id": session.session_id,
            "terminal.type": person.terminal,
        }
    )
