"""Recordings of the real Claude Code leave the same rows, however, how often and in whatever order they are sent."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from integrations.models import QuarantinedRecord
from tests.recordings import RecordedRequest, Recording, Recordings
from tests.servers import Server
from tests.telemetry.intake import PROTOBUF, Intake, rows, stored_text
from tests.wire import post_chunked, post_with_length

EVENTS = "SELECT kind, name, key, at, outcome, input_tokens FROM integrations_agent_event ORDER BY at, digest"
POINTS = "SELECT measure, model, start, at, value FROM integrations_agent_point ORDER BY at, series, start"


def test_every_way_of_sending_leaves_the_same_rows(server: Server, recordings: Recordings) -> None:
    """Chunked and with a length, through the real server, then all of it again in another order."""
    runs = recordings.of("claude-code")
    headers = {"Authorization": f"Bearer {server.ingest_token}"}

    def send(requests: Iterable[RecordedRequest]) -> tuple[Any, ...]:
        for number, request in enumerate(requests):
            post = post_chunked if number % 2 else post_with_length
            assert post(server.url + request.path, request.body, {**request.headers, **headers}) == 200
        with server.database():
            return (
                rows(EVENTS),
                rows(POINTS),
                rows("SELECT agent, external_id, identity_id FROM integrations_agentsession"),
            )

    requests = [request for run in runs for request in run.requests]
    first = send(requests)
    random.Random(5).shuffle(requests)
    assert send([*requests, *requests]) == first
    with server.database():
        assert not QuarantinedRecord.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["claude-basic-json", "claude-full-pb"])
def test_a_run_is_stored_with_its_totals(recordings: Recordings, name: str) -> None:
    run = next(run for run in recordings.of("claude-code") if run.name == name)
    intake = Intake()
    send_all(intake, run)

    true = run.expected["normalized_totals"]
    requests = [event for event in intake.events if event["name"] == "api_request"]
    assert len(requests) == run.expected["requests_ok"]
    assert {
        "uncached_input": sum(event["input_tokens"] for event in requests),
        "cache_read": sum(event["cache_read_tokens"] for event in requests),
        "cache_write": sum(event["cache_write_tokens"] for event in requests),
        "output_including_reasoning": sum(event["output_tokens"] for event in requests),
    } == {kind: true[kind] for kind in true if kind != "reasoning"}

    outcomes = Counter(event["outcome"] for event in intake.events if event["tool"])
    assert outcomes["succeeded"] == run.expected["tool_calls_ok"]
    assert outcomes["failed"] == run.expected["tool_calls_failed_or_denied"]

    measured: Counter[str] = Counter()
    for point in intake.points:
        measured[point["measure"]] += point["value"]
    totals = run.expected["seen_in_otel"]["metric_totals"]
    assert measured["input_tokens"] == totals['claude_code.token.usage {"type": "input"}']
    assert measured["lines_added"] == totals['claude_code.lines_of_code.count {"type": "added"}']
    assert measured["reported_cost"] == pytest.approx(totals["claude_code.cost.usage {}"])
    assert measured["active_seconds"] == pytest.approx(totals['claude_code.active_time.total {"type": "cli"}'])
    assert not intake.reasons
    assert [session["value"] for session in intake.sessions] == ["dev@example.com"]


@pytest.mark.django_db
def test_records_batched_anew_are_the_same_records(recordings: Recordings) -> None:
    """A collector between agent and Headway may cut batches elsewhere, and speak JSON."""
    intake = Intake()
    run = next(run for run in recordings.of("claude-code") if run.name == "claude-full-pb")
    send_all(intake, run)
    before = (intake.events, intake.points)
    singles = [request for sent in run.requests for request in single_records(sent)]
    random.Random(7).shuffle(singles)
    for path, single in singles:
        assert intake.post(path, single.SerializeToString(), PROTOBUF).status_code == 200
        assert intake.post(path, otlp_json(single)).status_code == 200
    assert (intake.events, intake.points) == before


@pytest.mark.django_db
@pytest.mark.parametrize("agent", ["claude-code", "codex", "gemini-cli", "copilot-cli"])
def test_everything_that_a_recorded_agent_sends_is_understood(recordings: Recordings, agent: str) -> None:
    intake = Intake()
    for run in recordings.of(agent):
        send_all(intake, run)
        before = intake.events, intake.points
        send_all(intake, run)
        assert (intake.events, intake.points) == before
    assert intake.counted(known=False) == {}
    assert not intake.reasons
    assert {session["value"] for session in intake.sessions} == {"dev@example.com"}


@pytest.mark.django_db
def test_a_version_with_other_names_is_kept_and_listed(recordings: Recordings) -> None:
    """Here every event of Codex, sent under names that nobody knows."""
    intake = Intake()
    for run in recordings.of("codex"):
        for sent in run.requests:
            if sent.path == "/v1/logs":
                renamed = sent.body.replace(b"codex.tool_result", b"codex.tool_ending")
                assert intake.post(sent.path, renamed, sent.content_type).status_code == 200
    unread = [event for event in intake.events if event["name"] == "tool_ending"]
    assert len(unread) == 5
    assert intake.counted(known=False) == {("codex", "tool_ending"): 5}
    calls = {json.loads(event["attributes"])["call_id"] for event in unread}
    assert calls == {f"call_fake000{n}" for n in (1, 3, 4, 6, 7)}


@pytest.mark.django_db
@pytest.mark.parametrize("agent", ["claude-code", "codex", "gemini-cli", "copilot-cli"])
def test_no_prompt_or_answer_is_stored(recordings: Recordings, agent: str) -> None:
    intake = Intake()
    for run in recordings.of(agent):
        send_all(intake, run)
        for hook in (run.folder / "hooks.jsonl").read_text().splitlines():
            for text in texts_of_tools(hook):
                assert text not in stored_text()


def send_all(intake: Intake, run: Recording) -> None:
    for request in run.requests:
        headers = {"Content-Encoding": request.content_encoding} if request.content_encoding else {}
        answer = intake.post(request.path, request.body, request.content_type, **headers)
        assert (answer.status_code, answer.content in (b"", b"{}")) == (200, True)


def single_records(sent: RecordedRequest) -> Iterator[tuple[str, Message]]:
    if sent.path == "/v1/logs":
        logs = ExportLogsServiceRequest.FromString(sent.body)
        for resource_logs in logs.resource_logs:
            for scope_logs in resource_logs.scope_logs:
                for record in scope_logs.log_records:
                    single = ExportLogsServiceRequest()
                    resource = single.resource_logs.add(resource=resource_logs.resource)
                    resource.scope_logs.add(scope=scope_logs.scope).log_records.append(record)
                    yield sent.path, single
    else:
        metrics = ExportMetricsServiceRequest.FromString(sent.body)
        for resource_metrics in metrics.resource_metrics:
            for scope_metrics in resource_metrics.scope_metrics:
                for metric in scope_metrics.metrics:
                    alone = ExportMetricsServiceRequest()
                    origin = alone.resource_metrics.add(resource=resource_metrics.resource)
                    origin.scope_metrics.add(scope=scope_metrics.scope).metrics.append(metric)
                    yield sent.path, alone


def otlp_json(request: Message) -> bytes:
    return MessageToJson(request).encode()  # its trace ids are not as OTLP has them, which nobody reads


def texts_of_tools(hook: str) -> Iterator[str]:
    """The inputs of the agent's tools, from the standard input of its hooks."""
    document = json.loads(hook)
    inputs = (document.get("stdin") or document).get("tool_input") if isinstance(document, dict) else None
    for value in inputs.values() if isinstance(inputs, dict) else ():
        if isinstance(value, str) and len(value) > 20:
            yield value
