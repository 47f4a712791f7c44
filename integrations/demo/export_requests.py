"""The demo's export requests, as bytes ready to be posted, newest weeks first."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from integrations.demo.otlp import session_logs, session_metrics
from integrations.demo.session import DemoSession
from integrations.demo.year import DemoYear

# A collector in front of many agents batches like this; about 1,500 records.
SESSIONS_A_REQUEST = 60


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One body for the receiver: gzipped protobuf, for `path`; the counts are what it holds."""

    path: str
    body: bytes
    weeks_before_end: int
    sessions: int
    records: int


def export_requests_of_week(year: DemoYear, weeks_before_end: int) -> Iterator[ExportRequest]:
    """The week's requests, the same bytes each time.  Sessions are counted in the requests of logs alone."""
    sessions = year.sessions_of_week(weeks_before_end)
    for first in range(0, len(sessions), SESSIONS_A_REQUEST):
        batch = sessions[first : first + SESSIONS_A_REQUEST]
        yield _logs_request(batch, weeks_before_end)
        yield _metrics_request(batch, weeks_before_end)


def _logs_request(sessions: list[DemoSession], weeks_before_end: int) -> ExportRequest:
    message = ExportLogsServiceRequest(resource_logs=[session_logs(session) for session in sessions])
    records = sum(len(scope.log_records) for resource in message.resource_logs for scope in resource.scope_logs)
    return ExportRequest("/v1/logs", _compressed(message.SerializeToString()), weeks_before_end, len(sessions), records)


def _metrics_request(sessions: list[DemoSession], weeks_before_end: int) -> ExportRequest:
    message = ExportMetricsServiceRequest(resource_metrics=[session_metrics(session) for session in sessions])
    records = sum(
        len(metric.sum.data_points)
        for resource in message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )
    return ExportRequest("/v1/metrics", _compressed(message.SerializeToString()), weeks_before_end, 0, records)


def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=1, mtime=0)  # without a time, so that the bytes stay the same
