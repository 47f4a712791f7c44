"""Sessions as the log events and cumulative metrics that Gemini CLI sends."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from demo.plan.agents import tool_name
from demo.plan.key_values import Value, key_values, nanoseconds, timestamp
from demo.plan.session import DemoSession, ModelRequest, SessionRun, ToolUse

_SCOPE = "gemini-cli"
_THOUGHTS_OF_OUTPUT = 3  # a third of the output that is billed


def gemini_logs(session: DemoSession) -> ResourceLogs:
    records: list[LogRecord] = []
    common = _standing(session)

    def write(name: str, at: datetime, body: str, attributes: Mapping[str, Value]) -> None:
        named = {"event.name": f"gemini_cli.{name}", "event.timestamp": timestamp(at)}
        records.append(
            LogRecord(
                time_unix_nano=nanoseconds(at),
                observed_time_unix_nano=nanoseconds(at),
                body=AnyValue(string_value=body),
                attributes=key_values({**common, **named, **attributes}),
            )
        )

    for run in session.active_periods:
        for turn in run.turns:
            length: dict[str, Value] = {"prompt_length": turn.prompt_length, "prompt_id": turn.prompt_id}
            write("user_prompt", turn.prompted_at, f"User prompt. Length: {turn.prompt_length}.", length)
            for request in turn.requests:
                write(*_answer(request, turn.prompt_id))
                if request.tool is not None and not request.failed:
                    write(*_tool_call(request.tool, turn.prompt_id))
    scope = InstrumentationScope(name=_SCOPE)
    return ResourceLogs(resource=_resource(session), scope_logs=[ScopeLogs(scope=scope, log_records=records)])


def gemini_metrics(session: DemoSession) -> ResourceMetrics:
    """One reading of each counter at the end of each run: each run is a process, whose counters begin at zero."""
    points: dict[str, list[NumberDataPoint]] = {}
    attributes = _standing(session)
    for run in session.active_periods:
        for (name, *labels), value in _counted(run, session.setting.model).items():
            labelled = {**attributes, **dict(zip(labels[::2], labels[1::2], strict=True))}
            if name == "session.count":  # counted before it is known
                del labelled["auth_type"]
            points.setdefault(name, []).append(
                NumberDataPoint(
                    attributes=key_values(labelled),
                    start_time_unix_nano=nanoseconds(run.turns[0].prompted_at),
                    time_unix_nano=nanoseconds(run.ended_at),
                    as_int=value,
                )
            )
    metrics = [
        Metric(
            name=f"gemini_cli.{name}",
            sum=Sum(data_points=points, aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE, is_monotonic=True),
        )
        for name, points in points.items()
    ]
    scope = InstrumentationScope(name=_SCOPE)
    return ResourceMetrics(resource=_resource(session), scope_metrics=[ScopeMetrics(scope=scope, metrics=metrics)])


def _answer(request: ModelRequest, prompt_id: str) -> tuple[str, datetime, str, dict[str, Value]]:
    attributes: dict[str, Value] = {
        "model": request.model,
        "duration_ms": request.duration_ms,
        "prompt_id": prompt_id,
        "role": "main",
    }
    if request.failed:
        failed: dict[str, Value] = {"status_code": 500, "error.type": "ApiError", "http.status_code": 500}
        return "api_error", request.at, f"API error for {request.model}.", attributes | failed
    prompt, thoughts = request.uncached_input + request.cache_read, request.output // _THOUGHTS_OF_OUTPUT
    answered: dict[str, Value] = {
        "input_token_count": prompt,
        "output_token_count": request.output - thoughts,
        "cached_content_token_count": request.cache_read,
        "thoughts_token_count": thoughts,
        "tool_token_count": 0,
        "total_token_count": prompt + request.output,
        "status_code": 200,
        "http.status_code": 200,
    }
    return "api_response", request.at, f"API response from {request.model}. Status: 200.", attributes | answered


def _tool_call(call: ToolUse, prompt_id: str) -> tuple[str, datetime, str, dict[str, Value]]:
    name = tool_name("gemini", call.tool)
    attributes: dict[str, Value] = {
        "function_name": name,
        "duration_ms": call.duration_ms,
        "success": not (call.error_type or call.refused),
        "decision": "reject" if call.refused else "accept",
        "prompt_id": prompt_id,
        "tool_type": "native",
    }
    if call.error_type:
        attributes |= {"error_type": "unknown", "error.type": "unknown"}
    return "tool_call", call.at + timedelta(milliseconds=call.duration_ms), f"Tool call: {name}.", attributes


def _counted(run: SessionRun, model: str) -> Counter[tuple[str, ...]]:
    counted: Counter[tuple[str, ...]] = Counter({("session.count",): 1})
    for turn in run.turns:
        for request in turn.requests:
            if request.failed:
                continue
            thoughts = request.output // _THOUGHTS_OF_OUTPUT
            for kind, tokens in (
                ("input", request.uncached_input + request.cache_read),
                ("cache", request.cache_read),
                ("output", request.output - thoughts),
                ("thought", thoughts),
            ):
                counted["token.usage", "model", model, "type", kind] += tokens
            if request.tool is not None and request.tool.edits:
                name = tool_name("gemini", request.tool.tool)
                counted["lines.changed", "function_name", name, "type", "added"] += request.tool.lines_added
                counted["lines.changed", "function_name", name, "type", "removed"] += request.tool.lines_removed
    return counted


def _standing(session: DemoSession) -> dict[str, Value]:
    email = session.setting.person.email
    return {
        "session.id": session.session_id,
        "installation.id": hashlib.sha256(f"gemini of {email}".encode()).hexdigest()[:32],
        "interactive": True,
        "auth_type": "gemini-api-key",
    }


def _resource(session: DemoSession) -> Resource:
    resource = {
        "service.name": "gemini-cli",
        "service.version": session.setting.version,
        "session.id": session.session_id,
        "enduser.id": session.setting.person.email,
    }
    return Resource(attributes=key_values(resource))
