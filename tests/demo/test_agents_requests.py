"""Requests of the demo's other agents have the shape of the real programs' ones, and give the exact sessions."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo.plan.agents import CODEX, COPILOT, GEMINI
from demo.plan.commits import generated_lines
from demo.plan.export_requests import ExportRequest, export_requests_of_week
from demo.plan.session import DemoSession
from demo.plan.year import DemoYear
from integrations.models import AgentSession, AgentSessionDay, QuarantinedRecord, UnreadEvent
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from integrations.telemetry.otlp.store_tallies import add_up_tallies
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.demo import flavours
from tests.demo.planned import active_seconds, answered_requests, tool_uses
from tests.recordings import Recordings

ANCHOR = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
WEEKS = (2, 9)
RECORDED_AS = {CODEX: "codex", GEMINI: "gemini-cli", COPILOT: "copilot-cli"}
MESSAGES: dict[str, Any] = {
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
}


@pytest.fixture(scope="module", params=flavours.STORIES)
def year(request: pytest.FixtureRequest) -> DemoYear:
    return DemoYear(seed=1, flavour=request.param, anchor=ANCHOR)


@pytest.fixture(scope="module")
def requests(year: DemoYear) -> list[ExportRequest]:
    return [request for week in WEEKS for request in export_requests_of_week(year, week)]


def test_sessions_without_metrics_send_no_request_for_them(year: DemoYear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.plan.export_requests.copilot_metrics", lambda session: ())
    requests = [request for week in WEEKS for request in export_requests_of_week(year, week)]
    assert {request.path for request in requests if request.agent == COPILOT} == {"/v1/traces"}


@pytest.mark.parametrize("agent", RECORDED_AS)
def test_records_have_the_names_and_types_of_the_real_program(
    requests: list[ExportRequest], recordings: Recordings, agent: str
) -> None:
    real: dict[str, dict[str, str]] = defaultdict(dict)
    for run in recordings.of(RECORDED_AS[agent]):
        for sent in run.requests:
            message = MESSAGES[sent.path]()
            if sent.content_type == "application/json":
                document = json.loads(sent.body)
                for ids in ("traceId", "spanId", "parentSpanId"):
                    document = without(document, ids)  # hex, which the library would read as base64
                json_format.ParseDict(document, message, ignore_unknown_fields=True)
            else:
                message.ParseFromString(sent.body)
            for name, attributes in records_of(message):
                real[name] |= attributes
    ours = [
        record
        for request in requests
        if request.agent == agent
        for record in records_of(MESSAGES[request.path].FromString(gzip.decompress(request.body)))
    ]
    assert len(ours) > 100
    for name, attributes in ours:
        assert name in real, name
        assert attributes.items() <= real[name].items(), name


@pytest.mark.django_db
def test_every_agent_s_sessions_come_out_as_they_were_played(
    client: Client, year: DemoYear, requests: list[ExportRequest]
) -> None:
    secret = create_ingest_token("tests")[1]
    for request in requests:
        headers = {"Authorization": f"Bearer {secret}", "Content-Encoding": "gzip"}
        answer = client.post(request.path, request.body, content_type="application/x-protobuf", headers=headers)
        assert answer.status_code == 200
    fold_received_batches()
    add_up_tallies()
    assert not QuarantinedRecord.objects.exists()
    assert not UnreadEvent.objects.filter(known=False).exists()

    call_command("reprice", "--wait")  # builds days anew, with what processes counted for their sessions
    played = [session for week in WEEKS for session in year.sessions_of_week(week)]
    stored = {session.external_id: session for session in AgentSession.objects.filter(has_work=True)}
    assert stored.keys() == {session.session_id for session in played}
    assert {"claude_code", *RECORDED_AS} == set(Counter(session.agent for session in stored.values()))
    for session in played:
        session_row = stored[session.session_id]
        label = f"{session.setting.agent} {session.session_id}"
        assert session_row.agent == session.setting.agent
        assert session_row.lines_added == generated_lines(session), label
        days = AgentSessionDay.objects.filter(session=session_row)
        assert (days.aggregate(lines=Sum("lines_added"))["lines"] or 0) == generated_lines(session), label
        assert session_row.active_seconds == pytest.approx(active_seconds(session), abs=0.1), label
        days = AgentSessionDay.objects.filter(session=session_row)
        assert tokens_of(days.filter(counted=True)) == tokens_played(session), label
        calls = days.aggregate(calls=Sum("tool_calls"), failed=Sum("tool_failures"), refused=Sum("tool_refusals"))
        uses = list(tool_uses(session))
        refused = sum(use.refused for use in uses)
        assert {name: number or 0 for name, number in calls.items()} == {
            "calls": len(uses) - refused,
            "failed": sum(bool(use.error_type) for use in uses),
            "refused": 0 if session.setting.agent == COPILOT else refused,  # it does not say
        }, label


def tokens_of(days: Any) -> tuple[int, ...]:
    columns = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
    return tuple(sum(days.values_list(column, flat=True)) for column in columns)


def tokens_played(session: DemoSession) -> tuple[int, ...]:
    answered = list(answered_requests(session))
    return tuple(
        sum(getattr(request, column) for request in answered)
        for column in ("uncached_input", "cache_read", "cache_write", "output")
    )


def records_of(message: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Each record's name, without a model's or tool's, and the types of its attributes."""
    for resource in getattr(message, "resource_logs", ()):
        for scope in resource.scope_logs:
            for record in scope.log_records:
                attributes = types_of(record.attributes)
                named = {item.key: item.value.string_value for item in record.attributes}
                yield named.get("event.name", record.event_name), attributes
    for resource in getattr(message, "resource_spans", ()):
        for scope in resource.scope_spans:
            for sent_span in scope.spans:
                yield sent_span.name.split(" ")[0], types_of(sent_span.attributes)
    for resource in getattr(message, "resource_metrics", ()):
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.sum.data_points:
                    yield metric.name, types_of(point.attributes)


def types_of(attributes: Iterable[Any]) -> dict[str, str]:
    return {item.key: item.value.WhichOneof("value") or "" for item in attributes}


def without(document: Any, name: str) -> Any:
    if isinstance(document, dict):
        return {key: without(value, name) for key, value in document.items() if key != name}
    if isinstance(document, list):
        return [without(element, name) for element in document]
    return document
