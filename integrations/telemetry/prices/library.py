"""The price lists of genai-prices.  https://github.com/pydantic/genai-prices

Nothing is fetched: the prices are those of the installed version.  The library takes about 90 µs to price a request;
its lists are converted to ours, which take 2 µs.  Lists of used models are kept as snapshots, so that prices which the
library drops stay in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, time
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from integrations.model_names import model_name
from integrations.models import PriceSnapshot
from integrations.telemetry.prices.lists import PriceList
from integrations.telemetry.prices.sellers import find_entry, is_of_a_plan, maker_s_entry

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, PriceVariant, TieredPrices

_RATES = {
    "input": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "output": "output_mtok",
}
# Keys of service tiers by provider; agents report only the value.
_TIER_WORDS = ("processing", "speed", "service_tier")
_LAST_DIGIT = Decimal("1e-10")


@cache
def library_version() -> str:
    """The installed price book by name, e.g. genai-prices 0.2.3."""
    return f"genai-prices {version('genai-prices')}"


# Days on which versions were published.  Add that of a new pin.
LIST_DATES = {"genai-prices 0.2.3": date(2026, 11, 10)}


def list_date(today: date) -> date:
    """The day of the installed list, from which its undated changes apply; for an unknown version, today."""
    return min(LIST_DATES.get(library_version(), today), today)


@lru_cache(maxsize=1000)  # names are external input, and a list takes 8 kB
def library_list(name: str) -> PriceList | None:
    """The library's price list of a model, by any of its names; None if unknown."""
    entry = find_entry(name)
    if entry is not None and is_of_a_plan(name, entry):
        entry = maker_s_entry(name) or entry
    if entry is None or not _tells_prices(entry):
        return None
    return _list_of(entry, hour_ratio=_hour_ratio(entry) or _hour_ratio(maker_s_entry(name)))


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


def _list_of(model: ModelInfo, *, hour_ratio: Decimal | None) -> PriceList:
    return PriceList(
        {
            "prices": [{"rates": _rates(price.prices, hour_ratio), **_when(price)} for price in _conditional(model)],
            "tiers": [
                {"tier": tier, "rates": _rates(variant.prices, hour_ratio), **_when(variant)}
                for variant in model.price_variants or ()
                for tier in _tier_of(variant)
            ],
        }
    )


def _conditional(model: ModelInfo) -> list[ConditionalPrice]:
    from genai_prices.types import ConditionalPrice

    return model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]


def _tells_prices(model: ModelInfo) -> bool:
    """Whether the entry prices text tokens: some models are priced by the minute or the page.

    An entry without any price, such as `…:free`, costs nothing.
    """
    prices = [price.prices for price in _conditional(model)]
    is_free = all(rate is None for price in prices for rate in vars(price).values())
    return is_free or any(price.input_mtok is not None or price.output_mtok is not None for price in prices)


def _hour_ratio(model: ModelInfo | None) -> Decimal | None:
    """The ratio of the price of one-hour cache writes to five-minute ones; None if the entry does not have both."""
    for price in _conditional(model) if model else ():
        five_minutes, hour = _base(price.prices.cache_write_mtok), _base(price.prices.cache_write_1h_mtok)
        if five_minutes and hour:
            return hour / five_minutes
    return None


def _base(price: Decimal | TieredPrices | None) -> Decimal | None:
    return price if price is None or isinstance(price, Decimal) else price.base


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
    """A time of day in UTC: the library's hours are in UTC or have an offset."""
    offset = clock.utcoffset()
    minutes = clock.hour * 60 + clock.minute - (int(offset.total_seconds()) // 60 if offset else 0)
    return time(minutes // 60 % 24, minutes % 60, clock.second, tzinfo=UTC).replace(tzinfo=None).isoformat()


def _rates(price: ModelPrice, hour_ratio: Decimal | None) -> dict[str, list[Any]]:
    prices = ((name, getattr(price, key)) for name, key in _RATES.items())
    rates = {name: _rate(value) for name, value in prices if value is not None}
    five_minutes = price.cache_write_mtok
    if five_minutes is not None and price.cache_write_1h_mtok is None and hour_ratio is not None:
        rates["cache_write_1h"] = _rate(five_minutes, times=hour_ratio)
    return rates


def _rate(price: Decimal | TieredPrices, *, times: Decimal = Decimal(1)) -> list[Any]:
    if isinstance(price, Decimal):
        return [_text(price * times)]
    return [_text(price.base * times), [[tier.start, _text(tier.price * times)] for tier in price.tiers]]


def _text(price: Decimal) -> str:
    return f"{price.quantize(_LAST_DIGIT).normalize():f}"


def save_price_snapshots(models: Iterable[str]) -> None:
    """Store the names and the library's price lists of these models, or that it has none, if there is no snapshot."""
    used = {model for model in models if model}
    missing = used - set(PriceSnapshot.objects.filter(model__in=used).values_list("model", flat=True))
    PriceSnapshot.objects.bulk_create((price_snapshot(model) for model in sorted(missing)), ignore_conflicts=True)


def price_snapshot(model: str) -> PriceSnapshot:
    """A snapshot of the current price list of a model."""
    prices = library_list(model)
    if prices is None:
        return PriceSnapshot(model=model, name=model_name(model), library="", prices=None)
    return PriceSnapshot(model=model, name=model_name(model), library=library_version(), prices=prices.json)
