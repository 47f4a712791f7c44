"""Sellers of a model by name: every entry of the installed list, and names that match none of them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ClauseRegex, ConditionalPrice, ModelInfo, Provider, TieredPrices

from integrations.model_names import LONGEST_MODEL, model_name
from integrations.models import AgentRequest, AgentSession, AgentSessionDay
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.prices.library import library_list
from integrations.telemetry.prices.lists import PROMPT_BOUNDS, TokenCounts
from integrations.telemetry.prices.sellers import find_entry, listed_name, local_server, sold_name
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import PROGRAM, span
from tests.telemetry.intake import Intake, counter, metrics, point, spans
from tests.telemetry.raw_rows import Event, at, receive

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
OUTPUT = TokenCounts(0, 0, 0, 1_000_000)
HOURLY = TokenCounts(0, 0, 1_000_000, 0, 1_000_000)
# Makers whose ids are sent as they are, without a path.
MAKERS = {
    *("anthropic", "openai", "google", "x-ai", "deepseek", "moonshotai", "zai", "minimax", "meta", "cohere"),
    *("mistral", "voyageai"),
}
# Ids that two of them have; the first is its maker.
SHARED = {"google": "claude-", "mistral": ":free"}


def spellings(provider: Provider, entry: ModelInfo) -> Iterator[str]:
    """The ways in which a request to this seller names the entry."""
    name = entry.id
    if provider.id == "openrouter":
        yield f"openrouter/{name}"
        if "/" in name:
            yield name
    elif provider.id == "aws":
        region = name.replace("regional.", "eu.")
        yield from (region, f"bedrock/{region}", f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/{region}")
    elif provider.id.startswith("huggingface_"):
        yield f"huggingface/{provider.id.removeprefix('huggingface_')}/{name}"
    elif provider.id == "fireworks":
        yield from (f"accounts/fireworks/models/{name}", f"fireworks_ai/accounts/fireworks/models/{name}")
    elif provider.id in ("github-copilot", "cursor"):
        yield listed_name(name, {"github-copilot": "copilot"}.get(provider.id, provider.id))
    elif provider.id == "perplexity":  # some of its ids begin with its own name, as OpenRouter's do
        yield f"perplexity/{name}" if "/" in name else name
    elif provider.id in MAKERS:
        if SHARED.get(provider.id, "no such name") not in name:
            yield name
    else:
        yield f"{provider.id}/{name}"


def price_at(seller: str, id_: str) -> Decimal:
    """Dollars for a million tokens of output at this provider of the list."""
    (entry,) = (
        entry
        for provider in get_snapshot().providers
        if provider.id == seller
        for entry in provider.models
        if entry.id == id_
    )
    rate = rates_of(entry)[-1].prices.output_mtok
    assert isinstance(rate, Decimal)
    return rate


def rates_of(entry: ModelInfo) -> list[ConditionalPrice]:
    return entry.prices if isinstance(entry.prices, list) else [ConditionalPrice(prices=entry.prices)]


def test_every_id_of_the_list_under_its_seller_s_own_spelling_is_its_own_entry() -> None:
    looked_up = 0
    for provider in get_snapshot().providers:
        for entry in provider.models:
            for name in spellings(provider, entry):
                found = find_entry(name)
                assert found is entry, (provider.id, name, found and found.id)
                looked_up += 1
    assert looked_up > 1700


def test_every_id_of_the_list_is_its_own_entry_where_an_attribute_alone_tells_its_seller() -> None:
    looked_up = 0
    for provider in get_snapshot().providers:
        for entry in provider.models:
            model = entry.id.replace("regional.", "eu.")  # the list's term for every region but the global one
            found = find_entry(sold_name(model, provider.id))
            assert found is entry, (provider.id, model, found and found.id)
            looked_up += 1
    assert looked_up > 2300


# The seller as an attribute names it, what was sent, and the name under which its price is looked up.
SOLD_BY = [
    # OpenTelemetry's conventions
    ("groq", "openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
    ("azure.ai.openai", "gpt-5", "azure/gpt-5"),
    ("azure.ai.inference", "gpt-5", "azure/gpt-5"),
    ("gcp.vertex_ai", "claude-opus-4-8", "google/claude-opus-4-8"),
    ("gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash"),
    ("aws.bedrock", "us.anthropic.claude-opus-4-8-v1:0", "us.anthropic.claude-opus-4-8-v1:0"),
    ("x_ai", "grok-4.6", "grok-4.6"),
    ("mistral_ai", "ministral-8b", "ministral-8b"),
    ("github", "claude-opus-4.8", "github-copilot/claude-opus-4.8"),
    ("ibm.watsonx.ai", "llama-3.3-70b", "llama-3.3-70b"),  # not in the list
    # The AI SDK
    ("google.vertex.anthropic.messages", "claude-opus-4-8", "google/claude-opus-4-8"),
    ("anthropic.messages", "claude-opus-4-8", "claude-opus-4-8"),
    ("togetherai.chat", "MiniMaxAI/MiniMax-M3", "together/MiniMaxAI/MiniMax-M3"),
    ("fireworks.chat", "ember-1", "fireworks_ai/ember-1"),
    ("gateway", "anthropic/claude-opus-4.8", "anthropic/claude-opus-4.8"),
    # Claude Code
    ("firstParty", "claude-opus-4-8", "claude-opus-4-8"),
    ("vertex", "claude-opus-4-8", "google/claude-opus-4-8"),
    ("foundry", "claude-opus-4-8", "azure/claude-opus-4-8"),
    ("bedrock", "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3d4", None),
    # Programs on the team's own machines
    ("ollama", "gpt-oss-20b", "ollama/gpt-oss-20b"),
    ("ollama.chat", "qwen/qwen3-coder", "ollama/qwen/qwen3-coder"),
    ("LM Studio", "deepseek-chat", "lmstudio/deepseek-chat"),
    ("vllm", "zai-org/GLM-4.6", "vllm/zai-org/GLM-4.6"),
    ("oss", "gpt-oss:20b", None),  # its tag is Ollama's
    ("ollama", "ollama/llama3.1", None),
    # Names that lead to the seller by themselves, or to another one than the SDK's maker
    ("openrouter", "anthropic/claude-opus-4.8", "anthropic/claude-opus-4.8"),
    ("groq", "groq/llama-9", "groq/llama-9"),
    ("openai", "deepseek-chat", "deepseek-chat"),
    ("openai", "anthropic/claude-opus-4.8", "anthropic/claude-opus-4.8"),
    ("OpenAI", "openai/gpt-5", "openai/gpt-5"),
    # Nothing that names a seller
    ("", "gpt-5", None),
    ("Acme AI", "gpt-5", None),
    ("groq", "", None),
    ("groq", "m" * LONGEST_MODEL, None),
]


@pytest.mark.parametrize(("seller", "sent", "name"), SOLD_BY)
def test_the_seller_of_an_attribute_is_part_of_the_name(seller: str, sent: str, name: str | None) -> None:
    assert sold_name(sent, seller) == (sent if name is None else name)
    assert model_name(sold_name(sent, seller)) == model_name(sent)


def test_a_port_tells_a_local_program() -> None:
    assert [local_server(port) for port in (11434, "1234", 443, 8080, None, "", 0)] == ["ollama", "lmstudio", *[""] * 5]


def test_every_threshold_of_the_list_is_a_class_of_the_what_if() -> None:
    thresholds = {
        tier.start
        for provider in get_snapshot().providers
        for entry in provider.models
        for prices in (*rates_of(entry), *(entry.price_variants or ()))
        for rate in vars(prices.prices).values()
        if isinstance(rate, TieredPrices)
        for tier in rate.tiers
    }
    assert thresholds <= set(PROMPT_BOUNDS)


# What was sent, by which agent, and dollars per million tokens of output on 20 November 2026; None: no price.
SOLD = [
    ("anthropic/claude-opus-4.8-fast", "opencode", "50"),
    ("anthropic/claude-opus-4.6-fast", "opencode", "150"),
    ("anthropic/claude-opus-4.8", "opencode", "25"),
    ("anthropic/claude-opus-4.8:nitro", "opencode", "25"),
    ("qwen/qwen3-coder:free", "opencode", "0"),
    ("z-ai/glm-5.3", "opencode", "4.4"),
    ("glm-5.3", "opencode", "4.4"),
    ("zhipuai/glm-5.3", "opencode", "3.862"),
    ("claude-opus-4.8-fast", "copilot", "50"),
    ("claude-opus-4.8", "copilot", "25"),
    ("claude-opus-4-8", "copilot", "25"),
    ("gpt-4.1", "copilot", "8"),  # part of every plan, without a price of its own: the maker's
    ("gpt-4o-mini-2024-07-18", "copilot", "0.6"),
    ("gemma-3", "gemini", "0"),  # listed without a price
    ("gpt-4.1", "codex", "8"),
    ("grok-4.5-fast", "cursor", "18"),
    ("grok-4.5[fast=true]", "cursor", "18"),
    ("grok-4.5[fast=false]", "cursor", "6"),
    ("composer-2.5-fast", "cursor", "15"),
    ("claude-opus-4-8[1m]", "claude_code", "25"),
    ("Claude-Opus-4.8-Fast", "copilot", "50"),
    ("claude-opus-4.8-fast-high", "copilot", "50"),
    ("github-copilot/claude-opus-4.8-fast", "opencode", "50"),
    ("openrouter/anthropic/claude-haiku-4.5:batch", "opencode", "2.5"),
    ("baseten/deepseek-ai/DeepSeek-V4.1-Flash-Fast", "opencode", "2.4"),
    ("kimi-k2-thinking-turbo", "opencode", "8"),
    ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5-5", "claude_code", "22"),
    # Services that nobody lists
    ("claude-opus-4-8-fast", "claude_code", None),
    ("claude-opus-4-8[fast=true]", "cursor", None),
    ("claude-opus-5-fast", "copilot", None),
    ("anthropic/claude-opus-5.5-fast", "opencode", None),
    ("claude-opus-4-8-fast[1m]", "claude_code", None),
    ("claude-opus-4-8-2026-05-01-fast", "claude_code", None),
    ("vertex_ai/claude-haiku-4-5-fast@20251001", "claude_code", None),
    ("us.anthropic.claude-opus-4-8-fast", "claude_code", None),
    ("gpt-5.4-mini-fast", "codex", None),
    ("google/gemini-3.8-flash-lite", "opencode", None),
    ("openai/gpt-5-pro:free", "opencode", None),
    ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6", "claude_code", None),
    ("claude-sonnet-5-5-mini", "claude_code", None),
    ("anthropic/claude-sonnet-5:free", "opencode", None),
    ("claude-haiku-4-5-lite", "copilot", None),
    ("gpt-5.6-sol-flash", "codex", None),
    ("gemini-2.5-pro-lite", "gemini", None),
    ("deepseek-v4-flash-turbo", "opencode", None),
    # Versions that nobody lists
    ("claude-opus-4-10", "claude_code", None),
    ("claude-opus-4.81", "claude_code", None),
    # Endings that are no other service
    ("deepseek-v4-flash-0731", "opencode", "0.6"),
    ("gemini-2.5-pro-preview-06-05", "gemini", "10"),
    ("claude-sonnet-4-20250514", "claude_code", "15"),
    # What runs on the team's own machines, whoever made it
    ("ollama/gpt-oss-20b", "opencode", None),
    ("ollama_chat/deepseek-chat", "goose", None),
    ("lmstudio/gpt-oss-20b", "opencode", None),
    ("hosted_vllm/meta-llama/llama-3.3-70b-instruct", "cline", None),
    ("litellm/vllm/gpt-oss-120b", "opencode", None),
    ("mlx-community/gpt-oss-20b", "codex", None),
    ("llama.cpp/gpt-oss-120b", "codex", None),
    ("deepseek-r1:14b", "cline", None),
    ("gpt-oss:120b-cloud", "codex", None),  # of a plan of Ollama's
    ("mistral-large-latest-q4_k_m", "opencode", None),
    ("gpt-oss-20b.gguf", "opencode", None),
    ("claude-sonnet-4:20b", "opencode", None),
    # Names of agents' own models
    ("auto", "copilot", None),
    ("goldeneye-free-auto", "copilot", None),
    ("default", "cursor", None),
    ("opencode/big-pickle", "opencode", None),
    ("<synthetic>", "claude_code", None),
]


@pytest.mark.parametrize(("sent", "agent", "dollars"), SOLD)
def test_a_name_has_the_price_of_who_sells_it(sent: str, agent: str, dollars: str | None) -> None:
    prices = library_list(listed_name(sent, agent))
    price = None if prices is None else prices.card(AT).price(OUTPUT, prompt_size=0)
    assert price == (None if dollars is None else Decimal(dollars))


# Dollars per million tokens written to the cache for an hour.
HOURS = [
    ("claude-opus-4-8", "claude_code", "10"),
    ("anthropic/claude-opus-4.8", "opencode", "10"),  # OpenRouter lists 6.25 for five minutes alone
    ("claude-opus-4.8-fast", "copilot", "20"),
    ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "claude_code", "6"),
    ("claude-3-5-haiku@20241022", "claude_code", "1.6"),
    ("kimi-k3", "opencode", "6"),
    ("gpt-6-sol", "codex", None),  # a price of writes, and no maker who sells an hour
    ("MiniMax-M2.7", "opencode", None),
    ("gpt-5.4", "codex", "2.5"),  # which costs as much as any input
]


@pytest.mark.parametrize(("sent", "agent", "dollars"), HOURS)
def test_a_missing_price_of_an_hour_is_by_the_maker_s_ratio_or_unknown(
    sent: str, agent: str, dollars: str | None
) -> None:
    prices = library_list(listed_name(sent, agent))
    assert prices is not None
    assert prices.card(AT).price(HOURLY, prompt_size=0) == (None if dollars is None else Decimal(dollars))


def test_a_batch_keeps_the_ratio() -> None:
    prices = library_list("claude-opus-4-8")
    assert prices is not None
    assert prices.card(AT, "batch").price(HOURLY, prompt_size=0) == Decimal(5)


def test_a_long_name_is_looked_up_as_it_is() -> None:
    assert listed_name("m" * LONGEST_MODEL, "copilot") == "m" * LONGEST_MODEL
    assert listed_name("anthropic/claude-opus-5", "copilot") == "anthropic/claude-opus-5"


@pytest.mark.django_db
def test_requests_of_agents_that_sell_models_are_priced_by_their_list() -> None:
    names = {"claude_code": "claude-opus-4.8-fast", "copilot": "claude-opus-4.8-fast", "cursor": "grok-4.5-fast"}
    for agent, model in names.items():
        receive(
            [
                Event(
                    at("2026-11-20 10:00"),
                    session=agent,
                    kind=EventKind.REQUEST,
                    key=agent,
                    model=model,
                    tokens=(0, 0, 0, 1_000_000),
                )
            ]
        )
        AgentSession.objects.filter(external_id=agent).update(agent=agent)
    fold_received_batches()
    assert dict(AgentRequest.objects.values_list("key", "spend")) == {
        "claude_code": None,
        "copilot": Decimal(50),
        "cursor": Decimal(18),
    }


@pytest.mark.django_db
def test_requests_and_sums_are_priced_by_the_seller_of_their_attributes(intake: Intake) -> None:
    """A million tokens of output cost 4.4 dollars at Z.ai and 3.862 at Zhipu AI."""
    names = {
        "1": ("gen_ai.provider.name", "zhipuai", "glm-5.3"),
        "2": ("gen_ai.system", "zai", "glm-5.3"),
        "3": ("ai.model.provider", "groq.chat", "openai/gpt-oss-120b"),
    }
    for key, (attribute, seller, model) in names.items():
        said = {attribute: seller, "gen_ai.request.model": model, "gen_ai.response.id": key}
        output: dict[str, Any] = {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 1_000_000}
        intake.send(spans(span("chat", int(key), **said, **output), resource=PROGRAM))
    counts = {"type": "output", "model": "claude-opus-4-8", "session.id": "m"}
    intake.send(
        metrics(counter("claude_code.token.usage", point(1_000_000, {**counts, "anthropic.provider": "vertex"})))
    )
    fold_received_batches()
    assert dict(AgentRequest.objects.values_list("key", "spend")) == {
        "1": Decimal("3.862"),
        "2": Decimal("4.4"),
        "3": price_at("groq", "openai/gpt-oss-120b"),
    }
    summed = AgentSessionDay.objects.get(source="metrics")
    assert (summed.model, summed.spend) == ("claude-opus-4-8", price_at("google", "claude-opus-4-8"))
    assert set(AgentSessionDay.objects.values_list("model", flat=True)) == {
        "glm-5.3",
        "gpt-oss-120b",
        "claude-opus-4-8",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("first", ["glm-5.3", "zhipuai/glm-5.3"])
@pytest.mark.parametrize("at_once", [True, False])
def test_of_two_records_of_a_request_the_one_that_names_the_seller_decides(first: str, *, at_once: bool) -> None:
    other = {"glm-5.3": "zhipuai/glm-5.3", "zhipuai/glm-5.3": "glm-5.3"}[first]
    for model in (first, other):
        receive(
            [Event(at("2026-11-20 10:00"), kind=EventKind.REQUEST, key="1", model=model, tokens=(0, 0, 0, 1_000_000))]
        )
        if not at_once:
            fold_received_batches()
    fold_received_batches()
    assert AgentRequest.objects.get().spend == Decimal("3.862")


@pytest.mark.django_db
def test_what_has_no_price_for_an_hour_is_unpriced_and_the_rest_is_not() -> None:
    receive(
        [
            Event(
                at("2026-11-20 10:00"),
                kind=EventKind.REQUEST,
                key=str(hour),
                model="gpt-6-sol",
                tokens=(0, 0, 1_000_000, 0),
                hour_tokens=hour,
            )
            for hour in (0, 1)
        ]
    )
    fold_received_batches()
    assert dict(AgentRequest.objects.values_list("key", "spend")) == {"0": Decimal(5), "1": None}  # above 272,000


def clauses(clause: object) -> Iterator[object]:
    yield clause
    for part in (*getattr(clause, "and_", ()), *getattr(clause, "or_", ())):
        yield from clauses(part)


def test_no_expression_of_the_list_can_be_made_to_backtrack() -> None:
    """Headway runs the expressions of the installed list alone, which no network renews; a new list is tried here.

    A repeat within a repeat could take time without bound, so there may be none; and the longest names that nearly
    match take no time.
    """
    expressions = {
        clause.regex
        for provider in get_snapshot().providers
        for owner in (provider.model_match, *(entry.match for entry in provider.models))
        for clause in clauses(owner)
        if isinstance(clause, ClauseRegex)
    }
    assert expressions
    for expression in expressions:
        assert not re.search(r"[*+}]\)*[*+{]|[*+}][^()]*\)[*+{]", expression), expression
        literal = re.sub(r"\\d|\\(.)|[\^$]|\{\d+\}|\[.*?\]", lambda found: found[1] or "1", expression)
        began = time.monotonic()
        for piece in ("1", "-", "a", "/", "-tts", literal):
            text = (literal + piece * LONGEST_MODEL)[:LONGEST_MODEL]
            for name in (text, piece * LONGEST_MODEL + "!"):
                re.search(expression, name)
        assert time.monotonic() - began < 0.2, expression
