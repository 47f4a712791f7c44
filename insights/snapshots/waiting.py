"""How far the cells are behind the facts."""

from __future__ import annotations

from insights.models import DirtyRange
from integrations.models import FactChange
from orgtree.models import PlacementChange


def changes_waiting() -> int:
    """Changes of facts and placements nobody has looked at, and ranges of cells that have to be computed anew."""
    return FactChange.objects.count() + PlacementChange.objects.count() + DirtyRange.objects.count()
