"""The units for which a viewer may enter values."""

from __future__ import annotations

from django.utils import timezone

from integrations.hand_kept.values import keeps
from integrations.models import HandKeptMetric
from orgtree.access.access import Access
from orgtree.models import OrgTree
from orgtree.trees.units_as_of import UnitAsOf, units_as_of


def enterable_units(access: Access, metric: HandKeptMetric) -> list[UnitAsOf]:
    """Those that stand in a tree today, each before those below it."""
    current = units_as_of(OrgTree.objects.filter(archived_at=None).order_by("pk"), on=timezone.localdate())
    if keeps(access, metric):
        return current
    return [unit for unit in current if access.visibility.leads(unit.id)]
