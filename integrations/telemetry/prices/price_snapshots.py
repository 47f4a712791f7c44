"""Snapshots of price lists of used models, so that prices dropped by the library stay in use."""

from __future__ import annotations

from collections.abc import Iterable

from integrations.model_names import model_name
from integrations.models import PriceSnapshot
from integrations.telemetry.prices.library import library_list, library_version


def save_price_snapshots(models: Iterable[str]) -> None:
    """Store the names and the library's price lists of these models, or their absence, if there is no snapshot."""
    used = {model for model in models if model}
    missing = used - set(PriceSnapshot.objects.filter(model__in=used).values_list("model", flat=True))
    PriceSnapshot.objects.bulk_create((price_snapshot(model) for model in sorted(missing)), ignore_conflicts=True)


def price_snapshot(model: str) -> PriceSnapshot:
    """A snapshot of the current price list of a model."""
    prices = library_list(model)
    if prices is None:
        return PriceSnapshot(model=model, name=model_name(model), library="", prices=None)
    return PriceSnapshot(model=model, name=model_name(model), library=library_version(), prices=prices.json)
