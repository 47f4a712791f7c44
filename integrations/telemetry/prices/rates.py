"""Price requests in the database, by rates per million tokens for each minute and prompt size.

A price depends on model, agent, tier, minute and prompt size only.  So the price book is queried once for each
combination that occurs, and the database multiplies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, LiteralString, NamedTuple

from integrations.telemetry.prices.book import Source, price_book, version_ids
from integrations.telemetry.prices.lists import HIGHEST_SPEND, MILLION, PriceCard
from integrations.telemetry.prices.price_snapshots import save_price_snapshots

_LARGEST_PROMPT = 2**63 - 1

# The minute of a request: prices and time zone offsets only change at full minutes.
MINUTE: LiteralString = "date_trunc('minute', request.at, 'UTC')"

# Joins the rates to rows named `request` with their agent in `session`; models without a price match none.
RATES: LiteralString = f"""
    unnest(%(rate_models)s::text[], %(rate_agents)s::text[], %(rate_tiers)s::text[], %(rate_minutes)s::timestamptz[],
           %(rate_above)s::bigint[], %(rate_up_to)s::bigint[], %(rate_input)s::numeric[],
           %(rate_cache_read)s::numeric[], %(rate_cache_write)s::numeric[], %(rate_cache_write_1h)s::numeric[],
           %(rate_output)s::numeric[], %(rate_versions)s::bigint[])
        AS rate (model, agent, tier, minute, above, up_to, input, cache_read, cache_write, cache_write_1h, output,
                 version)
      ON rate.model = request.model AND rate.agent = session.agent AND rate.tier = request.service_tier
     AND rate.minute = {MINUTE}
     AND request.input_tokens + request.cache_read_tokens + request.cache_write_tokens > rate.above
     AND request.input_tokens + request.cache_read_tokens + request.cache_write_tokens <= rate.up_to
"""

# US dollars to ten decimals, as in PriceCard.price.  CASE, because LEAST ignores nulls: a request without a price would
# get the maximum.
SPEND: LiteralString = f"""
    CASE WHEN rate.version IS NOT NULL THEN LEAST(round((
        request.input_tokens * rate.input
        + request.cache_read_tokens * rate.cache_read
        + (request.cache_write_tokens - LEAST(request.cache_write_1h_tokens, request.cache_write_tokens))
          * rate.cache_write
        + LEAST(request.cache_write_1h_tokens, request.cache_write_tokens) * rate.cache_write_1h
        + request.output_tokens * rate.output
    ) / {int(MILLION)}, 10), {int(HIGHEST_SPEND)}) END
"""


class RateKey(NamedTuple):
    """What determines the rates of requests, except for their prompt size."""

    model: str
    agent: str
    tier: str
    minute: datetime


class _Line(NamedTuple):
    """Dollars per million tokens of prompts of more than `above` and at most `up_to` tokens."""

    key: RateKey
    above: int
    up_to: int
    card: PriceCard
    version: str

    @property
    def rates(self) -> tuple[Decimal, ...]:
        card = self.card
        return tuple(
            rate.at(self.above + 1)
            for rate in (card.input, card.cache_read, card.cache_write, card.cache_write_1h, card.output)
        )


def rate_parameters(keys: Collection[RateKey]) -> dict[str, list[Any]]:
    """The parameters of RATES.  Blocks price changes until the caller's transaction ends."""
    models = {key.model for key in keys}
    save_price_snapshots(models)
    book = price_book(models)
    lines = [
        line
        for key in keys
        if (source := book.source(key.model, key.agent, key.minute)) is not None
        for line in _lines(key, source)
    ]
    versions = version_ids({line.version for line in lines})
    columns: dict[str, list[Any]] = {
        "rate_models": [line.key.model for line in lines],
        "rate_agents": [line.key.agent for line in lines],
        "rate_tiers": [line.key.tier for line in lines],
        "rate_minutes": [line.key.minute for line in lines],
        "rate_above": [line.above for line in lines],
        "rate_up_to": [line.up_to for line in lines],
        "rate_versions": [versions[line.version] for line in lines],
    }
    kinds = ("rate_input", "rate_cache_read", "rate_cache_write", "rate_cache_write_1h", "rate_output")
    rates = [line.rates for line in lines]
    return columns | {kind: [rate[position] for rate in rates] for position, kind in enumerate(kinds)}


def _lines(key: RateKey, source: Source) -> Iterator[_Line]:
    card = source.prices.card(key.minute, key.tier)
    steps = (-1, *card.bounds, _LARGEST_PROMPT)
    for above, up_to in pairwise(steps):
        yield _Line(key, above, up_to, card, source.version)
