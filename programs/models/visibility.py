"""Visibility rules of the program.

A published record is visible to everybody whom it concerns: those who may see the unit, everybody below it (whose goals
support the unit's goals), and, for the whole organisation, everybody.  Drafts are visible to those who answer for the
unit.  Figures inside are a separate matter: they are read through `insights.privacy.visible`, which withholds them
where necessary.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from orgtree.models import UnitPlacement
from orgtree.models.visibility import Visibility

EVERYTHING = ~Q(pk__in=[])
"""Matches every row.  An empty Q would not: it vanishes when it is combined with another by OR."""


def concerns(visibility: Visibility, unit: str = "unit") -> Q:
    """Rows whose `unit` the viewer may see, or is above one of those today; rows without a unit are everybody's."""
    if visibility.unit_ids is None:
        return EVERYTHING
    below = UnitPlacement.objects.filter(
        ancestor=OuterRef(unit), unit__in=visibility.unit_ids, during__contains=timezone.localdate()
    )
    return Q(**{unit: None}) | Q(**{f"{unit}__in": visibility.unit_ids}) | Q(Exists(below))


def led_by(visibility: Visibility, unit: str = "unit") -> Q:
    """Rows of units that the viewer answers for; those of the whole organisation are led by executives and admins."""
    return EVERYTHING if visibility.leads_whole else Q(**{f"{unit}__in": visibility.managed_ids})
