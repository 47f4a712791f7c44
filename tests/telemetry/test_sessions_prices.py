"""What tokens cost, compared with the library's own calculation."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from integrations.telemetry.prices import TokenCounts, price_of_day, price_of_request

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
MODELS = (
    *("claude-sonnet-4-5", "claude-opus-4-1", "claude-haiku-4-5", "claude-3-5-haiku-latest"),
    *("gpt-5", "gpt-5-codex", "gemini-2.5-pro", "gemini-2.5-flash", "grok-4"),
)
counts = st.integers(0, 1_000_000)


def test_a_known_session_costs_what_its_agent_says() -> None:
    assert price_of_request("claude-sonnet-4-5", AT, TokenCounts(2102, 11006, 619, 432)) == Decimal("0.01840905")


@given(st.sampled_from(MODELS), st.builds(TokenCounts, counts, counts, counts, counts))
def test_a_request_costs_what_the_library_reckons(model: str, tokens: TokenCounts) -> None:
    usage = Usage(
        input_tokens=tokens.input + tokens.cache_read + tokens.cache_write,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write,
        output_tokens=tokens.output,
    )
    reckoned = calc_price(usage, model, genai_request_timestamp=AT).total_price
    price = price_of_request(model, AT, tokens)
    assert price is not None
    assert abs(price - reckoned) <= Decimal("1e-10")


def test_all_tokens_of_a_request_with_a_long_prompt_cost_more() -> None:
    short = price_of_request("claude-sonnet-4-5", AT, TokenCounts(200_000, 0, 0, 1000))
    longer = price_of_request("claude-sonnet-4-5", AT, TokenCounts(200_001, 0, 0, 1000))
    assert (short, longer) == (Decimal("0.615"), Decimal("1.222506"))


def test_a_days_sum_is_priced_as_short_requests() -> None:
    tokens = TokenCounts(10_000_000, 0, 0, 0)
    assert price_of_day("claude-sonnet-4-5", date(2026, 3, 2), tokens) == Decimal(30)


@pytest.mark.parametrize(
    "name",
    [
        "claude-sonnet-4-5-20250929",
        "Claude-Sonnet-4-5",
        "claude-sonnet-4-5[1m]",
        "claude-sonnet-4-5@20250929",
        "anthropic/claude-sonnet-4-5",
        "vertex_ai/claude-sonnet-4-5",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ],
)
def test_a_model_is_known_by_the_names_that_clouds_give_it(name: str) -> None:
    price = price_of_request(name, AT, TokenCounts(1_000, 0, 0, 1_000))
    assert price is not None
    assert Decimal("0.018") <= price <= Decimal("0.0198")  # a regional endpoint may cost a tenth more


@pytest.mark.parametrize("name", ["", "nobody-knows-1", "/", "x" * 500, "us.anthropic."])
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert price_of_request(name, AT, TokenCounts(1, 1, 1, 1)) is None
    assert price_of_day(name, date(2026, 3, 2), TokenCounts(1, 1, 1, 1)) is None
