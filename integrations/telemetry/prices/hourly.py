"""How many of the cache writes in a sum of tokens were kept an hour, by the cost that the agent reports for it.

Of single requests the database infers the same (HOUR in rates.py).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from integrations.telemetry.prices.lists import HIGHEST_SPEND, MILLION, PriceCard, TokenCounts

SAME_COST = Decimal("0.000001")  # to which agents round
_LAST_DIGIT = Decimal("1e-10")


class HourlyWrites(NamedTuple):
    tokens: int = 0
    # What the tokens would cost more if all cache writes were kept an hour; None where it is known how many were.
    surcharge: Decimal | None = None


def hourly_writes(card: PriceCard, tokens: TokenCounts, reported_cost: Decimal | None) -> HourlyWrites:
    """The cache writes kept an hour: those that explain why the agent's cost is above the cost of five minutes.

    A cost outside what no and all hourly writes come to says nothing: 0 on a subscription, or one with other fees.
    A sum has no telling rounding, so that any cost between the two is taken.
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
