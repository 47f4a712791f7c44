"""Target shares of investment categories, by unit and quarter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from core.write_errors import FieldError
from integrations.models import InvestmentCategory, InvestmentTarget
from orgtree.models import Unit, UnitPlacement

WHOLE = Decimal(100)


@dataclass(frozen=True)
class Targets:
    """The target shares in force for a unit and quarter, by category; `unit` is the one that set them.

    Without a unit they are those of the whole organisation, or, if there are no shares, nobody set any.
    """

    unit: Unit | None = None
    shares: Mapping[int, Decimal] = field(default_factory=dict)


def targets_in_force(unit: Unit | None, quarter_start: date) -> Targets:
    """The targets of the unit, else of the nearest unit above that has any, else of the whole organisation."""
    above: list[int | None] = [None]
    if unit is not None:
        placed = UnitPlacement.objects.filter(unit=unit, during__contains=quarter_start).values_list(
            "ancestor_id", flat=True
        )
        depth = {
            ancestor: UnitPlacement.objects.filter(unit=ancestor, during__contains=quarter_start).count()
            for ancestor in placed
        }
        above = [unit.pk, *sorted(depth.keys() - {unit.pk}, key=lambda one: -depth[one]), None]
    stored: dict[int | None, dict[int, Decimal]] = {}
    for target in InvestmentTarget.objects.filter(quarter_start=quarter_start):
        stored.setdefault(target.unit_id, {})[target.category_id] = target.share
    owner = next((one for one in above if one in stored), None)
    if owner not in stored:
        return Targets()
    return Targets(Unit.objects.filter(pk=owner).first() if owner else None, stored[owner])


def own_targets(unit: Unit | None, quarter_start: date) -> Mapping[int, Decimal]:
    """The target shares that the unit itself set, by category."""
    own = InvestmentTarget.objects.filter(unit=unit, quarter_start=quarter_start)
    return dict(own.values_list("category_id", "share"))


@transaction.atomic
def set_targets(
    unit: Unit | None, quarter_start: date, shares: Mapping[int, Decimal | None], *, by: User | None
) -> None:
    """Set the unit's target shares of a quarter; a category without one has none.

    Raises FieldError if they sum to more than 100 %.
    """
    given = {category: share for category, share in shares.items() if share is not None}
    if sum(given.values()) > WHOLE:
        raise FieldError("shares", f"Together they are {sum(given.values()):f}%. Leave at most 100% to share out.")
    InvestmentCategory.objects.select_for_update().filter(pk__in=given).count()
    own = InvestmentTarget.objects.filter(unit=unit, quarter_start=quarter_start)
    own.exclude(category__in=given).delete()
    stored = {target.category_id: target for target in own.select_for_update()}
    for category, share in given.items():
        target = stored.get(category) or InvestmentTarget(unit=unit, quarter_start=quarter_start, category_id=category)
        if target.pk is None or target.share != share:
            target.share, target.set_by, target.set_at = share, by, Now()
            target.save()
