"""A unit's working agreement: its terms in force on a day, its own ones, and setting them from a day on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Max

from core.write_errors import ConflictError
from integrations.models import WorkingAgreement
from integrations.models.working_agreements import TERMS
from orgtree.models import Unit, UnitPlacement

TOGETHER = (("hotfix_branches", "hotfix_labels"), ("work_starts_at", "work_ends_at"))
"""Terms that are one rule: a unit that sets one of them inherits none of the others."""


@dataclass(frozen=True)
class OwnTerms:
    """The terms that the unit itself agreed on, as of a day; without any, an unsaved agreement."""

    unit: Unit
    agreement: WorkingAgreement
    version: int  # another number after every change of the unit's agreement, 0 before the first

    @property
    def pk(self) -> str:
        return self.unit.slug


@dataclass(frozen=True)
class Term:
    """A term in force for a unit.  `agreed_by` is the agreement that it comes from; None if nobody agreed on it."""

    name: str
    value: Any
    agreed_by: WorkingAgreement | None


def own_terms(unit: Unit, day: date | None) -> OwnTerms:
    """The unit's own terms on that day; on None, those since the beginning."""
    rows = WorkingAgreement.objects.filter(unit=unit)
    held = rows.filter(during__contains=day) if day else rows.filter(during__startswith=None)
    latest = rows.aggregate(at=Max("noted_at"), pk=Max("pk"))
    version = int(latest["at"].timestamp() * 1_000_000) + latest["pk"] if latest["at"] else 0
    return OwnTerms(unit, held.first() or WorkingAgreement(unit=unit), version)


def terms_in_force(unit: Unit, day: date) -> Sequence[Term]:
    """All terms, in their order, each from the nearest unit at or above this one that agreed on it."""
    places = UnitPlacement.objects.filter(during__contains=day)
    above = places.filter(unit=unit).values_list("ancestor", flat=True)
    depths = {pk: places.filter(unit=pk).count() for pk in above}
    agreements = WorkingAgreement.objects.filter(unit__in=depths, during__contains=day).select_related("unit")
    nearest = sorted(agreements, key=lambda agreement: (-depths[agreement.unit_id], agreement.pk))
    return [_term(name, nearest) for name in TERMS]


def _term(name: str, nearest: Sequence[WorkingAgreement]) -> Term:
    rule = next((names for names in TOGETHER if name in names), (name,))
    for agreement in nearest:
        if any(getattr(agreement, one) is not None for one in rule):
            value = getattr(agreement, name)
            return Term(name, value, agreement if value is not None else None)
    return Term(name, None, None)


@transaction.atomic
def agree(
    unit: Unit, terms: dict[str, Any], *, start: date | None = None, of_version: int | None = None
) -> WorkingAgreement:
    """Set terms of the unit's working agreement from `start` on, until further notice; the past stays as it was.

    Terms that are not given keep their value on that day; None withdraws a term.  Raises ValidationError, and
    ConflictError with the stored OwnTerms if the unit's agreement was changed since `of_version`.
    """
    Unit.objects.select_for_update(no_key=True).get(pk=unit.pk)
    if of_version is not None and (stored_terms := own_terms(unit, start)).version != of_version:
        raise ConflictError("Somebody changed this agreement in the meantime.", stored_terms)
    stored = WorkingAgreement.objects.filter(unit=unit, during__overlap=DateRange(start, None))
    before = stored.order_by("during").first()
    holding = {name: getattr(before, name) for name in TERMS} if before and _holds_on(before, start) else {}
    for row in stored:
        if start is not None and (row.during.lower is None or row.during.lower < start):
            row.during = DateRange(row.during.lower, start)
            row.save(update_fields=["during"])
        else:
            row.delete()
    agreement = WorkingAgreement(unit=unit, during=DateRange(start, None), **{**holding, **terms})
    agreement.full_clean()
    agreement.save()
    return agreement


def _holds_on(agreement: WorkingAgreement, day: date | None) -> bool:
    first = agreement.during.lower
    return first is None or (day is not None and first <= day)
