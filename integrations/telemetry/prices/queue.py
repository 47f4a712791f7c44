"""Queue of repricings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from celery import signature

from core.nudges import nudge_on_commit
from integrations.models import PriceSnapshot, Repricing
from integrations.telemetry.prices.sellers import requested_names

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LONGEST_REASON = 400
REPRICE = signature("integrations.telemetry.tasks.reprice_waiting")  # by name, because tasks import it


def models_used() -> list[str]:
    """The names of all models ever used, sorted."""
    listed = PriceSnapshot.objects.values_list("model", flat=True)
    return sorted({name for model in listed for name in requested_names(model)})


def enqueue_repricing(
    cause: Repricing.Cause,
    reason: str,
    *,
    models: Sequence[str] | None = None,
    agent: str = "",
    day_from: date | None = None,
    day_to: date | None = None,
    by: User | None = None,
) -> Repricing:
    """Queue requests of these models (None: all) and that agent, on days [from, to), for repricing."""
    repricing = Repricing.objects.create(
        cause=cause,
        reason=reason[:LONGEST_REASON],
        model_names=None if models is None else list(models),
        agent=agent,
        day_from=day_from,
        day_to=day_to,
        requested_by=by,
    )
    nudge_on_commit(REPRICE)
    return repricing
