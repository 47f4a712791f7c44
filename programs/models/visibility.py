"""Visibility rules of the program.

What is published stands before everybody whom it concerns: those who may look at the unit, everybody below it (whose
goals serve the unit's goals), and for the whole organisation everybody.  Drafts are seen by those who answer for the
unit.  Figures inside are another matter: they are read through `insights.privacy.visible`, which withholds by itself.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from orgtree.models import UnitPlacement
from orgtree.models.visibility import Visibility

EVERYTHING = ~Q(pk__in=[])
"""Every row.  An empty Q will not do: it vanishes when it is joined to another by OR."""


def concerns(visibility: Visibility, unit: str = "unit") -> Q:
    """Rows whose `unit` the viewer may look at, or stands above one of those today; without a unit, everybody's."""
    if visibility.unit_ids is None:
        return EVERYTHING
    below = UnitPlacement.objects.filter(
        ancestor=OuterRef(unit), unit__in=visibility.unit_ids, during__contains=timezone.localdate()
    )
    return Q(**{unit: None}) | Q(**{f"{unit}__in": visibility.unit_ids}) | Q(Exists(below))


def led_by(visibility: Visibility, unit: str = "unit") -> Q:
    """Rows of units that the viewer answers for; those of the whole organisation are led by executives and admins."""
    return EVERYTHING if visibility.leads_whole else Q(**{f"{unit}__in": visibility.managed_ids})
