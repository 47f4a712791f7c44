"""Adds check-ins.  They are immutable: a correction is another check-in."""

from __future__ import annotations

import math
from collections.abc import Mapping

from django.db import transaction

from core.authorship import changes_by
from core.write_errors import FieldError, checked_text
from insights.query import windows
from orgtree.access.access import Access
from programs.key_results.services.fields import GREATEST
from programs.key_results.services.measuring import measure_batch
from programs.models import CheckIn, KeyResult, Objective
from programs.objectives.services.writing import locked_to_change
from programs.requests.visible import account_of

LONGEST_NOTE = 20_000  # characters


def check_in(
    access: Access,
    objective: Objective,
    *,
    confidence: str,
    key_result: int | None = None,
    note: str = "",
    value: float | None = None,
) -> CheckIn:
    """Checks in on an objective that the account can change; `value` is for a key result entered by hand.

    Raises FieldError, MayNotWriteError.
    """
    account = account_of(access)
    with changes_by(account):
        stored = locked_to_change(access, objective)
        about = _key_result(stored, key_result)
        _check(stored, confidence, value, about)
        note = checked_text("note", note, LONGEST_NOTE)
        written = CheckIn.objects.create(
            objective=stored, key_result=about, by=account, confidence=confidence, note=note, value=value
        )
        if about is not None and value is not None:
            about.hand_value = value
            about.save(update_fields=["hand_value"])
        measure_batch(Objective.objects.filter(pk=stored.pk), today=windows.local_today())
    written.refresh_from_db(fields=["at"])
    return written


def check_in_values(
    access: Access, objective: Objective, *, confidence: str, values: Mapping[int, float], note: str = ""
) -> list[CheckIn]:
    """Adds a check-in for each new value (by key result), all or none; the note is stored once, with the first.

    Without a value, adds one check-in with the note alone.  Raises as `check_in`.
    """
    if not values:
        return [check_in(access, objective, confidence=confidence, note=note)]
    with transaction.atomic():
        return [
            check_in(
                access,
                objective,
                confidence=confidence,
                note="" if position else note,
                key_result=key_result,
                value=value,
            )
            for position, (key_result, value) in enumerate(values.items())
        ]


def _key_result(objective: Objective, pk: int | None) -> KeyResult | None:
    if pk is None:
        return None
    key_result = objective.key_results.filter(pk=pk).first()
    if key_result is None:
        raise FieldError("key_result", "This objective has no such key result.")
    return key_result


def _check(objective: Objective, confidence: str, value: float | None, about: KeyResult | None) -> None:
    if objective.published_at is None:
        raise FieldError("objective", "A draft cannot have check-ins: publish it first.")
    if confidence not in CheckIn.Confidence.values:
        raise FieldError("confidence", f"One of: {', '.join(CheckIn.Confidence.values)}.")
    if value is None:
        return
    if about is None:
        raise FieldError("key_result", "Name the key result of the value.")
    if not about.is_by_hand:
        source = "metric" if about.metric else "initiative"
        raise FieldError("value", f"“{about.title}” is read from its {source}: do not enter a value.")
    if not math.isfinite(value) or abs(value) > GREATEST:
        raise FieldError("value", "It must be a number.")
