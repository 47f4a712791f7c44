"""The demo's requests are the same every time, and shaped as the real program's."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from demo.plan.agents import CLAUDE_CODE
from demo.plan.export_requests import ExportRequest, export_requests_of_week
from demo.plan.model_prices import MODEL_PRICES, UNKNOWN_MODEL
from demo.plan.people import PEOPLE
from demo.plan.sizes import DEMO_WEEKS
from demo.plan.stories import STORIES
from demo.plan.year import DemoYear
from tests.demo import flavours
from tests.recordings import Recordings

ANCHOR = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)

Shape = dict[str, dict[str, str]]  # event or metric name → attribute → type
# Attributes of api_request that its documentation names, and the recorded runs had no occasion for.
DOCUMENTED = dict.fromkeys(("effort", "agent.name", "skill.name", "plugin.name"), "string_value")


@pytest.fixture(scope="module", params=flavours.STORIES)
def year(request: pytest.FixtureRequest) -> DemoYear:
    return DemoYear(seed=1, flavour=request.param, anchor=ANCHOR)


def _some_weeks(year: DemoYear) -> tuple[int, ...]:
    return 0, 3, 6, year.weeks_of_telemetry - 1


@pytest.fixture(scope="module")
def all_requests(year: DemoYear) -> list[ExportRequest]:
    return [request for week in _some_weeks(year) for request in export_requests_of_week(year, week)]


@pytest.fixture(scope="module")
def some_requests(all_requests: list[ExportRequest]) -> list[ExportRequest]:
    """Those of Claude Code; test_agents_requests.py has the other agents'."""
    return [request for request in all_requests if request.agent == CLAUDE_CODE]


def test_the_same_seed_and_end_make_the_same_bytes(year: DemoYear, all_requests: list[ExportRequest]) -> None:
    again = [request for week in _some_weeks(year) for request in export_requests_of_week(year, week)]
    assert again == all_requests


def test_another_seed_makes_other_sessions(year: DemoYear, some_requests: list[ExportRequest]) -> None:
    other = replace(year, seed=2)
    bodies = {request.body for week in _some_weeks(year) for request in export_requests_of_week(other, week)}
    assert bodies.isdisjoint(request.body for request in some_requests)


def test_no_two_records_are_alike(some_requests: list[ExportRequest]) -> None:
    records = [record.SerializeToString() for record in _log_records(some_requests)]
    assert len(set(records)) == len(records)


def test_nothing_lies_outside_the_year(year: DemoYear) -> None:
    for session in year.sessions_of_week(0):
        assert session.ended_at <= ANCHOR
    oldest = year.sessions_of_week(year.weeks_of_telemetry - 1)[0]
    assert oldest.setting.started_at.date() >= year.first_day_of(DEMO_WEEKS)


def test_events_are_numbered_and_in_the_order_of_time(some_requests: list[ExportRequest]) -> None:
    by_session: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for record in _log_records(some_requests):
        attributes = {item.key: item.value for item in record.attributes}
        session = attributes["session.id"].string_value
        by_session[session].append((attributes["event.sequence"].int_value, record.time_unix_nano))
    for numbered in by_session.values():
        active_periods = [position for position, (sequence, _) in enumerate(numbered) if sequence == 0]
        for start, end in zip(active_periods, [*active_periods[1:], len(numbered)], strict=True):
            sequences, times = zip(*numbered[start:end], strict=True)
            assert list(sequences) == list(range(end - start))
            assert max(times) - min(times) < 5 * 3600 * 10**9


def test_metrics_and_events_of_a_session_tell_the_same_tokens(some_requests: list[ExportRequest]) -> None:
    from_events: dict[str, int] = defaultdict(int)
    from_metrics: dict[str, float] = defaultdict(float)
    for record in _log_records(some_requests):
        attributes = {item.key: item.value for item in record.attributes}
        if attributes["event.name"].string_value == "api_request":
            from_events[attributes["session.id"].string_value] += sum(
                attributes[f"{kind}_tokens"].int_value for kind in ("input", "output", "cache_read", "cache_creation")
            )
    for name, point in _points(some_requests):
        if name == "claude_code.token.usage":
            session = next(item.value.string_value for item in point.attributes if item.key == "session.id")
            from_metrics[session] += point.as_double
    assert from_events == from_metrics


def test_prompts_and_answers_are_never_in_it(some_requests: list[ExportRequest]) -> None:
    for record in _log_records(some_requests):
        for item in record.attributes:
            if item.key in ("prompt", "response"):
                assert item.value.string_value == "<REDACTED>"


def test_every_attribute_has_a_name_and_type_that_the_real_program_sent(
    some_requests: list[ExportRequest], recordings: Recordings
) -> None:
    recorded = _recorded_shapes(recordings)
    for name, attributes in _shapes(some_requests).items():
        assert name in recorded, name
        unknown = attributes.items() - (recorded[name] | DOCUMENTED).items()
        assert not unknown, f"{name}: {unknown}"


def test_scope_and_resource_are_those_of_the_real_program(
    some_requests: list[ExportRequest], recordings: Recordings
) -> None:
    (recording,) = [recording for recording in recordings.of("claude-code") if recording.name == "claude-full-pb"]
    real_logs = ExportLogsServiceRequest.FromString(recording.requests[0].body).resource_logs[0]
    real_metrics = ExportMetricsServiceRequest.FromString(recording.requests[1].body).resource_metrics[0]
    for request in some_requests:
        if request.path == "/v1/logs":
            for logs in _logs(request).resource_logs:
                assert [scope.scope.name for scope in logs.scope_logs] == [real_logs.scope_logs[0].scope.name]
                assert _without_place(logs.resource.attributes) == _types(real_logs.resource.attributes)
        else:
            for metrics in _metrics(request).resource_metrics:
                assert [scope.scope.name for scope in metrics.scope_metrics] == [
                    real_metrics.scope_metrics[0].scope.name
                ]
                assert _without_place(metrics.resource.attributes) == _types(real_metrics.resource.attributes)


def test_the_agent_reports_the_price_that_headway_applies() -> None:
    for model, price in MODEL_PRICES.items():
        if model == UNKNOWN_MODEL:
            with pytest.raises(LookupError):
                calc_price(Usage(input_tokens=1), model_ref=model, provider_id="anthropic")
            continue
        usage = Usage(input_tokens=63_000, cache_read_tokens=50_000, cache_write_tokens=12_000, output_tokens=2_000)
        if not model.startswith("claude"):  # nothing that is written to the cache is told apart
            usage = Usage(input_tokens=63_000, cache_read_tokens=50_000, output_tokens=2_000)
        expected = calc_price(usage, model_ref=model).total_price
        cost = price.cost_usd(uncached_input=1_000, cache_read=50_000, cache_write=12_000, output=2_000)
        assert round(Decimal(cost), 6) == round(expected, 6), model


def test_the_people_are_about_sixty_and_fictitious() -> None:
    addresses = [person.email for person in PEOPLE]
    assert len(set(addresses)) == len(addresses) == 58
    assert all(address.endswith("@example.com") for address in addresses)


def test_every_story_concerns_people_of_the_organisation() -> None:
    addresses = {person.email for person in PEOPLE}
    for story in STORIES:
        assert story.expectations, story.key
        assert story.who is None or story.who <= addresses, story.key


def _logs(request: ExportRequest) -> ExportLogsServiceRequest:
    return ExportLogsServiceRequest.FromString(gzip.decompress(request.body))


def _metrics(request: ExportRequest) -> ExportMetricsServiceRequest:
    return ExportMetricsServiceRequest.FromString(gzip.decompress(request.body))


def _log_records(requests: Iterable[ExportRequest]) -> Iterator[Any]:
    for request in requests:
        if request.path == "/v1/logs":
            for resource in _logs(request).resource_logs:
                for scope in resource.scope_logs:
                    yield from scope.log_records


def _points(requests: Iterable[ExportRequest]) -> Iterator[tuple[str, Any]]:
    for request in requests:
        if request.path == "/v1/metrics":
            yield from _points_of(_metrics(request))


def _points_of(message: ExportMetricsServiceRequest) -> Iterator[tuple[str, Any]]:
    for resource in message.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.sum.data_points:
                    yield metric.name, point


def _shapes(requests: Iterable[ExportRequest]) -> Shape:
    shapes: Shape = defaultdict(dict)
    requests = list(requests)
    for record in _log_records(requests):
        shapes[record.body.string_value] |= _types(record.attributes)
    for name, point in _points(requests):
        shapes[name] |= _types(point.attributes)
    return shapes


def _recorded_shapes(recordings: Recordings) -> Shape:
    """From the recorded bodies, and from the table over all ten runs for what those two runs did not meet."""
    shapes: Shape = defaultdict(dict)
    for recording in recordings.of("claude-code"):
        for request in recording.requests:
            logs, metrics = ExportLogsServiceRequest(), ExportMetricsServiceRequest()
            message = logs if request.path == "/v1/logs" else metrics
            if request.content_type == "application/json":
                json_format.Parse(request.body, message)
            else:
                message.ParseFromString(request.body)
            for resource in logs.resource_logs:
                for scope in resource.scope_logs:
                    for record in scope.log_records:
                        shapes[record.body.string_value] |= _types(record.attributes)
            for name, point in _points_of(metrics):
                shapes[name] |= _types(point.attributes)
    common = {
        key: kind
        for key, kind in shapes["claude_code.api_request"].items()
        if key.startswith(("event.", "enduser.", "user.", "session.", "terminal."))
    }
    observed = (recordings.folder / "agents" / "claude-code" / "observed.md").read_text()
    (row,) = [line for line in observed.splitlines() if line.startswith("| api_error |")]
    types = {"s": "string_value", "i": "int_value", "d": "double_value", "b": "bool_value"}
    attributes = (item.split(":") for item in row.rstrip("| ").rsplit("|", 1)[-1].strip().split(", "))
    shapes["claude_code.api_error"] = common | {key: types[kind] for key, kind in attributes}
    return shapes


def _without_place(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """As the program sends it by itself: a wrapper adds the repository."""
    return {name: kind for name, kind in _types(attributes).items() if not name.startswith("vcs.")}


def _types(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return {item.key: item.value.WhichOneof("value") or "" for item in attributes}
