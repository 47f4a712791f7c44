"""The cost of tokens only by the installed price list, one request after the other, for tests to compare with."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from integrations.telemetry.prices.library import library_list
from integrations.telemetry.prices.lists import TokenCounts, noon


def price_of_request(model: str, at: datetime, tokens: TokenCounts, tier: str = "") -> Decimal | None:
    """US dollars for one request, to ten decimals; None where the model's price is unknown."""
    prices = library_list(model)
    return None if prices is None else prices.card(at, tier).price(tokens, prompt_size=tokens.prompt_size)


def price_of_day(model: str, day: date, tokens: TokenCounts) -> Decimal | None:
    """US dollars for all tokens of a day, of whose requests only the sum is known; None for an unknown model.

    The sizes of the requests are lost in the sum, so the price of short ones is taken: a lower bound.
    """
    prices = library_list(model)
    return None if prices is None else prices.card(noon(day)).price(tokens, prompt_size=0)
