"""Reprice after an update of the price list or the pricing rules."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from core.locks import Lock
from integrations.model_names import model_name
from integrations.models import AppliedPriceBook, PriceOverride, PriceSnapshot, Repricing
from integrations.telemetry.prices.library import library_list, library_version
from integrations.telemetry.prices.overrides import pattern_matches
from integrations.telemetry.prices.price_snapshots import price_snapshot
from integrations.telemetry.prices.queue import enqueue_repricing, models_used
from integrations.telemetry.prices.sellers import requested_names

logger = logging.getLogger(__name__)
RULES = 3  # increment when the same prices yield another sum, or models have other names
PRICE_LIBRARY = Lock("price library")


def apply_price_book() -> None:
    """Queue repricings if the version of the price list, the rules or the time zone changed.

    Models that the list no longer knows keep their last price; the snapshot says from which version.
    """
    now = {"library": library_version(), "rules": RULES, "time_zone": settings.TIME_ZONE}
    if AppliedPriceBook.objects.filter(**now).exists():
        return
    with transaction.atomic():
        PRICE_LIBRARY.hold()
        before = AppliedPriceBook.objects.filter(pk=1).first()
        changed = _sync_library()
        if before is not None and before.rules != RULES:
            enqueue_repricing(Repricing.Cause.RULES, "The rules of pricing changed")
        elif before is not None:
            if before.library != now["library"] and changed:
                enqueue_repricing(
                    Repricing.Cause.LIBRARY, f"{before.library} → {now['library']}: {_listed(changed)}", models=changed
                )
            if before.time_zone != now["time_zone"] and PriceOverride.objects.exists():
                enqueue_repricing(
                    Repricing.Cause.RULES, f"Days of overrides in {now['time_zone']}, before in {before.time_zone}"
                )
        AppliedPriceBook.objects.update_or_create(pk=1, defaults=now)


def _sync_library() -> list[str]:
    """Update the snapshots to the installed version; returns the models whose prices changed, by name."""
    version = library_version()
    changed: list[str] = []
    for row in PriceSnapshot.objects.order_by("model").select_for_update():
        if row.name != model_name(row.model):
            row.name = model_name(row.model)
            row.save(update_fields=["name"])
        prices = library_list(row.model)
        if prices is None:
            if row.prices is not None and not row.missing_since:
                row.missing_since = version
                row.save(update_fields=["missing_since"])
                logger.warning("%s no longer knows %s: its last price stays in use.", version, row.model)
            continue
        fresh = price_snapshot(row.model)
        if row.prices != fresh.prices:
            changed.extend(requested_names(row.model))
        row.prices, row.library, row.missing_since = fresh.prices, fresh.library, ""
        row.save(update_fields=["prices", "library", "missing_since"])
    return sorted({*changed, *_priced_as(changed)})


def _priced_as(changed: Sequence[str]) -> list[str]:
    """Models that an override prices like one of these."""
    patterns = PriceOverride.objects.filter(same_as__in=changed).values_list("model", flat=True)
    return [name for name in models_used() if any(pattern_matches(pattern, name) for pattern in patterns)]


def _listed(models: Sequence[str]) -> str:
    shown = ", ".join(models[:5])
    return f"{shown} and {len(models) - 5} more" if len(models) > 5 else shown
