"""Units that the viewer may write for, and suggested owners."""

from __future__ import annotations

from dataclasses import replace

from insights.query import windows
from orgtree.models import OrgTree, Person, Placement
from orgtree.models.visibility import Visibility
from orgtree.trees.units_as_of import UnitAsOf, units_as_of

MOST_SUGGESTED = 200  # owners offered by name; whoever is not among them is named by address


def units_led(visibility: Visibility) -> list[UnitAsOf]:
    """Those that the viewer leads and that stand in a tree today, each before those below it.

    Of others not even which one they stand in is told: a manager may not know of the unit above.
    """
    trees = OrgTree.objects.filter(archived_at=None).order_by("pk")
    current_units = units_as_of(trees, on=windows.local_today())
    return [
        unit if visibility.leads(unit.parent_id) else replace(unit, parent_id=None, parent_slug=None)
        for unit in current_units
        if visibility.leads(unit.id)
    ]


def suggested_owners(visibility: Visibility) -> list[Person]:
    """People of the units that the viewer leads, by name."""
    today = windows.local_today()
    people = Person.objects.exclude(email=None).order_by("full_name")
    if not visibility.leads_whole:
        placed = Placement.objects.filter(ancestor__in=visibility.managed_ids, during__contains=today)
        people = people.filter(pk__in=placed.values("person"))
    return list(people[:MOST_SUGGESTED])
