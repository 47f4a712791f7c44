"""Reprice after an update of the price list or the pricing rules.

A price that the new list dates applies from its day.  An undated one applies from the day of the list; the list does
not say whether earlier days were wrong, so an admin decides, and is shown both sums.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from core.locks import Lock
from integrations.model_names import model_name
from integrations.models import AppliedPriceBook, PriceOverride, PriceSnapshot, Repricing
from integrations.telemetry.prices.library import library_list, library_version, list_date, price_snapshot
from integrations.telemetry.prices.lists import before_the_change
from integrations.telemetry.prices.overrides import PRICES, pattern_matches
from integrations.telemetry.prices.queue import enqueue_repricing, models_used
from integrations.telemetry.prices.sellers import listed_names, requested_names

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)
RULES = 4  # increment if the same prices yield another sum, or models get other names
PRICE_LIBRARY = Lock("price library")


def apply_price_book() -> None:
    """Queue repricings if the version of the price list, the rules or the time zone changed.

    Models that the list no longer contains keep their last price; the snapshot says from which version.
    """
    now = {"library": library_version(), "rules": RULES, "time_zone": settings.TIME_ZONE}
    if AppliedPriceBook.objects.filter(**now).exists():
        return
    with transaction.atomic():
        PRICE_LIBRARY.hold()
        before = AppliedPriceBook.objects.filter(pk=1).first()
        changed, corrected, until = _sync_library()
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
        if before is not None and corrected:
            enqueue_repricing(
                Repricing.Cause.CORRECTION,
                f"{now['library']} may correct earlier prices, too: {_listed(corrected)}",
                models=corrected,
                day_to=until + timedelta(days=1),  # days of the organisation, while the list's are in UTC
            )
        AppliedPriceBook.objects.update_or_create(pk=1, defaults=now)


def _sync_library() -> tuple[list[str], list[str], date]:
    """Update the snapshots to the installed version.

    Returns the models whose prices changed, those of them that keep their prices for earlier days, and the day until
    which they do.
    """
    version = library_version()
    until = list_date(datetime.now(UTC).date())
    changed: list[str] = []
    corrected: list[str] = []
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
            if row.library != version and (earlier := _kept_until(row, fresh, until)) is not None:
                row.earlier = earlier
                corrected.extend(requested_names(row.model))
        row.prices, row.library, row.missing_since = fresh.prices, fresh.library, ""
        row.save(update_fields=["prices", "earlier", "library", "missing_since"])
    return _with_priced_as(changed), _with_priced_as(corrected), until


def _kept_until(row: PriceSnapshot, fresh: PriceSnapshot, until: date) -> list[dict[str, Any]] | None:
    """The earlier prices of a model, including its last ones; None if the new list dates all its changes."""
    if row.prices is None or fresh.prices is None:
        return None  # a model without a price gets one on all days
    last = before_the_change(row.prices, fresh.prices)
    if last == fresh.prices:
        return None
    earlier = list(row.earlier or ())
    day = max(until.isoformat(), *(entry["until"] for entry in earlier)) if earlier else until.isoformat()
    return [*earlier, {"until": day, "library": row.library, "prices": last}]


@transaction.atomic
def accept_correction(offer: Repricing, *, by: User) -> None:
    """Price earlier days by the corrected prices from now on, and queue their repricing.

    Raises ValueError unless the row is an offer, or an offer that was declined.
    """
    PRICES.hold()
    row = Repricing.objects.select_for_update().get(pk=offer.pk)
    if row.state not in (Repricing.State.OFFERED, Repricing.State.DECLINED) or row.day_to is None:
        raise ValueError("This is not a correction that can be accepted.")
    forget_earlier_prices(row)
    row.state = Repricing.State.ACCEPTED
    row.save(update_fields=["state"])
    enqueue_repricing(Repricing.Cause.LIBRARY, row.reason, models=row.model_names, day_to=row.day_to, by=by)


def decline_correction(offer: Repricing) -> None:
    """Leave earlier days unchanged; the offer can still be accepted."""
    Repricing.objects.filter(pk=offer.pk, state=Repricing.State.OFFERED).update(state=Repricing.State.DECLINED)


def forget_earlier_prices(offer: Repricing) -> None:
    """Price the days of a correction by the list that introduced it, in the caller's transaction."""
    names = {listed for name in offer.model_names or () for listed in listed_names(name)}
    for row in PriceSnapshot.objects.filter(model__in=names, earlier__isnull=False).select_for_update():
        row.earlier = [entry for entry in row.earlier or () if entry["until"] >= str(offer.day_to)] or None
        row.save(update_fields=["earlier"])


def _with_priced_as(models: Sequence[str]) -> list[str]:
    return sorted({*models, *_priced_as(models)})


def _priced_as(changed: Sequence[str]) -> list[str]:
    """Models that an override prices like one of these models."""
    patterns = PriceOverride.objects.filter(same_as__in=changed).values_list("model", flat=True)
    return [name for name in models_used() if any(pattern_matches(pattern, name) for pattern in patterns)]


def _listed(models: Sequence[str]) -> str:
    shown = ", ".join(models[:5])
    return f"{shown} and {len(models) - 5} more" if len(models) > 5 else shown
