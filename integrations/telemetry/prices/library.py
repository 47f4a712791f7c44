"""The price lists of genai-prices.  https://github.com/pydantic/genai-prices

Nothing is fetched: the prices are those of the installed version.  The library takes about 90 µs to price a request;
its lists are converted to ours, which take 2 µs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, time
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from integrations.model_names import (
    BedrockName,
    bedrock_name,
    model_name,
    without_additions,
    without_date,
    without_revision,
)
from integrations.telemetry.prices.lists import PriceList

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, PriceVariant, TieredPrices

# Makers that price their models themselves, by how the models' normal names begin.
_MAKERS = {"glm-": "zai", "composer-": "cursor", "kimi-": "moonshotai", "deepseek-": "deepseek"}
_RATES = {
    "input": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "output": "output_mtok",
}
# Keys of service tiers by provider; agents report only the value.
_TIER_WORDS = ("processing", "speed", "service_tier")


@cache
def library_version() -> str:
    """The installed price book by name, e.g. genai-prices 0.2.3."""
    return f"genai-prices {version('genai-prices')}"


@lru_cache(maxsize=1000)  # names are external input, and a list takes 8 kB
def library_list(name: str) -> PriceList | None:
    """The library's price list of a model, by any of its names; None if unknown."""
    model = next(filter(_tells_prices, _find_models(name)), None)
    return None if model is None else _list_of(model)


@cache
def listed_models() -> tuple[str, ...]:
    """Names of models of the large providers, for selection; each can be looked up with `library_list`."""
    from genai_prices.data_snapshot import get_snapshot

    names = {
        model.id
        for provider in get_snapshot().providers
        if provider.id in {"anthropic", "openai", "google", "x-ai", "mistral", "deepseek"}
        for model in provider.models
        if _tells_prices(model) and library_list(model.id) is not None
    }
    return tuple(sorted(names))


def _list_of(model: ModelInfo) -> PriceList:
    return PriceList(
        {
            "prices": [{"rates": _rates(price.prices), **_when(price)} for price in _conditional(model)],
            "tiers": [
                {"tier": tier, "rates": _rates(variant.prices), **_when(variant)}
                for variant in model.price_variants or ()
                for tier in _tier_of(variant)
            ],
        }
    )


def _conditional(model: ModelInfo) -> list[ConditionalPrice]:
    from genai_prices.types import ConditionalPrice

    return model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]


def _tells_prices(model: ModelInfo) -> bool:
    """Whether text tokens have a price: some models are priced by the minute or the page."""
    return any(
        price.prices.input_mtok is not None or price.prices.output_mtok is not None for price in _conditional(model)
    )


def _tier_of(variant: PriceVariant) -> Iterator[str]:
    if len(variant.when) == 1:
        ((way, word),) = variant.when.items()
        if way in _TIER_WORDS:
            yield word


def _when(dated: ConditionalPrice | PriceVariant) -> dict[str, Any]:
    constraint = dated.constraint
    if constraint is None:
        return {}
    since: date | None = getattr(constraint, "start_date", None)
    if since is not None:
        return {"since": since.isoformat()}
    return {"hours": [_in_utc(constraint.start_time), _in_utc(constraint.end_time)]}  # type: ignore[union-attr]  # the other kind of constraint


def _in_utc(clock: time) -> str:
    """The library's hours are in UTC, or have an offset."""
    offset = clock.utcoffset()
    minutes = clock.hour * 60 + clock.minute - (int(offset.total_seconds()) // 60 if offset else 0)
    return time(minutes // 60 % 24, minutes % 60, clock.second, tzinfo=UTC).replace(tzinfo=None).isoformat()


def _rates(price: ModelPrice) -> dict[str, list[Any]]:
    prices = ((name, getattr(price, key)) for name, key in _RATES.items())
    return {name: _rate(value) for name, value in prices if value is not None}


def _rate(price: Decimal | TieredPrices) -> list[Any]:
    if isinstance(price, Decimal):
        return [str(price)]
    return [str(price.base), [[tier.start, str(tier.price)] for tier in price.tiers]]


def _find_models(name: str) -> Iterator[ModelInfo]:
    from genai_prices.data_snapshot import get_snapshot  # 30,000 lines of prices: imported lazily

    snapshot = get_snapshot()
    for spelling, provider in _spellings(name):
        with suppress(LookupError):
            yield snapshot.find_provider_model(spelling, None, provider, None)[1]


def _spellings(sent: str) -> Iterator[tuple[str, str | None]]:
    """Spellings of a model's name to look up, each with the provider: the most specific first.

    A provider's own id comes first, since regions and variants have prices of their own; the normal form comes last,
    so that what agents add to a name hides no price.
    """
    if not sent:
        return
    plain = without_additions(sent)
    bedrock = bedrock_name(sent)
    if bedrock is not None:
        yield from ((spelling, "aws") for spelling in _bedrock_spellings(bedrock))
    if sent.endswith((":batch", ":free")):  # variants with a price of their own
        yield sent, "openrouter"
    for name in dict.fromkeys((sent, plain, without_date(plain))):
        yield name, None
        if "/" in name:  # provider/model, models/model, arn:…/model
            yield name, "litellm"
            yield name.rpartition("/")[2], None
    normal = model_name(sent)
    yield normal, None
    for prefix, maker in _MAKERS.items():
        if normal.startswith(prefix):
            yield normal, maker
    vendor, _, model = plain.rpartition("/")
    if vendor:  # vendor/model, as gateways name what others host
        yield f"{vendor.rpartition('/')[2]}/{model}", "openrouter"


def _bedrock_spellings(bedrock: BedrockName) -> Iterator[str]:
    """The list names some models with a date and a revision, some without either."""
    whole, bare = bedrock.model, without_revision(bedrock.model)
    undated = without_date(bare)
    models = dict.fromkeys((whole, f"{bare}-v1:0", bare, f"{undated}-v1:0", undated))
    if bedrock.region:
        yield from (f"{bedrock.region}.{bedrock.vendor}.{model}" for model in models)
    if bedrock.region != "global":  # which costs less than a region
        yield from (f"{bedrock.vendor}.{model}" for model in models)
