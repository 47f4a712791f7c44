"""Names of models, as agents, gateways and clouds send them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.model_names import model_name
from integrations.telemetry.prices.lists import TokenCounts
from tests.telemetry.prices.list_prices import price_of_request

AT = datetime(2026, 11, 10, 10, tzinfo=UTC)

# What was sent, the normal form, and dollars per million tokens of output on the list of 10 November 2026.
NAMES = [
    # Anthropic, and what Claude Code adds
    ("claude-opus-4-7", "claude-opus-4-7", "25"),
    ("claude-opus-4-7[1m]", "claude-opus-4-7", "25"),
    ("claude-fable-5[1m]", "claude-fable-5", "50"),
    ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "15"),
    ("claude-opus-4-20250514", "claude-opus-4", "75"),
    ("claude-opus-4-0", "claude-opus-4", "75"),
    ("claude-sonnet-5-latest", "claude-sonnet-5", "10"),
    ("claude-3-5-haiku-latest", "claude-3-5-haiku", "4"),
    # Amazon Bedrock: a region costs a tenth more than the global profile
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "16.5"),
    ("eu.anthropic.claude-opus-4-8", "claude-opus-4-8", "27.5"),
    ("jp.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "16.5"),
    ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "16.5"),
    ("us.anthropic.claude-opus-4-7[1m]", "claude-opus-4-7", "27.5"),
    ("us.anthropic.claude-opus-5-20260723-v1:0", "claude-opus-5", "27.5"),
    ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6", "25"),
    ("global.anthropic.claude-opus-4-7", "claude-opus-4-7", "25"),
    ("bedrock/global.anthropic.claude-sonnet-4-6", "claude-sonnet-4-6", "15"),
    (
        "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-4-8",
        "claude-opus-4-8",
        "27.5",
    ),
    ("us.amazon.nova-pro-v1:0", "nova-pro", "3.2"),
    ("us.deepseek.r1-v1:0", "deepseek-r1", "5.4"),
    ("openai.gpt-oss-120b-1:0", "gpt-oss-120b", "0.6"),
    # Google Vertex
    ("claude-fable-5@20260609", "claude-fable-5", "50"),
    ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet", "15"),
    ("vertex_ai/claude-opus-4-5@20251101", "claude-opus-4-5", "25"),
    ("publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro", "10"),
    ("models/gemini-2.5-flash", "gemini-2.5-flash", "2.5"),
    ("gemini-2.5-pro-latest", "gemini-2.5-pro", "10"),
    # Azure and OpenAI
    ("azure/gpt-4.1-2025-04-14", "gpt-4.1", "8"),
    ("azure/gpt-35-turbo", "gpt-3.5-turbo", "1.5"),
    ("azure_ai/claude-opus-4-5", "claude-opus-4-5", "25"),
    ("gpt-5-2025-08-07", "gpt-5", "10"),
    ("gpt-5.1-codex-max-xhigh", "gpt-5.1-codex-max", "10"),
    ("o3-mini-high", "o3-mini", "4.4"),
    # Gateways, and agents that name the effort
    ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "15"),
    ("anthropic/claude-sonnet-4.5:thinking", "claude-sonnet-4-5", "15"),
    ("openrouter/anthropic/claude-opus-4.7", "claude-opus-4-7", "25"),
    ("github-copilot/claude-sonnet-4.5", "claude-sonnet-4-5", "15"),
    ("claude-4.5-opus-high-thinking", "claude-opus-4-5", "25"),
    ("claude-sonnet-4-5-20250929-thinking", "claude-sonnet-4-5", "15"),
    ("claude-4-sonnet-1m", "claude-sonnet-4", "15"),
    ("claude-3.7-sonnet-thought", "claude-3-7-sonnet", "15"),
    ("databricks-claude-sonnet-4-5", "claude-sonnet-4-5", "15"),
    ("x-ai/grok-4", "grok-4", "15"),
    ("xai/grok-code-fast-1", "grok-code-fast-1", "1.5"),
    ("z-ai/glm-4.6", "glm-4.6", "2.2"),
    ("zai-org/GLM-4.6", "glm-4.6", "2.2"),
    ("accounts/fireworks/models/glm-4p6", "glm-4.6", "2.2"),
    ("moonshotai/kimi-k2-thinking", "kimi-k2-thinking", "2.5"),
    ("qwen/qwen3-coder", "qwen3-coder", "1"),
    ("MiniMax-M2", "minimax-m2", "1.2"),
    ("groq/openai/gpt-oss-120b", "gpt-oss-120b", "0.6"),
    ("mistral-large-latest", "mistral-large", "6"),
]


@pytest.mark.parametrize(("sent", "name", "dollars"), NAMES)
def test_a_model_has_one_name_and_the_price_of_where_it_ran(sent: str, name: str, dollars: str) -> None:
    assert model_name(sent) == name
    assert price_of_request(sent, AT, TokenCounts(0, 0, 0, 1_000_000)) == Decimal(dollars)


@pytest.mark.parametrize("name", sorted({name for _, name, _ in NAMES}))
def test_the_normal_form_of_a_normal_form_is_itself(name: str) -> None:
    assert model_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("opus", "auto", "<synthetic>", "our-own-model", "qwen3:32b", "claude-", "gpt-4-0613", "kimi-k2-0905-preview"),
        *("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", "[1m]", "-20250929"),
    ],
)
def test_what_no_convention_explains_stays_as_it_was_sent(name: str) -> None:
    assert model_name(name) == name


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=40))
@example("\x85")  # nothing but a blank
def test_every_name_has_a_normal_form_that_is_its_own(name: str) -> None:
    assert model_name(name)
    assert model_name(model_name(name)) == model_name(name)


def test_a_name_that_is_too_long_still_fits_the_column() -> None:
    assert len(model_name("gpt-35-" + "x" * 113)) == 120


def test_a_batch_at_a_gateway_costs_half() -> None:
    output = TokenCounts(0, 0, 0, 1_000_000)
    assert price_of_request("anthropic/claude-opus-4.5:batch", AT, output) == Decimal("12.5")
    assert model_name("anthropic/claude-opus-4.5:batch") == "claude-opus-4-5"
