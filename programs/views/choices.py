"""What forms of the program offer: units that somebody writes for, and people who could own what is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django import forms

from insights import windows
from insights.views.scope_bar import EVERYBODY
from orgtree.models import OrgTree, Person, Placement, Unit
from orgtree.models.sight import Sight
from orgtree.queries.standing import standing_units

MOST_SUGGESTED = 200  # owners offered by name; whoever is not among them is named by address
WHOLE = ":organisation"  # in place of a unit's slug, which holds no colon


def units_to_write_for(
    sight: Sight, *, stored: Unit | None = None, is_stored_of_whole: bool = False
) -> list[tuple[str, str]]:
    """Those that the viewer leads and that stand in a tree today, and the one of what is being changed."""
    trees = OrgTree.objects.filter(archived_at=None).order_by("pk")
    standing = standing_units(trees, on=windows.local_today())
    units = [(unit.slug, unit.indented_name) for unit in standing if sight.leads(unit.id)]
    if stored is not None and stored.slug not in dict(units):
        units.insert(0, (stored.slug, stored.name))
    if sight.leads_whole or is_stored_of_whole:
        units.insert(0, (WHOLE, EVERYBODY))
    return units


def suggested_owners(sight: Sight) -> list[Person]:
    """People of the units that the viewer leads, by name."""
    today = windows.local_today()
    people = Person.objects.exclude(email=None).order_by("full_name")
    if not sight.leads_whole:
        placed = Placement.objects.filter(ancestor__in=sight.managed_ids, during__contains=today)
        people = people.filter(pk__in=placed.values("person"))
    return list(people[:MOST_SUGGESTED])


def offer(form: forms.Form, field: str, choices: Any) -> None:
    """Have the form's choice field offer these."""
    cast(forms.ChoiceField, form.fields[field]).choices = choices


def flat(choices: Any) -> Iterator[tuple[Any, str]]:
    """Choices without the groups in which they are offered."""
    for key, label in choices:
        if isinstance(label, (list, tuple)):
            yield from flat(label)
        else:
            yield key, str(label)
