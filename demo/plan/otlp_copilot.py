"""Sessions as the spans and cumulative metrics that Copilot CLI sends: no log events, and no refused calls."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from demo.plan.agents import tool_name
from demo.plan.key_values import Value, key_values, nanoseconds
from demo.plan.session import DemoSession, ModelRequest, SessionRun, ToolUse, Turn

_SCOPE = "github.copilot"


def copilot_traces(session: DemoSession) -> Iterator[ResourceSpans]:
    """Yield the traces of each run, which is a process of its own."""
    scope = InstrumentationScope(name=_SCOPE, version=session.setting.version)
    for position, run in enumerate(session.active_periods):
        spans = [copilot_span for turn in run.turns for copilot_span in _spans_of(turn, session)]
        yield ResourceSpans(resource=_resource(session, position), scope_spans=[ScopeSpans(scope=scope, spans=spans)])


def copilot_metrics(session: DemoSession) -> Iterator[ResourceMetrics]:
    """The lines of each run; they name no conversation."""
    scope = InstrumentationScope(name=_SCOPE, version=session.setting.version)
    labels: dict[str, Value] = {"gen_ai.provider.name": "openai", "gen_ai.request.model": session.setting.model}
    for position, run in enumerate(session.active_periods):
        metrics = [
            Metric(
                name=f"github.copilot.code.{name}",
                unit="{line}",
                sum=Sum(
                    data_points=[
                        NumberDataPoint(
                            attributes=key_values(labels),
                            start_time_unix_nano=nanoseconds(run.turns[0].prompted_at),
                            time_unix_nano=nanoseconds(run.ended_at),
                            as_int=lines,
                        )
                    ],
                    aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE,
                    is_monotonic=True,
                ),
            )
            for name, lines in _lines(run)
            if lines
        ]
        if metrics:
            yield ResourceMetrics(
                resource=_resource(session, position), scope_metrics=[ScopeMetrics(scope=scope, metrics=metrics)]
            )


def _spans_of(turn: Turn, session: DemoSession) -> Iterator[Span]:
    """The requests and tool calls of a turn, and the agent around them with their sums."""
    trace, root = _id(turn.prompt_id, 16), _id(f"{turn.prompt_id} agent", 8)
    conversation: dict[str, Value] = {
        "gen_ai.conversation.id": session.session_id,
        "gen_ai.provider.name": "openai",
    }

    def span(name: str, key: str, start: datetime, end: datetime, attributes: Mapping[str, Value]) -> Span:
        return Span(
            trace_id=trace,
            span_id=_id(key, 8),
            parent_span_id=root,
            name=name,
            kind=Span.SPAN_KIND_CLIENT,
            start_time_unix_nano=nanoseconds(start),
            end_time_unix_nano=nanoseconds(end),
            attributes=key_values({**conversation, **attributes}),
        )

    ended_at = turn.prompted_at
    for request in turn.requests:
        start = max(turn.prompted_at, request.at - timedelta(milliseconds=request.duration_ms))
        ended_at = max(ended_at, request.at)
        yield span(f"chat {request.model}", request.request_id, start, request.at, _chat(request))
        call = request.tool
        if call is not None and not call.refused and not request.failed:
            end = call.at + timedelta(milliseconds=call.duration_ms)
            ended_at = max(ended_at, end)
            name = tool_name("copilot", call.tool)
            yield span(f"execute_tool {name}", call.use_id, call.at, end, _tool(call, name))
    answered = [request for request in turn.requests if not request.failed]
    yield Span(
        trace_id=trace,
        span_id=root,
        name="invoke_agent",
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=nanoseconds(turn.prompted_at),
        end_time_unix_nano=nanoseconds(ended_at),
        attributes=key_values(
            {
                **conversation,
                "gen_ai.operation.name": "invoke_agent",
                "github.copilot.agent.type": "builtin",
                "gen_ai.usage.input_tokens": sum(
                    model_request.uncached_input + model_request.cache_read for model_request in answered
                ),
                "gen_ai.usage.output_tokens": sum(model_request.output for model_request in answered),
                "github.copilot.turn_count": len(turn.requests),
            }
        ),
    )


def _chat(request: ModelRequest) -> dict[str, Value]:
    attributes: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": request.model}
    if request.failed:
        return attributes | {"error.type": "ModelCallError"}
    return attributes | {
        "gen_ai.response.model": request.model,
        "gen_ai.response.id": request.request_id,
        "gen_ai.usage.input_tokens": request.uncached_input + request.cache_read,
        "gen_ai.usage.output_tokens": request.output,
        "gen_ai.usage.cache_read.input_tokens": request.cache_read,
    }


def _tool(call: ToolUse, name: str) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": call.use_id,
        "gen_ai.tool.type": "function",
    }
    if name == "bash":
        return attributes | {"process.executable.name": "bash", "process.exit.code": 1 if call.error_type else 0}
    return attributes | {"error.type": "ToolError"} if call.error_type else attributes


def _lines(run: SessionRun) -> tuple[tuple[str, int], ...]:
    calls = [request.tool for turn in run.turns for request in turn.requests if request.tool and not request.failed]
    return (
        ("lines_added", sum(call.lines_added for call in calls)),
        ("lines_removed", sum(call.lines_removed for call in calls)),
    )


def _resource(session: DemoSession, position: int) -> Resource:
    process = int.from_bytes(_id(f"{session.session_id} process", 2))
    resource = {
        "service.name": "github-copilot",
        "service.instance.id": f"copilot-otel-{process}-{position}",
        "service.version": session.setting.version,
        "enduser.id": session.setting.person.email,
    }
    return Resource(attributes=key_values(resource))


def _id(of: str, length: int) -> bytes:
    return hashlib.sha256(of.encode()).digest()[:length]
