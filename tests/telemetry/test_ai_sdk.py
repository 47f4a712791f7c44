"""Spans of the Vercel AI SDK, which opencode and many programs in TypeScript export."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import AgentRequest, AgentSession, AgentToolCall
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import outcomes, span, tokens
from tests.telemetry.intake import Intake, Json, spans

pytestmark = pytest.mark.django_db

OPENCODE = {"service.name": "opencode", "service.version": "1.4.0", "enduser.id": "ada@example.com"}
SESSION = "ai.telemetry.metadata.sessionId"


def sdk_span(
    operation: str, number: int, /, *, session: str | None = "ses_1", failed: bool = False, **more: Any
) -> Json:
    """`more` are attributes; __ stands for a dot."""
    record = span(None, number, gen_ai__conversation__id=None, ai__operationId=operation, **more)
    if session is not None:
        record["attributes"].append({"key": SESSION, "value": {"stringValue": session}})
    if failed:
        record["status"] = {"code": 2, "message": "exit 1"}
    return {**record, "name": operation}


# 1,000 in, 600 of them read from and 100 written to the cache, 50 out: under the names of each version of the SDK.
VERSIONS: dict[str, tuple[dict[str, Any], tuple[int, int, int, int]]] = {
    "4": ({"ai__usage__promptTokens": 1000, "ai__usage__completionTokens": 50}, (1000, 0, 0, 50)),
    "5": (
        {"ai__usage__inputTokens": 1000, "ai__usage__cachedInputTokens": 600, "ai__usage__outputTokens": 50},
        (400, 600, 0, 50),
    ),
    "6": (
        {
            "ai__usage__inputTokens": 1000,
            "ai__usage__cachedInputTokens": 600,
            "ai__usage__inputTokenDetails__noCacheTokens": 300,
            "ai__usage__inputTokenDetails__cacheReadTokens": 600,
            "ai__usage__inputTokenDetails__cacheWriteTokens": 100,
            "ai__usage__outputTokens": 50,
            "ai__usage__outputTokenDetails__reasoningTokens": 20,
        },
        (300, 600, 100, 50),
    ),
    "embeddings": ({"ai__usage__tokens": 1000}, (1000, 0, 0, 0)),
}


@pytest.mark.parametrize("with_conventions", [False, True], ids=["alone", "beside the conventions' names"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_names_the_same_tokens(intake: Intake, version: str, *, with_conventions: bool) -> None:
    usage, expected = VERSIONS[version]
    more: dict[str, Any] = (
        {"gen_ai__usage__input_tokens": 1000, "gen_ai__usage__output_tokens": expected[3]} if with_conventions else {}
    )
    operation = "ai.embed.doEmbed" if version == "embeddings" else "ai.generateText.doGenerate"
    intake.send(spans(sdk_span(operation, 1, ai__model__id="gpt-5", **usage, **more), resource=OPENCODE))
    assert tokens() == expected
    assert AgentRequest.objects.get().model == "gpt-5"
    assert intake.counted(known=False) == {}


# What the providers of versions before 6 add in words of their own, beside 1,000 tokens of input and 50 of output.
METADATA: dict[str, tuple[str, dict[str, int], tuple[int, int, int, int]]] = {
    "Anthropic, 4": (
        '{"anthropic": {"cacheCreationInputTokens": 300, "cacheReadInputTokens": 6000}}',
        {"promptTokens": 1000, "completionTokens": 50},
        (1000, 6000, 300, 50),  # which counts them apart, as 6,300 of 1,000 show
    ),
    "Anthropic, 5": (
        '{"anthropic": {"usage": {"input_tokens": 1000, "cache_creation_input_tokens": 300, "cache_creation":'
        ' {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 300}}, "cacheCreationInputTokens": 300}}',
        {"inputTokens": 1000, "cachedInputTokens": 6000, "outputTokens": 50},
        (1000, 6000, 300, 50),
    ),
    "Amazon Bedrock": (
        '{"bedrock": {"usage": {"cacheReadInputTokens": 6000, "cacheWriteInputTokens": 300}}}',
        {"promptTokens": 1000, "completionTokens": 50},
        (1000, 6000, 300, 50),
    ),
    "OpenAI": (
        '{"openai": {"reasoningTokens": 20, "cachedPromptTokens": 600}}',
        {"promptTokens": 1000, "completionTokens": 50},
        (400, 600, 0, 50),
    ),
    "DeepSeek": (
        '{"deepseek": {"promptCacheHitTokens": 600, "promptCacheMissTokens": 400}}',
        {"promptTokens": 1000, "completionTokens": 50},
        (400, 600, 0, 50),
    ),
    "Google": (
        '{"google": {"usageMetadata": {"cachedContentTokenCount": 600, "promptTokenCount": 1000}}}',
        {"promptTokens": 1000, "completionTokens": 50},
        (400, 600, 0, 50),
    ),
    "OpenRouter": (
        '{"openrouter": {"usage": {"promptTokens": 1000, "promptTokensDetails": {"cachedTokens": 600}}}}',
        {"inputTokens": 1000, "outputTokens": 50},
        (400, 600, 0, 50),
    ),
    "another one's own name comes first": (
        '{"openai": {"cachedPromptTokens": 1}}',
        {"inputTokens": 1000, "cachedInputTokens": 600, "outputTokens": 50},
        (400, 600, 0, 50),
    ),
    "nothing": ('{"openai": {"responseId": "resp_1"}}', {"promptTokens": 1000}, (1000, 0, 0, 0)),
    "no object": ('["cachedPromptTokens", 600]', {"promptTokens": 1000}, (1000, 0, 0, 0)),
    "no JSON": ("{cachedPromptTokens: 600}", {"promptTokens": 1000}, (1000, 0, 0, 0)),
    "no counts": (
        '{"openai": {"cachedPromptTokens": -1, "cachedTokens": true, "cachedContentTokenCount": 1e99}}',
        {"promptTokens": 1000},
        (1000, 0, 0, 0),
    ),
    "too many levels": ("[" * 50_000, {"promptTokens": 1000}, (1000, 0, 0, 0)),
}


@pytest.mark.parametrize("case", METADATA)
def test_cached_tokens_are_read_from_what_the_provider_adds(intake: Intake, case: str) -> None:
    metadata, usage, expected = METADATA[case]
    more: dict[str, Any] = {f"ai__usage__{name}": count for name, count in usage.items()}
    record = sdk_span("ai.streamText.doStream", 1, ai__response__providerMetadata=metadata, **more)
    intake.send(spans(record, resource=OPENCODE))
    assert tokens() == expected
    assert intake.dropped == {"ai.response.providerMetadata": 1}
    assert intake.counted(known=False) == {}
    assert AgentRequest.objects.get().cache_write_1h_tokens == (300 if case == "Anthropic, 5" else 0)


@pytest.mark.parametrize("call", ["ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"])
def test_the_sums_of_a_call_are_not_added_to_its_requests(intake: Intake, call: str) -> None:
    usage: dict[str, Any] = {"ai__usage__inputTokens": 1000, "ai__usage__outputTokens": 50}
    request = f"{call}.{'doStream' if 'stream' in call else 'doGenerate'}"
    records = [sdk_span(request, number, **usage) for number in (1, 2)]
    total: dict[str, Any] = {name: 2 * value for name, value in usage.items()}
    intake.send(spans(*records, sdk_span(call, 3, **total), resource=OPENCODE))
    assert tokens() == (2000, 0, 0, 100)
    assert AgentRequest.objects.count() == 2


def test_a_failed_status_is_a_failed_call(intake: Intake) -> None:
    calls = [
        sdk_span("ai.toolCall", 1, ai__toolCall__id="c1", ai__toolCall__name="bash"),
        sdk_span("ai.toolCall", 2, ai__toolCall__id="c2", ai__toolCall__name="bash", failed=True),
    ]
    intake.send(spans(*calls, resource=OPENCODE))
    assert outcomes() == {"c1": "succeeded", "c2": "failed"}
    assert set(AgentToolCall.objects.values_list("tool", flat=True)) == {"bash"}


@pytest.mark.parametrize("order", [1, -1], ids=["the session first", "the call first"])
def test_a_tool_call_belongs_to_the_session_that_its_trace_names(intake: Intake, order: int) -> None:
    records = [
        sdk_span("ai.streamText.doStream", 1, ai__usage__inputTokens=10),
        sdk_span("ai.toolCall", 2, session=None, ai__toolCall__id="c1", ai__toolCall__name="bash"),
    ]
    intake.send(spans(*records[::order], resource=OPENCODE))
    fold_received_batches()
    assert AgentToolCall.objects.get().session.external_id == "ses_1"
    assert AgentSession.objects.count() == 1


def test_what_anthropic_counts_apart_says_nothing_of_other_providers(intake: Intake) -> None:
    usage: dict[str, Any] = {"ai__usage__inputTokens": 100, "ai__usage__cachedInputTokens": 60}
    apart: dict[str, Any] = {"ai__usage__inputTokens": 100, "ai__usage__cachedInputTokens": 6000}
    for number, (provider, counts) in enumerate(
        [("anthropic.messages", apart), ("anthropic.messages", usage), ("openai.responses", usage)]
    ):
        record = sdk_span(
            "ai.streamText.doStream", number, ai__model__provider=provider, ai__response__id=f"r{number}", **counts
        )
        intake.send(spans(record, resource=OPENCODE))
        fold_received_batches()
    assert dict(AgentRequest.objects.values_list("key", "input_tokens")) == {"r0": 100, "r1": 100, "r2": 40}


@pytest.mark.parametrize(
    ("user", "known_as"), [("grace@example.com", "grace@example.com"), ("unknown", ""), ("dev", "")]
)
def test_only_an_address_names_the_author(intake: Intake, user: str, known_as: str) -> None:
    record = sdk_span("ai.streamText.doStream", 1, ai__usage__inputTokens=10, ai__telemetry__metadata__userId=user)
    intake.send(spans(record, resource={"service.name": "opencode"}))
    assert intake.sessions[0]["value"] == known_as or not known_as
    assert (intake.sessions[0]["value"] == user) is bool(known_as)


def test_content_is_dropped_and_counted(intake: Intake) -> None:
    content: dict[str, Any] = {"ai__prompt__messages": "my secret plan", "ai__response__text": "an answer"}
    call: dict[str, Any] = {"ai__toolCall__args": '{"command": "rm"}', "ai__toolCall__result": "gone"}
    records = (
        sdk_span("ai.streamText.doStream", 1, ai__usage__inputTokens=10, **content),
        sdk_span("ai.toolCall", 2, ai__toolCall__name="bash", **call),
    )
    intake.send(spans(*records, resource=OPENCODE))
    assert intake.dropped == dict.fromkeys(
        ("ai.prompt.messages", "ai.response.text", "ai.toolCall.args", "ai.toolCall.result"), 1
    )
