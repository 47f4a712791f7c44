"""The official OpenTelemetry SDK, configured as any program configures it, exports to the real server.

Its exporters for Python speak protobuf only; JSON over a socket comes from the real agents.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from integrations.models import AgentRequest, AgentSession, AgentSessionDay, QuarantinedRecord, ReceivedBatch
from tests.conftest import StartServer
from tests.patience import wait_until
from tests.servers import Server

MODEL = "claude-sonnet-4-5"
KINDS = ("input", "output", "cache_read", "cache_creation")


@dataclass
class Totals:
    """Totals of the export, to compare with."""

    requests: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    lines_added: int = 0


@dataclass(frozen=True)
class InstrumentedAgent:
    """A program with the three exporters of the SDK; it tells what Claude Code tells, in its words."""

    server: Server
    compression: Compression
    temporality: AggregationTemporality = AggregationTemporality.DELTA
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    totals: Totals = field(default_factory=Totals)

    def work(self, requests: int) -> None:
        """Tell of so many requests in logs, spans and metrics alike, and flush."""
        loggers, meters, tracers = self._providers()
        logger = loggers.get_logger("com.anthropic.claude_code.events", "2.1.197")
        meter = meters.get_meter("com.anthropic.claude_code", "2.1.197")
        tracer = tracers.get_tracer("com.anthropic.claude_code.tracing", "1.0.0")
        tokens = meter.create_counter("claude_code.token.usage", unit="tokens")
        lines = meter.create_counter("claude_code.lines_of_code.count")
        began = timezone.now() - timedelta(minutes=requests)
        for number in range(requests):
            at = int((began + timedelta(minutes=number)).timestamp() * 1e9)
            usage = {"input": 10 + number, "output": 200 + number, "cache_read": 5000, "cache_creation": 300}
            request_id = f"req_{self.session_id}_{number}"
            figures = {f"{kind}_tokens": amount for kind, amount in usage.items()}
            common: dict[str, str | int] = {
                "session.id": self.session_id,
                "model": MODEL,
                "request_id": request_id,
                **figures,
            }
            logger.emit(
                LogRecord(
                    timestamp=at,
                    observed_timestamp=at,
                    body="claude_code.api_request",
                    attributes={**common, "event.name": "api_request", "cost_usd": 0.01, "duration_ms": 1200},
                )
            )
            span = tracer.start_span("claude_code.llm_request", start_time=at, attributes={**common, "success": True})
            span.end(at + 10**9)
            series = {"session.id": self.session_id, "model": MODEL}
            for kind, type_ in zip(KINDS, ("input", "output", "cacheRead", "cacheCreation"), strict=True):
                tokens.add(usage[kind], {**series, "type": type_})
                self.totals.tokens[kind] += usage[kind]
            lines.add(7, {**series, "type": "added"})
            self.totals.lines_added += 7
            self.totals.requests += 1
            meters.force_flush()
        for provider in (loggers, meters, tracers):
            assert provider.force_flush() is not False
            provider.shutdown()

    def _providers(self) -> tuple[LoggerProvider, MeterProvider, TracerProvider]:
        resource = Resource({"service.name": "claude-code", "service.version": "2.1.197", "enduser.id": self.email})
        headers = {"Authorization": f"Bearer {self.server.ingest_token}"}

        def endpoint(signal: str) -> str:
            return f"{self.server.url}/v1/{signal}"

        loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(
            BatchLogRecordProcessor(OTLPLogExporter(endpoint("logs"), headers=headers, compression=self.compression))
        )
        metric_exporter = OTLPMetricExporter(
            endpoint("metrics"),
            headers=headers,
            compression=self.compression,
            preferred_temporality={Counter: self.temporality},
        )
        reader = PeriodicExportingMetricReader(metric_exporter, export_interval_millis=float("inf"))
        meters = MeterProvider(resource=resource, metric_readers=[reader], shutdown_on_exit=False)
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        tracers.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint("traces"), headers=headers, compression=self.compression))
        )
        return loggers, meters, tracers

    @property
    def email(self) -> str:
        return f"sdk.{self.session_id[:8]}@example.com"


@pytest.fixture(scope="module")
def installation(start_server: StartServer) -> Iterator[Server]:
    with start_server("web", "worker", "beat", named="sdk_exporters") as server:
        yield server


@pytest.mark.parametrize(
    ("compression", "temporality"),
    [
        (Compression.NoCompression, AggregationTemporality.DELTA),
        (Compression.Gzip, AggregationTemporality.CUMULATIVE),
        (Compression.Deflate, AggregationTemporality.DELTA),
        pytest.param(Compression.NoCompression, AggregationTemporality.CUMULATIVE, marks=pytest.mark.soak),
        pytest.param(Compression.Gzip, AggregationTemporality.DELTA, marks=pytest.mark.soak),
        pytest.param(Compression.Deflate, AggregationTemporality.CUMULATIVE, marks=pytest.mark.soak),
    ],
)
def test_what_the_sdk_exports_is_counted_once(
    installation: Server, compression: Compression, temporality: AggregationTemporality
) -> None:
    agent = InstrumentedAgent(installation, compression, temporality)
    agent.work(requests=5)

    with installation.database():
        wait_until(
            lambda: not ReceivedBatch.objects.exists() and AgentSession.objects.filter(event_tokens__gt=0).exists(),
            what="the worker folds every batch",
        )
        session = AgentSession.objects.get(external_id=agent.session_id)
        assert session.identity.value == agent.email
        everything = sum(agent.totals.tokens.values())
        assert (session.event_tokens, session.metric_tokens) == (everything, everything)
        assert AgentRequest.objects.filter(session=session).count() == agent.totals.requests
        by_source = {
            source: AgentSessionDay.objects.filter(session=session, source=source).aggregate(
                input=Sum("input_tokens"),
                output=Sum("output_tokens"),
                cache_read=Sum("cache_read_tokens"),
                cache_creation=Sum("cache_write_tokens"),
                lines_added=Sum("lines_added"),
            )
            for source in (AgentSessionDay.Source.EVENTS, AgentSessionDay.Source.METRICS)
        }
        for figures in by_source.values():
            assert {kind: figures[kind] for kind in KINDS} == agent.totals.tokens
        assert by_source[AgentSessionDay.Source.METRICS]["lines_added"] == agent.totals.lines_added
        assert not QuarantinedRecord.objects.exists()
