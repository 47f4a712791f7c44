"""The price book: prices of requests from overrides, the price list, or the last known list.

They apply in this order: an admin's override; the installed library, or for earlier days the version before an undated
change; the last library version that knew the model (PriceSnapshot).  A model without any of these has no price: its
cost is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.db.models import Q
from django.utils import timezone

from integrations.models import PriceSnapshot, PriceVersion
from integrations.telemetry.prices.library import library_list, library_version
from integrations.telemetry.prices.lists import PriceCard, PriceList, noon
from integrations.telemetry.prices.overrides import Override, overrides_in_force, wait_for_price_changes
from integrations.telemetry.prices.sellers import listed_name, runs_locally


@dataclass(frozen=True)
class Source:
    """A price list, its price book, and the first day on which it no longer applies."""

    prices: PriceList
    version: str
    until: date | None = None


@dataclass
class PriceBook:
    """The current prices of some models, created by `price_book`."""

    overrides: list[Override]
    lists: Mapping[str, Sequence[Source]]  # by `listed_name`, for days without an override; the earliest first
    _matching: dict[tuple[str, str], list[Override]] = field(default_factory=dict)

    def card_of_day(self, model: str, agent: str, day: date, tier: str = "") -> PriceCard | None:
        source = self.source_of_day(model, agent, day)
        return None if source is None else source.prices.card(noon(day), tier)

    def source(self, model: str, agent: str, at: datetime) -> Source | None:
        if self._overrides_of(model, agent):
            return self.source_of_day(model, agent, timezone.localdate(at))
        return self._listed(model, agent, at.astimezone(UTC).date())  # the list's days

    def source_of_day(self, model: str, agent: str, day: date) -> Source | None:
        for override in self._overrides_of(model, agent):
            if override.holds_on(day):
                return Source(override.prices, override.version_name)
        return self._listed(model, agent, day)

    def _listed(self, model: str, agent: str, day: date) -> Source | None:
        sources = self.lists.get(listed_name(model, agent), ())
        return next((source for source in sources if source.until is None or day < source.until), None)

    def _overrides_of(self, model: str, agent: str) -> list[Override]:
        """Overrides that match on any day, the most specific first."""
        key = (model, agent)
        matching = self._matching.get(key)
        if matching is None:
            matching = self._matching[key] = [override for override in self.overrides if override.matches(model, agent)]
        return matching


def price_book(models: Iterable[str]) -> PriceBook:
    """The prices of these listed names.  Blocks price changes until the caller's transaction ends."""
    wait_for_price_changes()
    return read_price_book(models)


def read_price_book(models: Iterable[str]) -> PriceBook:
    """The prices of these listed names, without locking."""
    version = library_version()
    listed = {model: library_list(model) for model in set(models)}
    lists = {model: [Source(prices, version)] for model, prices in listed.items() if prices is not None}
    unknown = {model for model in listed.keys() - lists.keys() if not runs_locally(model)}
    is_needed = Q(earlier__isnull=False) | Q(model__in=unknown, prices__isnull=False)
    for snapshot in PriceSnapshot.objects.filter(is_needed, model__in=listed):
        current = lists.get(snapshot.model) or [Source(PriceList(snapshot.prices or {}), snapshot.library)]
        earlier = [
            Source(PriceList(entry["prices"]), entry["library"], date.fromisoformat(entry["until"]))
            for entry in snapshot.earlier or ()
        ]
        lists[snapshot.model] = [*earlier, *current]
    return PriceBook(overrides_in_force(), lists)


def version_ids(names: Collection[str]) -> dict[str, int]:
    """Ids of the PriceVersions of these names, created where missing."""
    ids = dict(PriceVersion.objects.filter(name__in=names).values_list("name", "pk"))
    missing = sorted(set(names) - ids.keys())
    if missing:
        PriceVersion.objects.bulk_create((PriceVersion(name=name) for name in missing), ignore_conflicts=True)
        ids = dict(PriceVersion.objects.filter(name__in=names).values_list("name", "pk"))
    return ids
