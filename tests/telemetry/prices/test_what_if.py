"""The same tokens on another model: by hand, and against pricing every request on it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.models import AgentSession
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.prices.lists import TokenCounts
from integrations.telemetry.prices.model_use import models_in_use, unknown_models, what_if
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.prices.list_prices import price_of_request
from tests.telemetry.raw_rows import Event, Point, at, receive

pytestmark = pytest.mark.django_db
SONNET, OPUS, GPT = "claude-sonnet-4-5", "claude-opus-4-6", "gpt-5.5"
FIRST, AFTER = date(2026, 3, 1), date(2026, 4, 1)


def used(*requests: tuple[str, str, tuple[int, int, int, int]], first: int = 0) -> None:
    receive(
        [
            Event(at(when), kind=EventKind.REQUEST, model=model, key=str(number), tokens=tokens)
            for number, (when, model, tokens) in enumerate(requests, start=first)
        ]
    )
    fold_received_batches()


def test_every_request_is_priced_by_its_own_size() -> None:
    used(
        ("2026-03-20 10:00", SONNET, (100_000, 0, 0, 1_000)),
        ("2026-03-20 11:00", SONNET, (200_000, 100_000, 0, 1_000)),
    )
    [use] = models_in_use(FIRST, AFTER)
    [same] = what_if([use], {SONNET: SONNET})
    assert same.spend == Decimal("0.315") + Decimal("1.2825")  # 0.2 × 6 + 0.1 × 0.6 + 0.001 × 22.5
    [result] = what_if([use], {SONNET: GPT})
    # gpt-5.5 costs 5, 0.5 and 30 up to 272,000 tokens, and 10, 1 and 45 above
    assert result.spend == Decimal("0.53") + Decimal("2.145")
    assert result.knows_bounds


def test_every_day_has_its_price() -> None:
    used(
        ("2026-03-12 10:00", SONNET, (300_000, 0, 0, 0)),
        ("2026-03-13 10:00", SONNET, (300_000, 0, 0, 0)),
    )
    [result] = what_if(models_in_use(FIRST, AFTER), {SONNET: OPUS})
    assert result.spend == Decimal("3.0") + Decimal("1.5")  # long prompts cost 10 until 12 March, and 5 from then on


def test_what_a_model_without_a_price_would_cost_elsewhere_is_known() -> None:
    used(("2026-03-20 10:00", "acme-1", (100_000, 0, 0, 0)), ("2026-03-20 11:00", SONNET, (100_000, 0, 0, 0)))
    acme, sonnet = models_in_use(FIRST, AFTER)
    assert (acme.model, acme.token_count) == ("acme-1", 100_000)
    by_model = {result.use.model: result for result in what_if([sonnet, acme], {"acme-1": SONNET, SONNET: "acme-1"})}
    assert by_model["acme-1"].spend == Decimal("0.3")
    assert by_model[SONNET].spend is None
    assert unknown_models({"acme-1", SONNET}) == {"acme-1"}


def test_what_only_metrics_tell_of_is_said() -> None:
    receive([Point(at("2026-03-20 10:00"), 900_000, Measure.INPUT_TOKENS, model=SONNET)])
    fold_received_batches()
    [use] = models_in_use(FIRST, AFTER)
    assert (use.token_count, use.summed_tokens, use.requests) == (900_000, 900_000, 0)
    assert what_if([use], {SONNET: GPT})[0].spend == Decimal("4.5")


def test_a_model_without_another_stays_as_it_is() -> None:
    used(("2026-03-20 10:00", SONNET, (100_000, 0, 0, 0)))
    [result] = what_if(models_in_use(FIRST, AFTER), {})
    assert (result.model, result.spend, result.card) == ("", None, None)


COUNTS = st.sampled_from([0, 1, 60_000, 128_000, 199_999, 200_000, 256_000, 272_000, 300_000])


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(1, 28), COUNTS, COUNTS, COUNTS, COUNTS), min_size=1, max_size=8),
    st.sampled_from([OPUS, GPT, "gemini-2.5-pro", "grok-4.3", SONNET]),
)
def test_it_is_what_pricing_every_request_on_the_other_model_gives(
    requests: list[tuple[int, int, int, int, int]], other: str
) -> None:
    AgentSession.objects.all().delete()
    used(*((f"2026-03-{day:02} 10:00", SONNET, (a, b, c, d)) for day, a, b, c, d in requests))
    [result] = what_if(models_in_use(FIRST, AFTER), {SONNET: other})
    one_by_one = [
        price_of_request(other, datetime(2026, 3, day, 12, tzinfo=UTC), TokenCounts(*tokens))
        for day, *tokens in requests
    ]
    assert result.spend == sum(price for price in one_by_one if price is not None)
    assert result.knows_bounds
