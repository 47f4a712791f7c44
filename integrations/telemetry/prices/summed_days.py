"""Pricing of days for which only sums are known: from metrics and imported files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, LiteralString, NamedTuple

from core import sql
from integrations.telemetry.prices.book import price_book, version_ids
from integrations.telemetry.prices.library import save_price_snapshots
from integrations.telemetry.prices.lists import HIGHEST_SPEND, MILLION, PriceCard, TokenCounts, noon
from integrations.telemetry.prices.sellers import listed_name

SAME_COST = Decimal("0.000001")  # precision to which agents round
_LAST_DIGIT = Decimal("1e-10")


class HourlyWrites(NamedTuple):
    tokens: int = 0
    # The extra cost of the tokens if all cache writes were kept an hour; None if their number is known.
    surcharge: Decimal | None = None


def hourly_writes(card: PriceCard, tokens: TokenCounts, reported_cost: Decimal | None) -> HourlyWrites:
    """The cache writes kept for an hour: the number that explains how far the agent's cost exceeds the five-minute
    cost.

    A cost below that of no hourly writes, or above that of only hourly writes, is inconclusive: 0 on a subscription, or
    a cost that includes other fees.  Because rounding of a sum is unknown, any cost within the range is accepted.
    """
    if card.cache_write_1h is None:
        return HourlyWrites()
    step = (card.cache_write_1h.base - card.cache_write.base) / MILLION
    if not tokens.cache_write or step <= 0:
        return HourlyWrites()
    highest = tokens.cache_write * step
    if reported_cost:
        extra = reported_cost - (card.price(tokens._replace(cache_write_1h=0), prompt_size=0) or 0)
        if -SAME_COST <= extra <= highest + SAME_COST:
            nearest = int((extra / step).quantize(Decimal(1), ROUND_HALF_UP))
            return HourlyWrites(min(max(nearest, 0), tokens.cache_write))
    return HourlyWrites(surcharge=min(highest.quantize(_LAST_DIGIT, ROUND_HALF_UP), HIGHEST_SPEND))


class _Part(NamedTuple):
    """The tokens of a day under one name of its model, as it was sent."""

    row: int  # id of an AgentSessionDay
    agent: str
    day: date
    model: str
    input: int
    cache_read: int
    cache_write: int
    output: int
    reported_cost: Decimal | None


class _Price(NamedTuple):
    """The cost of a part; without a price the spend is None."""

    part: _Part
    spend: Decimal | None = None
    version: str = ""
    hour_tokens: int = 0
    surcharge: Decimal | None = None

    @property
    def tokens(self) -> int:
        return self.part.input + self.part.cache_read + self.part.cache_write + self.part.output


def price_summed_days(ids: Sequence[int]) -> None:
    """Price whole rows of AgentSessionDay, in the caller's transaction.

    The names under which the day's model was sent may have different prices, so each is priced separately.  Rows
    without tokens of a model are left unchanged.
    """
    parts = [_Part(*row) for row in sql.rows(PARTS, {"ids": list(ids)})]
    if not parts:
        return
    by_row: dict[int, list[_Price]] = defaultdict(list)
    for price in _priced(parts):
        by_row[price.part.row].append(price)
    versions = version_ids({price.version for prices in by_row.values() for price in prices if price.version})
    rows = [(row, *_figures(prices, versions)) for row, prices in by_row.items()]
    sql.execute(UPDATE, list(map(list, zip(*rows, strict=True))))


def _priced(parts: Sequence[_Part]) -> list[_Price]:
    listed = {listed_name(part.model, part.agent) for part in parts}
    save_price_snapshots({part.model for part in parts} | listed)
    book = price_book(listed)
    prices: list[_Price] = []
    for part in parts:
        source = book.source_of_day(part.model, part.agent, part.day)
        if source is None:
            prices.append(_Price(part))
            continue
        card = source.prices.card(noon(part.day))
        tokens = TokenCounts(part.input, part.cache_read, part.cache_write, part.output)
        hourly = hourly_writes(card, tokens, part.reported_cost)
        spend = card.price(tokens._replace(cache_write_1h=hourly.tokens), prompt_size=0)
        prices.append(_Price(part, spend, source.version, hourly.tokens, hourly.surcharge))
    return prices


def _figures(prices: Sequence[_Price], versions: dict[str, int]) -> tuple[Any, ...]:
    """Spend, price version, unpriced tokens, hourly tokens, surcharge, compared cost and compared spend of a row."""
    spends = [price.spend for price in prices if price.spend is not None]
    compared = [
        (price.part.reported_cost, price.spend)
        for price in prices
        if price.part.reported_cost is not None and price.spend is not None
    ]
    surcharges = [price.surcharge for price in prices if price.surcharge is not None]
    return (
        _sum(spends),
        max((versions[price.version] for price in prices if price.version), default=None),
        sum(price.tokens for price in prices if price.spend is None),
        sum(price.hour_tokens for price in prices),
        _sum(surcharges),
        _sum([cost for cost, _ in compared]),
        _sum([spend for _, spend in compared]),
    )


def _sum(amounts: Sequence[Decimal]) -> Decimal | None:
    return min(sum(amounts, Decimal(0)), HIGHEST_SPEND) if amounts else None


# The parts of a day, by the names that were sent: meter slots or imported rows.
PARTS: LiteralString = """
    SELECT figures.id, figures.agent, figures.day, part.*
    FROM integrations_agentsessionday figures
    CROSS JOIN LATERAL (
        SELECT slot.model, sum(slot.input_tokens)::bigint, sum(slot.cache_read_tokens)::bigint,
               sum(slot.cache_write_tokens)::bigint, sum(slot.output_tokens)::bigint, sum(slot.reported_cost)
        FROM integrations_agentmeterslot slot
        LEFT JOIN integrations_keptpricelist named ON named.model = slot.model AND named.name <> ''
        WHERE figures.source = 'metrics' AND slot.session_id = figures.session_id AND slot.active_from IS NOT NULL
          AND slot.counted = figures.counted
          AND (slot.slot AT TIME ZONE current_setting('TimeZone'))::date = figures.day
          AND coalesce(named.name, slot.model) = figures.model
        GROUP BY slot.model
        UNION ALL
        SELECT usage.model, sum(usage.input_tokens)::bigint, sum(usage.cache_read_tokens)::bigint,
               sum(usage.cache_write_tokens)::bigint, sum(usage.output_tokens)::bigint, sum(usage.reported_cost)
        FROM integrations_importedusage usage
        LEFT JOIN integrations_keptpricelist named ON named.model = usage.model AND named.name <> ''
        WHERE figures.source = 'files' AND usage.session_id = figures.session_id AND usage.day = figures.day
          AND coalesce(named.name, usage.model) = figures.model
        GROUP BY usage.model
    ) AS part
    WHERE figures.id = ANY (%(ids)s) AND figures.model <> ''
      AND figures.input_tokens + figures.cache_read_tokens + figures.cache_write_tokens + figures.output_tokens > 0
"""

UPDATE: LiteralString = """
    UPDATE integrations_agentsessionday figures
    SET spend = priced.spend, price_version_id = priced.version, unpriced_tokens = priced.unpriced_tokens,
        cache_write_1h_tokens = priced.hour_tokens, surcharge_1h = priced.surcharge,
        compared_cost = priced.compared_cost, compared_spend = priced.compared_spend
    FROM unnest(%s::bigint[], %s::numeric[], %s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[],
                %s::numeric[])
         AS priced (id, spend, version, unpriced_tokens, hour_tokens, surcharge, compared_cost, compared_spend)
    WHERE figures.id = priced.id
"""
