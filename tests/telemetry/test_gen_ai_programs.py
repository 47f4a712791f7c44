"""Any program that follows OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from integrations.models import AgentRequest, AgentSession, AgentSessionDay
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import CHAT, CODEX, PROGRAM, codex_event, outcomes, span, tokens
from tests.telemetry.intake import NOW, SECOND, Intake, Json, json_attributes, log_record, logs, metrics, spans

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "attributes",
    [
        CHAT,
        {
            "gen_ai__system": "anthropic",
            "gen_ai__request__model": "claude-sonnet-4.5",
            "gen_ai__usage__prompt_tokens": 100,
            "gen_ai__usage__completion_tokens": 9,
            "gen_ai__usage__cache_read_input_tokens": 60,
            "gen_ai__usage__cache_creation_input_tokens": 30,
        },
        {
            "gen_ai__response__model": "claude-sonnet-4.5",
            "gen_ai__usage__input_tokens": "100",
            "gen_ai__usage__output_tokens": 9.0,
            "gen_ai__usage__input_tokens__cached": 60,
            "gen_ai__usage__cache_write__input_tokens": 30,
        },
    ],
    ids=["today's names", "deprecated names", "names in the wild"],
)
@pytest.mark.parametrize("operation", ["chat", None], ids=["an operation", "before operations had names"])
def test_a_program_s_requests_are_read(intake: Intake, attributes: dict[str, Any], operation: str | None) -> None:
    intake.send(spans(span(operation, **attributes), resource=PROGRAM))
    assert tokens() == (10, 60, 30, 9)
    assert AgentRequest.objects.get().model == "claude-sonnet-4.5"
    assert AgentRequest.objects.get().duration_ms == 1000
    assert AgentSession.objects.get().agent == "research_assistant"


def test_a_span_and_an_event_of_one_request_count_once(intake: Intake) -> None:
    for response in ({"gen_ai.response.id": "resp_1"}, {}):
        attributes = {name.replace("__", "."): value for name, value in CHAT.items()} | response
        details = log_record(
            {
                "event.name": "gen_ai.client.inference.operation.details",
                "gen_ai.operation.name": "chat",
                "gen_ai.conversation.id": "c1",
                **attributes,
            },
            spanId=f"{len(response):016x}",
            traceId="7e" * 16,
        )
        with_response = {name.replace(".", "__"): value for name, value in response.items()}
        intake.send(logs(details, resource=PROGRAM))
        intake.send(spans(span("chat", len(response), **CHAT, **with_response), resource=PROGRAM))
    assert tokens() == (20, 120, 60, 18)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    "other",
    [
        {"gen_ai__usage__input_tokens": 100, "gen_ai__usage__output_tokens": 9},
        {"gen_ai__usage__input_tokens": 10, "gen_ai__usage__cache_read_tokens": 60, "gen_ai__usage__output_tokens": 9},
        {"gen_ai__usage__cache_read__input_tokens": 60, "gen_ai__usage__output_tokens": 9},
    ],
    ids=["which knows no cached tokens", "which counts them apart", "which knows no input"],
)
def test_two_programs_report_one_request(intake: Intake, other: dict[str, Any], order: int) -> None:
    records = span("chat", 1, gen_ai__response__id="r", **CHAT), span("chat", 2, gen_ai__response__id="r", **other)
    for record in records[::order]:
        intake.send(spans(record, resource=PROGRAM))
        fold_received_batches()
    assert tokens() == (10, 60, 30, 9)


@pytest.mark.parametrize(
    ("signs", "failed", "outcome"),
    [
        ({}, False, "succeeded"),
        ({}, True, "failed"),
        ({"process__exit__code": 0}, True, "succeeded"),
        ({"process__exit__code": 3}, False, "failed"),
        ({"error__type": "timeout"}, False, "failed"),
        ({"success": True}, True, "succeeded"),
        ({"success": False}, False, "failed"),
    ],
)
def test_the_status_of_a_span_decides_where_nothing_else_does(
    intake: Intake, signs: dict[str, Any], failed: bool, outcome: str
) -> None:
    call = span("execute_tool", gen_ai__tool__name="shell", gen_ai__tool__call__id="c", **signs)
    call["status"] = {"code": "STATUS_CODE_ERROR", "message": "exit 1"} if failed else {}
    intake.send(spans(call, resource=PROGRAM))
    assert outcomes() == {"c": outcome}


def test_calls_at_once_that_are_alike_in_all_but_their_ids_are_several(intake: Intake) -> None:
    times = {"startTimeUnixNano": str(NOW - SECOND), "endTimeUnixNano": str(NOW)}
    calls = [{**span("execute_tool", number, gen_ai__tool__name="shell"), **times} for number in (1, 2)]
    calls[1]["status"] = {"code": 2}
    for _ in range(2):
        intake.send(spans(*calls, resource=PROGRAM))
    assert outcomes() == {"0000000000000001": "succeeded", "0000000000000002": "failed"}
    assert len(intake.events) == 2


def test_a_request_with_a_failed_status_and_no_tokens_failed(intake: Intake) -> None:
    intake.send(spans({**span("chat"), "status": {"code": 2}}, resource=PROGRAM))
    assert [event["kind"] for event in intake.events] == [EventKind.REQUEST_ERROR]


def test_a_trace_is_the_session_of_a_program_that_names_none(intake: Intake) -> None:
    anonymous: dict[str, Any] = {"gen_ai__conversation__id": None}
    records = [
        span("chat", 1, trace="1a" * 16, **CHAT | anonymous),
        span("execute_tool", 2, trace="1a" * 16, gen_ai__tool__name="search", **anonymous),
        span("chat", 3, trace="2b" * 16, **CHAT | anonymous),
        {**span(None, 4, trace="3c" * 16, http__method="GET", **anonymous), "name": "GET"},
    ]
    intake.send(spans(*records, resource=PROGRAM))
    fold_received_batches()
    sessions = AgentSession.objects.filter(has_work=True)
    assert set(sessions.values_list("external_id", flat=True)) == {"1a" * 16, "2b" * 16}
    assert AgentSession.objects.count() == 2
    assert intake.counted(known=False) == {("research_assistant", "GET"): 1}


def test_a_request_that_failed_has_no_tokens_and_one_that_was_cut_off_has(intake: Intake) -> None:
    cut_off = {**CHAT, "error__type": "length"}
    intake.send(spans(span("chat", 1, error__type="500"), span("chat", 2, **cut_off), resource=PROGRAM))
    assert tokens() == (10, 60, 30, 9)
    assert AgentRequest.objects.count() == 1


def test_histograms_of_token_usage_are_read_where_they_name_a_session(intake: Intake) -> None:
    def usage(kind: str, total: float, **attributes: str) -> Json:
        labels = {"gen_ai.token.type": kind, "gen_ai.request.model": "gpt-5.5", **attributes}
        point = {
            "startTimeUnixNano": str(NOW - SECOND),
            "timeUnixNano": str(NOW),
            "count": "3",
            "sum": total,
            "bucketCounts": ["3"],
            "attributes": json_attributes(labels),
        }
        return {"name": "gen_ai.client.token.usage", "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}}

    named = {"session.id": "s1"}
    intake.send(metrics(usage("input", 100, **named), usage("output", 9, **named), usage("input", 5), resource=PROGRAM))
    assert tokens() == (100, 0, 0, 9)
    assert intake.counted(known=False) == {("research_assistant", "gen_ai.client.token.usage"): 1}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["the agent first", "the gateway first"])
def test_a_session_that_a_gateway_tells_of_as_well_counts_once(intake: Intake, order: Sequence[int]) -> None:
    completed = codex_event("sse_event", input_token_count="100", output_token_count="7")
    by_gateway = span("chat", **CHAT), span("execute_tool", 2, gen_ai__tool__name="shell")
    requests = [logs(completed, resource=CODEX), spans(*by_gateway, resource={**PROGRAM, "service.name": "gateway"})]
    for _ in range(2):
        for position in order:
            intake.send(requests[position])
            fold_received_batches()
    assert tokens() == (100, 0, 0, 7)
    assert list(AgentSession.objects.filter(has_work=True).values_list("agent", flat=True)) == ["codex"]
    assert set(AgentSessionDay.objects.values_list("agent", flat=True)) == {"codex"}


def test_two_people_s_sessions_of_one_id_stay_two(intake: Intake) -> None:
    other = {"service.name": "gateway", "enduser.id": "grace@example.com"}
    intake.send(logs(codex_event("sse_event", input_token_count="100", output_token_count="7"), resource=CODEX))
    intake.send(spans(span("chat", **CHAT), resource=other))
    assert tokens() == (110, 60, 30, 16)


# gpt-5 costs $1.25 a million input tokens, $0.125 cached and $10 output; flex half of that, priority twice.
# 40,000 uncached, 60,000 cached and 2,000 output: 0.05 + 0.0075 + 0.02 = 0.0775.
@pytest.mark.parametrize(
    ("service_tier", "tier", "spend"),
    [
        ({}, "", "0.0775"),
        ({"openai__response__service_tier": "flex"}, "flex", "0.03875"),
        ({"openai__response__service_tier": "batch"}, "batch", "0.03875"),
        ({"openai__response__service_tier": "priority"}, "priority", "0.155"),
        ({"gen_ai__openai__response__service_tier": "Flex"}, "flex", "0.03875"),
        ({"gen_ai__openai__request__service_tier": "flex"}, "flex", "0.03875"),
        ({"openai__request__service_tier": "flex"}, "flex", "0.03875"),
        ({"openai__request__service_tier": "auto"}, "", "0.0775"),
        # What served it counts, and not what was asked for.
        ({"openai__request__service_tier": "priority", "openai__response__service_tier": "default"}, "", "0.0775"),
        ({"openai__request__service_tier": "auto", "openai__response__service_tier": "priority"}, "priority", "0.155"),
        # A tier that the price list does not know costs what the standard one does.
        ({"openai__response__service_tier": "scale"}, "scale", "0.0775"),
    ],
)
def test_the_tier_that_served_a_request_decides_its_price(
    intake: Intake, service_tier: dict[str, Any], tier: str, spend: str
) -> None:
    request: dict[str, Any] = {
        "gen_ai__request__model": "gpt-5",
        "gen_ai__usage__input_tokens": 100_000,
        "gen_ai__usage__cache_read__input_tokens": 60_000,
        "gen_ai__usage__output_tokens": 2_000,
    }
    intake.send(spans(span("chat", **request, **service_tier), resource=PROGRAM))
    assert tokens() == (40_000, 60_000, 0, 2_000)
    stored = AgentRequest.objects.get()
    assert (stored.service_tier, stored.spend) == (tier, Decimal(spend))
    assert AgentSessionDay.objects.get().spend == Decimal(spend)
    assert intake.counted(known=False) == {}


CALL: dict[str, Any] = {
    "gen_ai__request__model": "claude-sonnet-4.5",
    "gen_ai__usage__input_tokens": 100,
    "gen_ai__usage__output_tokens": 9,
}
KNOWING = CALL | {"gen_ai__usage__cache_read__input_tokens": 60}


def nested(number: int, above: int, **attributes: Any) -> Json:
    return span("chat", number, parent=f"{above:016x}" if above else "", **attributes)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize(
    ("records", "expected", "requests"),
    [
        # A program and a library below it report one call.
        ([nested(1, 0, **CALL), nested(2, 1, **CALL)], (100, 0, 0, 9), 1),
        ([nested(1, 0, **KNOWING), nested(2, 1, **CALL)], (40, 60, 0, 9), 1),
        ([nested(1, 0, **CALL), nested(2, 1, **KNOWING)], (40, 60, 0, 9), 1),
        # A library that gets no usage of a stream, or only a part.
        ([nested(1, 0, **KNOWING), nested(2, 1, gen_ai__request__model="claude-sonnet-4.5")], (40, 60, 0, 9), 1),
        ([nested(1, 0, **CALL), nested(2, 1, **CALL | {"gen_ai__usage__input_tokens": None})], (100, 0, 0, 9), 1),
        # A program, a framework and a library report one call.
        ([nested(1, 0, **CALL), nested(2, 1, **KNOWING), nested(3, 2, **CALL)], (40, 60, 0, 9), 1),
        # The sums of two requests stand above them.
        (
            [
                nested(1, 0, **CALL | {"gen_ai__usage__input_tokens": 200, "gen_ai__usage__output_tokens": 18}),
                nested(2, 1, **KNOWING),
                nested(3, 1, **CALL),
            ],
            (140, 60, 0, 18),
            2,
        ),
        # Another model's request below is another request, such as one that a tool makes.
        (
            [
                nested(1, 0, **CALL),
                nested(2, 1, **CALL | {"gen_ai__request__model": "gpt-5", "gen_ai__usage__output_tokens": 5}),
            ],
            (200, 0, 0, 14),
            2,
        ),
        ([nested(1, 0, **CALL), nested(2, 9, **CALL)], (200, 0, 0, 18), 2),
    ],
    ids=[
        *(
            "both alike",
            "above knows more",
            "below knows more",
            "no usage below",
            "no prompt below",
            "three deep",
            "sums",
        ),
        *("another model", "no relation"),
    ],
)
def test_a_span_above_a_request_is_no_second_one(
    intake: Intake, records: list[Json], expected: tuple[int, ...], requests: int, order: Sequence[int]
) -> None:
    for position in order:
        for record in records[position : position + 1]:
            intake.send(spans(record, resource=PROGRAM))
            fold_received_batches()
    assert tokens() == expected
    assert sum(AgentSessionDay.objects.values_list("requests", flat=True)) == requests
    assert AgentSession.objects.get().event_tokens == sum(expected)
