"""Records that cannot be stored, as requests of their own without what people wrote."""

from __future__ import annotations

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from integrations.telemetry.content import drop_content
from integrations.telemetry.decode_reading import LONGEST_NAME, Counted, Origin, Reading, RejectedRecord, Signal, Tally

Request = ExportLogsServiceRequest | ExportMetricsServiceRequest | ExportTraceServiceRequest


def reject(
    signal: Signal, record: LogRecord | Span, digest: bytes, reason: str, origin: Origin, reading: Reading
) -> None:
    """Put a log record or a span into quarantine."""
    resource = _without_content(origin, reading)
    kept = type(record)()
    kept.CopyFrom(record)
    _drop_attributes(kept.attributes, origin, reading)
    request: Request
    if isinstance(kept, LogRecord):
        if kept.body.WhichOneof("value") != "string_value" or kept.body.string_value not in _event_names(kept):
            kept.ClearField("body")  # free text, unless it is the event's name
        scope_logs = ScopeLogs(scope=origin.scope, log_records=[kept])
        request = ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource, scope_logs=[scope_logs])])
    else:
        for event in kept.events:
            _drop_attributes(event.attributes, origin, reading)
        kept.status.ClearField("message")
        scope_spans = ScopeSpans(scope=origin.scope, spans=[kept])
        request = ExportTraceServiceRequest(
            resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope_spans])]
        )
    reading.rejected.append(RejectedRecord(signal, digest, reason, request.SerializeToString()))


def reject_point(point: NumberDataPoint, metric: Metric, reason: str, origin: Origin, reading: Reading) -> None:
    """Put one point of a sum into quarantine."""
    digest = origin.digest(metric.name.encode() + b"\x00" + point.SerializeToString(deterministic=True))
    resource = _without_content(origin, reading)
    kept = NumberDataPoint()
    kept.CopyFrom(point)
    kept.ClearField("exemplars")
    _drop_attributes(kept.attributes, origin, reading)
    alone = Metric(
        name=metric.name,
        unit=metric.unit,
        sum=Sum(
            data_points=[kept],
            aggregation_temporality=metric.sum.aggregation_temporality,
            is_monotonic=metric.sum.is_monotonic,
        ),
    )
    scope_metrics = ScopeMetrics(scope=origin.scope, metrics=[alone])
    request = ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=[scope_metrics])]
    )
    reading.rejected.append(RejectedRecord(Signal.METRICS, digest, reason, request.SerializeToString()))


def _without_content(origin: Origin, reading: Reading) -> Resource:
    resource = Resource()
    resource.CopyFrom(origin.resource)
    kept = list(resource.attributes)
    list(drop_content(kept))  # counted with the request
    del resource.attributes[:]
    resource.attributes.extend(kept)
    return resource


def _drop_attributes(attributes: RepeatedCompositeFieldContainer[KeyValue], origin: Origin, reading: Reading) -> None:
    kept = list(attributes)
    for name in drop_content(kept):
        reading.counts[Tally(Counted.DROPPED, origin.vocabulary.agent, "", name[:LONGEST_NAME])] += 1
    del attributes[:]
    attributes.extend(kept)


def _event_names(record: LogRecord) -> set[str]:
    name = record.event_name
    for attribute in record.attributes:
        if attribute.key == "event.name":
            name = attribute.value.string_value
    return {name, f"claude_code.{name}"}
