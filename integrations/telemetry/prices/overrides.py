"""Price overrides: which one applies to a request, and changing them with repricing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction

from core.locks import Lock
from integrations.model_names import model_name
from integrations.models import PriceOverride, PriceOverrideChange, PriceSnapshot, Repricing
from integrations.models.prices import RATES
from integrations.telemetry.prices.library import library_list, save_price_snapshots
from integrations.telemetry.prices.lists import PriceList
from integrations.telemetry.prices.queue import enqueue_repricing, models_used

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Act = PriceOverrideChange.Act
PRICES = Lock("prices")  # no request is priced while prices change


@dataclass(frozen=True)
class Override:
    """One row of PriceOverride, with its price list."""

    pk: int
    revision: int
    pattern: str
    agent: str
    day_from: date | None
    day_to: date | None
    prices: PriceList

    def matches(self, model: str, agent: str) -> bool:
        return self.agent in ("", agent) and pattern_matches(self.pattern, model)

    def holds_on(self, day: date) -> bool:
        return (self.day_from is None or self.day_from <= day) and (self.day_to is None or day < self.day_to)

    @property
    def version_name(self) -> str:
        return f"override {self.pk}.{self.revision}"


def pattern_matches(pattern: str, model: str) -> bool:
    """Whether the model's name matches the pattern, in which * matches any characters.  Ignores case.

    The name is compared with and without its seller, and in the normal form under which it is listed.
    """
    sent = model.lower()
    return any(_fits(pattern.lower(), name) for name in (sent, sent.partition("/")[2] or sent, model_name(model)))


def _fits(pattern: str, name: str) -> bool:
    """Whether the pattern matches.  Each literal is searched once, from the left; a regular expression would
    backtrack.
    """
    first, *others = pattern.split("*")
    if not others:
        return name == first
    *middle, last = others
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for literal in middle:
        found = name.find(literal, at, end)
        if found < 0:
            return False
        at = found + len(literal)
    return True


def overrides_in_force() -> list[Override]:
    """All overrides, the most specific first."""
    rows = list(PriceOverride.objects.all())
    lists = lists_of({row.same_as for row in rows if row.same_as})
    overrides = [
        Override(row.pk, row.revision, row.model, row.agent, row.during.lower, row.during.upper, prices)
        for row in rows
        if (prices := lists.get(row.same_as) if row.same_as else PriceList({"prices": [{"rates": _rates(row)}]}))
    ]
    return sorted(
        overrides,
        key=lambda override: (not override.agent, "*" in override.pattern, -len(override.pattern), override.pk),
    )


def lists_of(models: Collection[str]) -> dict[str, PriceList]:
    """Current or last known price lists of these models; unknown models are left out."""
    lists = {model: prices for model in models if (prices := library_list(model)) is not None}
    missing = set(models) - lists.keys()
    if missing:
        snapshots = PriceSnapshot.objects.filter(model__in=missing, prices__isnull=False)
        lists.update((row.model, PriceList(row.prices or {})) for row in snapshots)
    return lists


def _rates(row: PriceOverride) -> dict[str, list[Any]]:
    """The rates in the format of a price list.  A missing rate defaults to a related one: cached tokens to
    uncached ones.
    """
    base: dict[str, Decimal] = {}
    long: dict[str, Decimal] = {}
    for name in RATES:
        like = {"cache_read": "input", "cache_write": "input", "cache_write_1h": "cache_write"}.get(name)
        price, above = getattr(row, name), getattr(row, f"long_{name}")
        base[name] = price if price is not None else base[like] if like else Decimal(0)
        # A missing rate for long prompts is that of short ones, unless it has no price of its own at all.
        inherited = long[like] if like and price is None else base[name]
        long[name] = above if above is not None else inherited
    if not row.long_above:
        return {name: [str(price)] for name, price in base.items()}
    return {
        name: [str(price)] if long[name] == price else [str(price), [[row.long_above, str(long[name])]]]
        for name, price in base.items()
    }


def wait_for_price_changes() -> None:
    """Take the shared price lock: price changes and pricing transactions exclude each other."""
    PRICES.hold_shared()


@transaction.atomic
def save_override(override: PriceOverride, *, by: User | None) -> None:
    """Store a new or changed override, log the change, and queue affected requests for repricing.

    Raises ValidationError if it has no usable price, or overlaps with another override.
    """
    PRICES.hold()
    before = PriceOverride.objects.filter(pk=override.pk).first() if override.pk else None
    override.full_clean()
    if override.same_as and not lists_of([override.same_as]):
        raise ValidationError({"same_as": f"The price list has no model {override.same_as}."})
    if before is not None and terms_of(before) == terms_of(override):
        return
    override.author = by
    override.revision = before.revision + 1 if before else 1
    override.save()
    save_price_snapshots([override.same_as])  # so that its price survives if a later price list drops it
    _note(override, Act.CHANGED if before else Act.ADDED, by)
    _reprice([before, override] if before else [override], f"Override of {override}: {override.reason}", by)


@transaction.atomic
def remove_override(override: PriceOverride, *, by: User | None) -> None:
    """Remove an override; its requests are repriced by the price list or another override."""
    PRICES.hold()
    _note(override, Act.REMOVED, by)
    _reprice([override], f"Override of {override} removed", by)
    override.delete()


def terms_of(override: PriceOverride) -> Mapping[str, str]:
    """The terms of the override by field, without empty ones."""
    fields = ("model", "agent", "same_as", *RATES, "long_above", *(f"long_{name}" for name in RATES), "reason")
    values = {name: getattr(override, name) for name in fields}
    terms = {name: _plain(value) for name, value in values.items() if value not in (None, "")}
    for name, day in (("from", override.during.lower), ("to", override.during.upper)):
        if day is not None:
            terms[name] = day.isoformat()
    return terms


def _plain(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _note(override: PriceOverride, act: PriceOverrideChange.Act, by: User | None) -> None:
    PriceOverrideChange.objects.create(
        by=by, override_id=override.pk, revision=override.revision, act=act, terms=dict(terms_of(override))
    )


def _reprice(overrides: Sequence[PriceOverride], reason: str, by: User | None) -> None:
    """Queue repricing of everything to which the override applies, before and after the change."""
    patterns = [row.model for row in overrides]
    models = [name for name in models_used() if any(pattern_matches(pattern, name) for pattern in patterns)]
    agents = {row.agent for row in overrides}
    starts, ends = [row.during.lower for row in overrides], [row.during.upper for row in overrides]
    enqueue_repricing(
        Repricing.Cause.OVERRIDE,
        reason,
        models=models,
        agent=agents.pop() if len(agents) == 1 else "",
        day_from=None if None in starts else min(starts),
        day_to=None if None in ends else max(ends),
        by=by,
    )
