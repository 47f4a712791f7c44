"""Writes the focus of a unit: one metric at a time, and at most five key indicators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from orgtree.access.access import Access
from programs.benchmarks.queries.focus import newest_focus
from programs.benchmarks.services.drafts import checked_reason, metric_of, unit_led
from programs.benchmarks.services.starter_sets import STARTER_SETS
from programs.models import FocusVersion
from programs.models.focus import MOST_INDICATORS


@dataclass(frozen=True)
class FocusDraft:
    """`unit` is a slug (empty: the whole organisation); `metric` may be empty: no focus for now."""

    unit: str
    metric: str
    indicators: tuple[str, ...]
    reason: str
    starter_set: str = ""


def set_focus(access: Access, draft: FocusDraft, *, of_number: int, at: datetime | None = None) -> FocusVersion:
    """A new version after `of_number` (0: there was none); `at` tells of one that was chosen earlier.

    What is the same as before is refused.  Raises FieldError, MayNotWriteError, ConflictError.
    """
    if not isinstance(access.viewer, User):
        raise MayNotWriteError("Sign in with an account: a token without an account cannot choose a focus.")
    unit = unit_led(draft.unit, access.visibility)
    indicators = _indicators(draft.indicators)
    if draft.metric:
        metric_of(draft.metric)
    newest = newest_focus(unit.pk if unit else None)
    if (newest.number if newest else 0) != of_number:
        raise ConflictError("the focus", newest)
    if (newest.metric if newest else "", tuple(newest.indicators) if newest else ()) == (draft.metric, indicators):
        raise FieldError("metric", "Nothing changed.")
    try:
        with transaction.atomic():
            return FocusVersion.objects.create(
                unit=unit,
                number=of_number + 1,
                metric=draft.metric,
                indicators=list(indicators),
                starter_set=draft.starter_set,
                reason=checked_reason(draft.reason),
                written_by=access.viewer,
                **({"written_at": at} if at else {}),
            )
    except IntegrityError:  # somebody stored the same number at the same moment
        raise ConflictError("the focus", newest_focus(unit.pk if unit else None)) from None


def begin_with(access: Access, slug: str, unit: str, *, of_number: int) -> FocusVersion:
    """The indicators of a starter set in place of those that are there; the focus metric stays.  Raises as above."""
    led = unit_led(unit, access.visibility)
    chosen = STARTER_SETS.get(slug)
    if chosen is None:
        raise FieldError("starter_set", f"One of: {', '.join(STARTER_SETS)}.")
    newest = newest_focus(led.pk if led else None)
    draft = FocusDraft(
        unit=unit,
        metric=newest.metric if newest else "",
        indicators=tuple(metric.key for metric in chosen.metrics),
        reason=f"Started with the starter set {chosen.name}.",
        starter_set=slug,
    )
    return set_focus(access, draft, of_number=of_number)


def _indicators(keys: tuple[str, ...]) -> tuple[str, ...]:
    chosen = tuple(key for key in keys if key)
    if len(set(chosen)) < len(chosen):
        raise FieldError("indicators", "An indicator is chosen twice.")
    if len(chosen) > MOST_INDICATORS:
        raise FieldError(
            "indicators", f"At most {MOST_INDICATORS} key indicators: with more nobody knows what matters."
        )
    for key in chosen:
        try:
            metric_of(key)
        except FieldError as problem:
            raise FieldError("indicators", problem.message) from None
    return chosen
