"""Programs that count cached tokens apart from their input, which the conventions have it include."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import AgentRequest, AgentSession, AgentSessionDay, CacheExclusiveSender
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import PROGRAM, span
from tests.telemetry.intake import Intake, Json, json_attributes, spans

pytestmark = pytest.mark.django_db

APART = {"input_tokens": 5, "cache_read_input_tokens": 128_955, "cache_creation_input_tokens": 1_253}
LITTLE = {"input_tokens": 1_000, "cache_read_input_tokens": 800}
CONFORMING = {"input_tokens": 1_000, "cache_read.input_tokens": 800}


def send(
    intake: Intake,
    usage: dict[str, int],
    *,
    key: str,
    more: dict[str, int] | None = None,
    library: str = "acme",
    version: str = "1",
) -> None:
    attributes = {f"gen_ai.usage.{name}": value for name, value in usage.items()} | (more or {})
    record = span("chat", gen_ai__response__model="claude-sonnet-4-5", gen_ai__usage__output_tokens=100)
    record["attributes"] += json_attributes({"gen_ai.response.id": key, **attributes})
    request: Json = spans(record, resource=PROGRAM)
    request["resourceSpans"][0]["scopeSpans"][0]["scope"] = {"name": library, "version": version}
    intake.send(request)
    fold_received_batches()


def inputs() -> dict[str, int]:
    return dict(AgentRequest.objects.values_list("key", "input_tokens"))


def test_more_cached_tokens_than_input_are_counted_apart(intake: Intake) -> None:
    send(intake, APART, key="apart")
    assert inputs() == {"apart": 5}
    assert intake.reasons == []
    assert AgentSessionDay.objects.get().cache_read_tokens == 128_955


def test_a_sender_that_showed_it_is_known_from_then_on(intake: Intake) -> None:
    send(intake, APART, key="apart")
    send(intake, LITTLE, key="little")
    assert inputs()["little"] == 1_000


def test_what_came_before_is_read_again_with_its_price_and_its_session(intake: Intake) -> None:
    send(intake, LITTLE, key="before")
    assert inputs() == {"before": 200}
    send(intake, APART, key="apart")
    assert inputs() == {"before": 1_000, "apart": 5}
    before = AgentRequest.objects.get(key="before")
    assert before.spend is not None
    assert (float(before.spend), before.subtracted_tokens) == (0.00474, 0)
    day = AgentSessionDay.objects.get()
    assert (day.input_tokens, day.requests) == (1_005, 2)
    session = AgentSession.objects.get()
    assert session.event_tokens == 1_005 + 800 + 128_955 + 1_253 + 200


def test_a_repetition_after_that_changes_nothing(intake: Intake) -> None:
    for usage, key in ((LITTLE, "before"), (APART, "apart"), (LITTLE, "before"), (APART, "apart")):
        send(intake, usage, key=key)
    assert inputs() == {"before": 1_000, "apart": 5}


@pytest.mark.parametrize(
    "other",
    [{"library": "another"}, {"version": "2"}],
    ids=["another library", "another version of it, which may have mended it"],
)
def test_other_senders_are_read_by_the_conventions(intake: Intake, other: dict[str, Any]) -> None:
    send(intake, APART, key="apart")
    send(intake, LITTLE, key="other", **other)
    assert inputs()["other"] == 200


def test_the_same_library_under_the_conventions_names_is_another_sender(intake: Intake) -> None:
    send(intake, APART, key="apart")
    send(intake, CONFORMING, key="conforming")
    assert inputs()["conforming"] == 200


def test_a_library_known_to_count_apart_needs_no_proof(intake: Intake) -> None:
    send(intake, LITTLE, key="old", library="opentelemetry.instrumentation.bedrock", version="0.62.3")
    send(intake, LITTLE, key="new", library="opentelemetry.instrumentation.bedrock", version="0.63.0")
    assert inputs() == {"old": 1_000, "new": 200}
    assert not CacheExclusiveSender.objects.exists()


def test_an_unknown_name_may_be_the_rest_of_the_input(intake: Intake) -> None:
    send(intake, APART, key="unknown", more={"gen_ai.usage.new_input_tokens": 130_208})
    assert inputs() == {}
    assert not CacheExclusiveSender.objects.exists()
    send(intake, LITTLE, key="little")
    assert inputs() == {"little": 200}


@pytest.mark.parametrize(
    ("read", "write"),
    [
        ("gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cache_write_tokens"),
        ("gen_ai.usage.details.cache_read_input_tokens", "gen_ai.usage.details.cache_creation_input_tokens"),
        ("gen_ai.usage.cache_read_tokens", "gen_ai.usage.cache_write_tokens"),
        ("gen_ai.usage.cache_read_tokens", "gen_ai.usage.cache_creation_tokens"),
        ("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_write"),
    ],
)
def test_cached_tokens_are_known_by_many_names(intake: Intake, read: str, write: str) -> None:
    send(intake, {"input_tokens": 100}, key="r", more={read: 60, write: 30})
    request = AgentRequest.objects.get()
    assert (request.input_tokens, request.cache_read_tokens, request.cache_write_tokens) == (10, 60, 30)


def test_openinference_spans_are_requests_by_their_kind(intake: Intake) -> None:
    usage = {"llm.token_count.prompt": 100, "llm.token_count.prompt_details.cache_read": 60}
    answer = {"llm.token_count.completion": 9, "llm.model_name": "auto", "session.id": "s1"}
    answer |= {"llm.response.model_name": "claude-sonnet-4-5", "llm.provider": "azure", "llm.system": "anthropic"}
    for number, kind in enumerate(("LLM", "CHAIN", "AGENT")):  # the others repeat the tokens of their parts
        record = span(None)
        record["spanId"] = f"{number + 1:016x}"
        record["attributes"] = json_attributes({"openinference.span.kind": kind, **usage, **answer})
        intake.send(spans(record, resource=PROGRAM))
    fold_received_batches()
    request = AgentRequest.objects.get()
    assert (request.input_tokens, request.cache_read_tokens, request.output_tokens) == (40, 60, 9)
    assert request.model == "azure/claude-sonnet-4-5"  # from who sells it


def test_hourly_cache_writes_that_a_program_names_are_priced_so(intake: Intake) -> None:
    hourly = {"gen_ai.usage.cache_creation.ephemeral_1h_input_tokens": 30}
    send(intake, {"input_tokens": 100, "cache_creation.input_tokens": 40}, key="r", more=hourly)
    request = AgentRequest.objects.get()
    assert (request.cache_write_tokens, request.cache_write_1h_tokens, request.surcharge_1h) == (40, 30, None)
