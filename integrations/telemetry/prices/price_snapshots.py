"""What the price list said of each model that was used: kept, so that a price that disappears from it goes on."""

from __future__ import annotations

from collections.abc import Iterable

from integrations.models import KeptPriceList
from integrations.telemetry.prices.library import library_list, library_version


def save_price_snapshots(models: Iterable[str]) -> None:
    """Keep what the library says of these models, or that it says nothing, where nothing of them is kept yet."""
    used = {model for model in models if model}
    missing = used - set(KeptPriceList.objects.filter(model__in=used).values_list("model", flat=True))
    KeptPriceList.objects.bulk_create((price_snapshot(model) for model in sorted(missing)), ignore_conflicts=True)


def price_snapshot(model: str) -> KeptPriceList:
    """The row of a model as the library knows it now."""
    prices = library_list(model)
    if prices is None:
        return KeptPriceList(model=model, library="", prices=None)
    return KeptPriceList(model=model, library=library_version(), prices=prices.json)
