"""What tokens cost: the prices that genai-prices brings along, applied to one request at its time.

Prices depend on the model, on the day, and for some models on the size of the request (all tokens of a request with
a long context cost more), so requests are priced one by one and never as a sum.  Nothing is fetched: the prices are
those of the installed version of the library.  https://github.com/pydantic/genai-prices

The library's own calculation takes about 90 µs; here the prices of a model are kept in a form that takes two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

MILLION = Decimal(1_000_000)
_LAST_DIGIT = Decimal("1e-10")  # that the columns keep
# Amazon Bedrock: [arn:…/][region.]vendor.model-v1:0
_BEDROCK = re.compile(r"(?:^|/)(?:[a-z-]+\.)?(?P<model>[a-z0-9-]+\.[a-z][a-z0-9.-]*?-v\d+(?::\d+)?)$")


class TokenCounts(NamedTuple):
    """Tokens of a request in four disjoint kinds."""

    input: int  # uncached
    cache_read: int
    cache_write: int
    output: int  # reasoning included


def price_of_request(model: str, at: datetime, tokens: TokenCounts) -> Decimal | None:
    """US dollars for one request, to ten decimals; None where the model's price is unknown."""
    found = _find_model(model)
    if found is None:
        return None
    card = _price_card(_HashedById(found.get_prices(at)))
    return card.price(tokens, prompt_size=tokens.input + tokens.cache_read + tokens.cache_write)


def price_of_day(model: str, day: date, tokens: TokenCounts) -> Decimal | None:
    """US dollars for all tokens of a day, of whose requests only the sum is known; None for an unknown model.

    The sizes of the requests are lost in the sum, so the price of short ones is taken: a lower bound.
    """
    found = _find_model(model)
    if found is None:
        return None
    noon = datetime.combine(day, time(12), UTC)
    return _price_card(_HashedById(found.get_prices(noon))).price(tokens, prompt_size=0)


@dataclass(frozen=True, slots=True)
class _Rate:
    """Dollars per million tokens: the base price, and those that hold above a size of the whole prompt."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()  # the largest first

    def at(self, prompt_size: int) -> Decimal:
        for above, price in self.tiers:
            if prompt_size > above:
                return price
        return self.base


@dataclass(frozen=True, slots=True)
class _PriceCard:
    input: _Rate
    cache_read: _Rate
    cache_write: _Rate
    output: _Rate

    def price(self, tokens: TokenCounts, *, prompt_size: int) -> Decimal:
        total = (
            tokens.input * self.input.at(prompt_size)
            + tokens.cache_read * self.cache_read.at(prompt_size)
            + tokens.cache_write * self.cache_write.at(prompt_size)
            + tokens.output * self.output.at(prompt_size)
        )
        return (total / MILLION).quantize(_LAST_DIGIT)


class _HashedById:
    """A price as a cache key: the library's prices live as long as the process and cannot be hashed."""

    __slots__ = ("price",)

    def __init__(self, price: ModelPrice) -> None:
        self.price = price

    def __hash__(self) -> int:
        return id(self.price)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _HashedById) and other.price is self.price


@cache
def _price_card(key: _HashedById) -> _PriceCard:
    price = key.price
    # The library counts cached tokens as input too: where they have no price of their own, they cost as much.
    prompt = _rate(price.input_mtok)
    return _PriceCard(
        input=prompt,
        cache_read=_rate(price.cache_read_mtok) if price.cache_read_mtok is not None else prompt,
        cache_write=_rate(price.cache_write_mtok) if price.cache_write_mtok is not None else prompt,
        output=_rate(price.output_mtok),
    )


def _rate(price: Decimal | TieredPrices | None) -> _Rate:
    if price is None:
        return _Rate(Decimal(0))
    if isinstance(price, Decimal):
        return _Rate(price)
    return _Rate(price.base, tuple((tier.start, tier.price) for tier in reversed(price.tiers)))


@lru_cache(maxsize=10_000)  # names come from outside
def _find_model(name: str) -> ModelInfo | None:
    from genai_prices.data_snapshot import get_snapshot  # 30,000 lines of prices: loaded where something is priced

    snapshot = get_snapshot()
    for spelling, provider in _spellings(name):
        try:
            return snapshot.find_provider_model(spelling, None, provider, None)[1]
        except LookupError:
            continue
    return None


def _spellings(name: str) -> Iterator[tuple[str, str | None]]:
    """The forms in which a model's name is looked up, each with the provider to look at."""
    if not name:
        return
    yield name, None
    bedrock = _BEDROCK.search(name.lower())
    if bedrock is not None:
        yield bedrock["model"], "aws"
    if "/" in name:  # provider/model, models/model, arn:…/model
        yield name, "litellm"
        yield name.rpartition("/")[2], None
