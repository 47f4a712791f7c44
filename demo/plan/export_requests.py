"""The demo's export requests, as bytes ready to be posted, newest weeks first."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TypeVar

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from demo.plan.agents import CLAUDE_CODE, CODEX, COPILOT, GEMINI
from demo.plan.commits import repository_of
from demo.plan.key_values import key_values
from demo.plan.otlp import session_logs, session_metrics
from demo.plan.otlp_codex import codex_logs
from demo.plan.otlp_copilot import copilot_metrics, copilot_traces
from demo.plan.otlp_gemini import gemini_logs, gemini_metrics
from demo.plan.session import DemoSession
from demo.plan.year import DemoYear

Message = ExportLogsServiceRequest | ExportMetricsServiceRequest | ExportTraceServiceRequest
# A collector in front of many agents batches like this; about 1,500 records.
SESSIONS_A_REQUEST = 60
_WITH_WRAPPER = 0.97
OfResource = TypeVar("OfResource", ResourceLogs, ResourceMetrics, ResourceSpans)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One body for the receiver: gzipped protobuf, for `path`; the counts describe its content."""

    path: str
    body: bytes
    weeks_before_end: int
    sessions: int
    records: int
    agent: str


def export_requests_of_week(year: DemoYear, weeks_before_end: int) -> Iterator[ExportRequest]:
    """The week's requests, the same bytes each time.  A session counts in the first request that contains it."""
    of_week = year.sessions_of_week(weeks_before_end)
    for agent in (CLAUDE_CODE, CODEX, GEMINI, COPILOT):
        sessions = [session for session in of_week if session.setting.agent == agent]
        for first in range(0, len(sessions), SESSIONS_A_REQUEST):
            batch = sessions[first : first + SESSIONS_A_REQUEST]
            counted = len(batch)
            for message in _messages(year, agent, batch):
                if not message.ByteSize():  # a batch may have no metrics
                    continue
                yield _request(message, weeks_before_end, counted, agent)
                counted = 0


def _messages(year: DemoYear, agent: str, sessions: list[DemoSession]) -> Iterator[Message]:
    placed = partial(_placed, year)
    match agent:
        case "codex":
            yield _logs(placed(session, codex_logs(session)) for session in sessions)
        case "gemini":
            yield _logs(placed(session, gemini_logs(session)) for session in sessions)
            yield _metrics(placed(session, gemini_metrics(session)) for session in sessions)
        case "copilot":
            traces = [placed(session, spans) for session in sessions for spans in copilot_traces(session)]
            yield ExportTraceServiceRequest(resource_spans=traces)
            yield _metrics(placed(session, metrics) for session in sessions for metrics in copilot_metrics(session))
        case _:
            yield _logs(placed(session, session_logs(session)) for session in sessions)
            yield _metrics(placed(session, session_metrics(session)) for session in sessions)


def _logs(resource_logs: Iterable[ResourceLogs]) -> Message:
    return ExportLogsServiceRequest(resource_logs=resource_logs)


def _metrics(resource_metrics: Iterable[ResourceMetrics]) -> Message:
    return ExportMetricsServiceRequest(resource_metrics=resource_metrics)


def _placed(year: DemoYear, session: DemoSession, message: OfResource) -> OfResource:
    """The message, with the repository in most sessions; the others were started without the wrapper."""
    if Random(f"{session.session_id}/wrapper").random() < _WITH_WRAPPER:  # noqa: S311 - a demo, not a secret
        attributes = key_values({"vcs.repository.name": repository_of(year, session).name})
        message.resource.attributes.extend(attributes)
    return message


def _request(message: Message, weeks_before_end: int, sessions: int, agent: str) -> ExportRequest:
    match message:
        case ExportLogsServiceRequest():
            path = "/v1/logs"
            records = sum(len(scope.log_records) for log in message.resource_logs for scope in log.scope_logs)
        case ExportTraceServiceRequest():
            path = "/v1/traces"
            records = sum(
                len(scope.spans) for resource_span in message.resource_spans for scope in resource_span.scope_spans
            )
        case _:
            path = "/v1/metrics"
            records = sum(
                len(metric.sum.data_points)
                for resource_metric in message.resource_metrics
                for scope in resource_metric.scope_metrics
                for metric in scope.metrics
            )
    return ExportRequest(path, _compressed(message.SerializeToString()), weeks_before_end, sessions, records, agent)


def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=1, mtime=0)  # without a time, so that the bytes stay the same
