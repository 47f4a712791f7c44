"""The cost of tokens, compared with the library's own calculation."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.models import AgentRequest, AgentSession
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.prices.lists import TokenCounts
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.prices.list_prices import price_of_day, price_of_request
from tests.telemetry.raw_rows import Event, receive

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
MODELS = (
    *("claude-sonnet-4-5", "claude-opus-4-1", "claude-haiku-4-5", "claude-3-5-haiku-latest"),
    *("gpt-5", "gpt-5-codex", "gpt-5.5", "gpt-5.6-sol", "gemini-2.5-pro", "gemini-2.5-flash", "grok-4", "grok-4.3"),
    *("claude-opus-4-6", "claude-opus-5-5", "deepseek-v4-pro", "o4-mini", "gemini-3.7-flash"),
)
counts = st.integers(0, 1_000_000)


def test_a_known_session_costs_what_its_agent_says() -> None:
    assert price_of_request("claude-sonnet-4-5", AT, TokenCounts(2102, 11006, 619, 432)) == Decimal("0.01840905")


DAYS = [date(2025, 6, 30), date(2025, 11, 30), date(2026, 3, 1), date(2026, 7, 9), date(2026, 10, 31)]
# They charge for cache writes, and nobody lists what those kept an hour would cost.
WITHOUT_AN_HOUR = {"gpt-5.6-sol"}
moments = st.builds(datetime.combine, st.sampled_from(DAYS), st.times(), st.just(UTC))
requests = st.tuples(
    st.sampled_from(MODELS),
    st.builds(TokenCounts, counts, counts, counts, counts, counts),
    moments,
    st.sampled_from(["", "batch", "fast", "priority", "flex", "nobody-knows"]),
)


@given(requests)
def test_a_request_costs_what_the_library_reckons(request: tuple[str, TokenCounts, datetime, str]) -> None:
    model, tokens, at, tier = request
    price = price_of_request(model, at, tokens, tier)
    if is_unknown(model, tokens):
        assert price is None
        return
    assert price is not None
    assert abs(price - reckoned(model, tokens, at, tier)) <= Decimal("1e-10")


@pytest.mark.django_db
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.lists(requests, min_size=1, max_size=12))
def test_folded_requests_cost_what_the_library_reckons(drawn: list[tuple[str, TokenCounts, datetime, str]]) -> None:
    AgentSession.objects.all().delete()
    receive(
        [
            Event(
                at,
                kind=EventKind.REQUEST,
                key=str(number),
                model=model,
                tokens=tokens[:4],
                hour_tokens=tokens.cache_write_1h,
                tier=tier,
            )
            for number, (model, tokens, at, tier) in enumerate(drawn)
        ]
    )
    fold_received_batches()
    spend = dict(AgentRequest.objects.values_list("key", "spend"))
    assert len(spend) == len(drawn)
    for number, (model, tokens, at, tier) in enumerate(drawn):
        price = spend[str(number)]
        if is_unknown(model, tokens):
            assert price is None
            continue
        assert price is not None
        assert abs(price - reckoned(model, tokens, at, tier)) <= Decimal("1e-10")


def is_unknown(model: str, tokens: TokenCounts) -> bool:
    return model in WITHOUT_AN_HOUR and min(tokens.cache_write_1h, tokens.cache_write) > 0


def reckoned(model: str, tokens: TokenCounts, at: datetime, tier: str) -> Decimal:
    usage = Usage(
        input_tokens=tokens.input + tokens.cache_read + tokens.cache_write,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write,
        cache_write_1h_tokens=min(tokens.cache_write_1h, tokens.cache_write),
        output_tokens=tokens.output,
    )
    context = {"processing": tier, "speed": tier, "service_tier": tier} if tier else None
    return calc_price(usage, model, genai_request_timestamp=at, price_context=context).total_price


def test_all_tokens_of_a_request_with_a_long_prompt_cost_more() -> None:
    short = price_of_request("claude-sonnet-4-5", AT, TokenCounts(200_000, 0, 0, 1000))
    longer = price_of_request("claude-sonnet-4-5", AT, TokenCounts(200_001, 0, 0, 1000))
    assert (short, longer) == (Decimal("0.615"), Decimal("1.222506"))


def test_cache_writes_that_are_kept_an_hour_cost_more() -> None:
    # Anthropic's list: 3.75 dollars a million for five minutes, 6 for an hour.
    assert price_of_request("claude-sonnet-4-5", AT, TokenCounts(0, 0, 2000, 0, 0)) == Decimal("0.0075")
    assert price_of_request("claude-sonnet-4-5", AT, TokenCounts(0, 0, 2000, 0, 2000)) == Decimal("0.012")
    assert price_of_request("claude-sonnet-4-5", AT, TokenCounts(0, 0, 2000, 0, 500)) == Decimal("0.008625")


def test_of_more_hourly_writes_than_writes_only_those_written_count() -> None:
    assert price_of_request("claude-sonnet-4-5", AT, TokenCounts(0, 0, 2000, 0, 9_000)) == Decimal("0.012")


def test_a_batch_costs_half_once_the_list_knows_of_it() -> None:
    tokens = TokenCounts(1_000_000, 0, 0, 100_000)
    after = datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert price_of_request("gpt-5", after, tokens) == Decimal("2.25")
    assert price_of_request("gpt-5", after, tokens, "batch") == Decimal("1.125")


def test_a_model_sold_by_the_minute_has_no_price_of_tokens() -> None:
    assert price_of_request("whisper-large-v3-turbo", AT, TokenCounts(1, 0, 0, 1)) is None


def test_absurd_tokens_cost_no_more_than_can_be_stored() -> None:
    assert price_of_request("claude-opus-4-1", AT, TokenCounts(10**18, 0, 0, 10**18)) == Decimal(9_999_999_999)


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
