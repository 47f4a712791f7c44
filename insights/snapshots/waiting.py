"""How far the cells are behind the facts."""

from __future__ import annotations

from insights.models import DirtyRange
from integrations.models import FactChange


def changes_waiting() -> int:
    """Fact changes nobody has looked at, and ranges of cells that have to be computed anew."""
    return FactChange.objects.count() + DirtyRange.objects.count()
