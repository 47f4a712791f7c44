"""Sets a unit's working agreement from a day on."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from integrations.models import WorkingAgreement
from orgtree.models import Unit

WORDS = (
    *("size_thresholds", "hotfix_branches", "hotfix_labels", "trunk", "sprint_grace_days"),
    *("work_starts_at", "work_ends_at"),
)


@transaction.atomic
def agree(unit: Unit, words: dict[str, Any], *, start: date | None = None) -> WorkingAgreement:
    """Set terms of the unit's working agreement from `start` on, until further notice; the past stays as it was.

    Terms that are not given keep their value on that day; None withdraws a term.  Raises ValidationError.
    """
    Unit.objects.select_for_update(no_key=True).get(pk=unit.pk)
    stored = WorkingAgreement.objects.filter(unit=unit, during__overlap=DateRange(start, None))
    before = stored.order_by("during").first()
    holding = {name: getattr(before, name) for name in WORDS} if before and _holds_on(before, start) else {}
    for row in stored:
        if start is not None and (row.during.lower is None or row.during.lower < start):
            row.during = DateRange(row.during.lower, start)
            row.save(update_fields=["during"])
        else:
            row.delete()
    agreement = WorkingAgreement(unit=unit, during=DateRange(start, None), **{**holding, **words})
    agreement.full_clean()
    agreement.save()
    return agreement


def _holds_on(agreement: WorkingAgreement, day: date | None) -> bool:
    first = agreement.during.lower
    return first is None or (day is not None and first <= day)
