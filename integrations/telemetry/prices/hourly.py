"""The number of cache writes in a sum of tokens that were kept an hour, inferred from the agent's reported cost.

For single requests the database infers the same (HOUR in rates.py).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from integrations.telemetry.prices.lists import HIGHEST_SPEND, MILLION, PriceCard, TokenCounts

SAME_COST = Decimal("0.000001")  # precision to which agents round
_LAST_DIGIT = Decimal("1e-10")


class HourlyWrites(NamedTuple):
    tokens: int = 0
    # The extra cost of the tokens if all cache writes were kept an hour; None if their number is known.
    surcharge: Decimal | None = None


def hourly_writes(card: PriceCard, tokens: TokenCounts, reported_cost: Decimal | None) -> HourlyWrites:
    """The cache writes kept an hour: the number that explains the excess of the agent's cost over the five-minute cost.

    A cost outside the range from no to all hourly writes is inconclusive: 0 on a subscription, or one with other fees.
    A sum has no conclusive rounding, so any cost within the range is accepted.
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
