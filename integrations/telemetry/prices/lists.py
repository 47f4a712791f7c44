"""A model's prices by day and tier, stored as JSON, and pricing of one request.

Pure: no Django, no library.  The JSON of a list is

    {"prices": [{"rates": {"input": ["3", [[200000, "6"]]], "output": ["15"], …},
                 "since": "2026-03-13", "hours": ["00:30", "16:30"]}, …],
     "tiers": [{"tier": "batch", "rates": {…}, "since": …}, …]}

with prices in US dollars per million tokens as text.  The last entry of `prices` that is in force applies; of `tiers`,
the first entry that has the rate.  "since" is a day in UTC, "hours" a daily range in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

MILLION = Decimal(1_000_000)
_LAST_DIGIT = Decimal("1e-10")  # precision of the columns
# The limit of the columns: implausible values of one sender must not block storing the requests of others.
HIGHEST_SPEND = Decimal(9_999_999_999)
# Prompt sizes above which some model costs more.  Requests are counted by these classes (AgentTierDay), so that a day's
# sum can be priced for any model.  Sizes below the first bound are not distinguished.
PROMPT_BOUNDS = (32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000, 524_288)

Json = Mapping[str, Any]


class TokenCounts(NamedTuple):
    """Tokens of a request in four disjoint kinds, and the part of the cache writes that has a one-hour TTL."""

    input: int  # uncached
    cache_read: int
    cache_write: int
    output: int  # reasoning included
    cache_write_1h: int = 0

    @property
    def prompt_size(self) -> int:
        return self.input + self.cache_read + self.cache_write


def noon(day: date) -> datetime:
    """The time of day by which a whole day is priced."""
    return datetime.combine(day, time(12), UTC)


@dataclass(frozen=True, slots=True)
class Rate:
    """Dollars per million tokens: the base price, and prices above certain prompt sizes."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()  # the largest first

    def at(self, prompt_size: int) -> Decimal:
        for above, price in self.tiers:
            if prompt_size > above:
                return price
        return self.base


FREE = Rate(Decimal(0))


@dataclass(frozen=True, slots=True)
class PriceCard:
    """The five rates that apply to a request."""

    input: Rate
    cache_read: Rate
    cache_write: Rate
    cache_write_1h: Rate | None  # None: not sold, or at an unknown price
    output: Rate

    def price(self, tokens: TokenCounts, *, prompt_size: int) -> Decimal | None:
        """US dollars, to ten decimals, rounded as in the database; None if some of the tokens have no price."""
        hour = min(tokens.cache_write_1h, tokens.cache_write)
        total = (
            tokens.input * self.input.at(prompt_size)
            + tokens.cache_read * self.cache_read.at(prompt_size)
            + (tokens.cache_write - hour) * self.cache_write.at(prompt_size)
            + tokens.output * self.output.at(prompt_size)
        )
        if hour:
            if self.cache_write_1h is None:
                return None
            total += hour * self.cache_write_1h.at(prompt_size)
        return min((total / MILLION).quantize(_LAST_DIGIT, ROUND_HALF_UP), HIGHEST_SPEND)

    @property
    def bounds(self) -> tuple[int, ...]:
        """The prompt sizes at which a price changes."""
        rates = (self.input, self.cache_read, self.cache_write, self.cache_write_1h, self.output)
        return tuple(sorted({above for rate in rates if rate is not None for above, _ in rate.tiers}))


def card_of(rates: Mapping[str, Rate]) -> PriceCard:
    """Complete the rates: cached tokens without a price of their own cost as much as prompt tokens.

    A price of cache writes says nothing about writes that are kept for an hour.
    """
    prompt = rates.get("input", FREE)
    cache_write = rates.get("cache_write", prompt)
    return PriceCard(
        input=prompt,
        cache_read=rates.get("cache_read", prompt),
        cache_write=cache_write,
        cache_write_1h=rates.get("cache_write_1h", None if "cache_write" in rates else prompt),
        output=rates.get("output", FREE),
    )


@dataclass(frozen=True, slots=True)
class _Dated:
    rates: Mapping[str, Rate]
    tier: str
    since: date | None
    hours: tuple[time, time] | None

    def holds(self, at: datetime) -> bool:
        if self.since is not None and at.date() < self.since:
            return False
        if self.hours is None:
            return True
        begins, ends = self.hours
        clock = at.time()
        return begins <= clock < ends if begins <= ends else clock >= begins or clock < ends


class PriceList:
    """The prices of one model by time and tier."""

    def __init__(self, json: Json) -> None:
        """Parse the JSON.  Raises KeyError, ValueError or TypeError if it is invalid."""
        self.json = json
        self._prices = tuple(_dated(entry) for entry in json["prices"])
        self._tiers = tuple(_dated(entry) for entry in json.get("tiers", ()))
        if not self._prices:
            raise ValueError("A price list without prices.")
        self._by_clock = any(entry.hours for entry in (*self._prices, *self._tiers))
        self._cards: dict[tuple[date, str], PriceCard] = {}

    def card(self, at: datetime, tier: str = "") -> PriceCard:
        """The rates at that time; an unknown tier has the rates of the standard tier."""
        at = at.astimezone(UTC)
        if self._by_clock:
            return self._find(at, tier)
        key = (at.date(), tier)
        card = self._cards.get(key)
        if card is None:
            card = self._cards[key] = self._find(at, tier)
        return card

    def _find(self, at: datetime, tier: str) -> PriceCard:
        chosen = next((entry for entry in reversed(self._prices) if entry.holds(at)), self._prices[0])
        if not tier:
            return card_of(chosen.rates)
        rates = dict(chosen.rates)
        priced: set[str] = set()
        for entry in self._tiers:
            if entry.tier == tier and entry.holds(at):
                rates.update({name: rate for name, rate in entry.rates.items() if name not in priced})
                priced.update(entry.rates)
        return card_of(rates)


def before_the_change(old: Json, new: Json) -> Json:
    """The prices of days before the new list: the old ones, plus the new ones that have a date.

    Equal to the new list if it only adds dated prices.
    """
    prices = list(old["prices"])
    if not _holds_always(prices[0]):  # it applies if no other does
        prices[0] = {"rates": prices[0]["rates"]}
    return {
        "prices": _with_added(prices, new["prices"]),
        "tiers": _with_added(list(old.get("tiers", ())), new.get("tiers", ())),
    }


def _with_added(old: list[Json], new: Sequence[Json]) -> list[Json]:
    """The old entries, plus the dated ones that only the new list has, ordered by day."""
    known = {(entry.get("tier"), entry.get("since")) for entry in old}
    for entry in new:
        since = entry.get("since")
        if since and (entry.get("tier"), since) not in known:
            earlier = [place for place, other in enumerate(old) if _is_dated_before(other, since)]
            old.insert(max(earlier, default=-1) + 1, entry)
    return old


def _is_dated_before(entry: Json, since: str) -> bool:
    return not entry.get("hours") and (entry.get("since") or "") < since


def _holds_always(entry: Json) -> bool:
    return not entry.get("since") and not entry.get("hours")


def _dated(entry: Json) -> _Dated:
    since, hours = entry.get("since"), entry.get("hours")
    return _Dated(
        {name: _rate(rate) for name, rate in entry["rates"].items()},
        entry.get("tier", ""),
        date.fromisoformat(since) if since else None,
        (time.fromisoformat(hours[0]), time.fromisoformat(hours[1])) if hours else None,
    )


def _rate(entry: Sequence[Any]) -> Rate:
    base, *tiers = entry
    steps = sorted(((int(above), Decimal(price)) for above, price in (tiers[0] if tiers else ())), reverse=True)
    return Rate(Decimal(base), tuple(steps))
