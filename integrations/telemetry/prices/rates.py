"""Price requests in the database, by rates per million tokens for each minute and prompt size.

A price depends only on model, agent, tier, minute and prompt size.  So the price book is queried once for each
combination that occurs, and the database multiplies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, LiteralString, NamedTuple

from integrations.telemetry.prices.book import Source, price_book, version_ids
from integrations.telemetry.prices.library import save_price_snapshots
from integrations.telemetry.prices.lists import HIGHEST_SPEND, MILLION, PriceCard
from integrations.telemetry.prices.sellers import listed_name

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

# Joins, after RATES, the number of cache writes kept an hour: the agent's own, else inferred from its reported cost.
# That cost equals the five-minute cost plus the extra cost of an hour for some of the writes, within a millionth of a
# dollar, to which agents round; another cost, such as 0 or one with fees, is inconclusive.  The figures are millionths
# of a dollar.  LEAST and GREATEST ignore nulls; if `extra` is null, so are the difference and the inferred number.
HOUR: LiteralString = f"""
    CROSS JOIN LATERAL (
        SELECT rate.cache_write_1h - rate.cache_write AS step,
               CASE WHEN request.reported_cost > 0 AND request.cache_write_tokens > 0
                         AND NOT request.reports_1h_tokens AND rate.cache_write_1h > rate.cache_write
                    THEN request.reported_cost * {int(MILLION)} - (
                        request.input_tokens * rate.input
                        + request.cache_read_tokens * rate.cache_read
                        + request.cache_write_tokens * rate.cache_write
                        + request.output_tokens * rate.output) END AS extra
    ) AS reported
    CROSS JOIN LATERAL (
        SELECT GREATEST(LEAST(round(reported.extra / reported.step), request.cache_write_tokens), 0)::bigint AS tokens
    ) AS nearest
    CROSS JOIN LATERAL (
        SELECT CASE WHEN abs(reported.extra - nearest.tokens * reported.step) <= 1 THEN nearest.tokens END AS inferred
    ) AS hour
"""
_KEPT_AN_HOUR: LiteralString = """
    CASE WHEN request.reports_1h_tokens THEN LEAST(request.cache_write_1h_tokens, request.cache_write_tokens)
         ELSE coalesce(hour.inferred, 0) END
"""

# US dollars to ten decimals, as in PriceCard.price; null if cache writes kept an hour have no price.  CASE, because
# LEAST ignores nulls: a request without a price would get the maximum.
SPEND: LiteralString = f"""
    CASE WHEN rate.version IS NOT NULL AND (rate.cache_write_1h IS NOT NULL OR {_KEPT_AN_HOUR} = 0) THEN LEAST(round((
        request.input_tokens * rate.input
        + request.cache_read_tokens * rate.cache_read
        + (request.cache_write_tokens - {_KEPT_AN_HOUR}) * rate.cache_write
        + {_KEPT_AN_HOUR} * coalesce(rate.cache_write_1h, 0)
        + request.output_tokens * rate.output
    ) / {int(MILLION)}, 10), {int(HIGHEST_SPEND)}) END
"""

# The extra cost of a request if all its cache writes were kept an hour; null if their lifetimes are known.
SURCHARGE: LiteralString = f"""
    CASE WHEN request.cache_write_tokens > 0 AND NOT request.reports_1h_tokens AND hour.inferred IS NULL
              AND reported.step > 0
         THEN LEAST(round(request.cache_write_tokens * reported.step / {int(MILLION)}, 10), {int(HIGHEST_SPEND)}) END
"""


class RateKey(NamedTuple):
    """The determinants of the rates of requests, except for their prompt size."""

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
    def rates(self) -> tuple[Decimal | None, ...]:
        card = self.card
        return tuple(
            None if rate is None else rate.at(self.above + 1)
            for rate in (card.input, card.cache_read, card.cache_write, card.cache_write_1h, card.output)
        )


def rate_parameters(keys: Collection[RateKey]) -> dict[str, list[Any]]:
    """The parameters of RATES.  Blocks price changes until the caller's transaction ends."""
    listed = {listed_name(key.model, key.agent) for key in keys}
    save_price_snapshots({key.model for key in keys} | listed)
    book = price_book(listed)
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
