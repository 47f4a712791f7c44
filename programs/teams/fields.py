"""Unit and owner of written records: serializer fields, the units that somebody may write for, and suggested owners."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rest_framework import serializers

from core.write_errors import FieldError, MayNotWriteError
from insights.query import windows
from orgtree.models import OrgTree, Person, Placement, Unit, UnitPlace
from orgtree.models.visibility import Visibility
from orgtree.trees.units_as_of import UnitAsOf, units_as_of
from programs.requests.model_fields import NamedField

MOST_SUGGESTED = 200  # owners offered by name; others are given by address


class LedUnitField(NamedField):
    """A unit that the writer leads, by slug; none means the whole organisation.  `things` names the written records."""

    def __init__(self, things: str, *, must_stand: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.things, self.must_stand = things, must_stand

    def find(self, name: str) -> Unit | None:
        return unit_to_write_for(name, self.context["access"].visibility, self.things, must_stand=self.must_stand)

    def name_of(self, value: Unit | None) -> str:
        return value.slug if value else ""


class SeenUnitField(NamedField):
    """A unit whose figures the writer may see, by slug; none means the whole organisation."""

    def find(self, name: str) -> Unit | None:
        return seen_unit(name, self.context["access"].visibility)

    def name_of(self, value: Unit | None) -> str:
        return value.slug if value else ""


class OwnerField(NamedField):
    """A person by e-mail address; an owner without an address stays until somebody else is chosen.

    If `missing`, the error message, is given, an owner is required; a record that had none may stay without.
    """

    def __init__(self, *, missing: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.missing = missing

    def find(self, name: str) -> Person | None:
        if not name and self.missing:
            raise serializers.ValidationError(self.missing)
        if not name:
            return None
        person = Person.objects.filter(email__iexact=name).first()
        if person is None:
            raise serializers.ValidationError(
                f"Nobody with the address {name[:80]} is known. See People for all addresses."
            )
        if not is_here(person):
            raise serializers.ValidationError(f"{person.full_name} has left: choose somebody else.")
        return person

    def name_of(self, value: Person | None) -> str:
        return (value.email or "") if value else ""

    def to_representation(self, value: Any) -> Any:
        """The owner's address, if the reader may know who it is."""
        return self.context["access"].address_of(value)


def seen_unit(slug: str, visibility: Visibility, field: str = "unit") -> Unit | None:
    """The unit with that slug, whose figures the viewer may see; None for the whole organisation.  Raises
    FieldError.
    """
    if not slug:
        if not visibility.whole:
            raise FieldError(field, "Choose a unit: you may not see figures of the whole organisation.")
        return None
    return _unit_within(slug, visibility, field)


def _unit_within(slug: str, visibility: Visibility, field: str) -> Unit:
    """The unit with this slug.  Raises FieldError if it is unknown or hidden."""
    unit = Unit.objects.within(visibility).filter(slug=slug).first() if "\x00" not in slug else None
    if unit is None:
        named = slug[:80].replace("\x00", "")
        raise FieldError(field, f"There is no unit “{named}”, or you may not see it.")
    return unit


def is_here(person: Person) -> bool:
    return Person.objects.there_on(windows.local_today()).filter(pk=person.pk).exists()


def units_led(visibility: Visibility) -> list[UnitAsOf]:
    """Units of today's trees that the viewer leads, each before those below it.

    Parents that the viewer does not lead are left out: a manager may not know of the unit above.
    """
    trees = OrgTree.objects.filter(archived_at=None).order_by("pk")
    current_units = units_as_of(trees, on=windows.local_today())
    return [
        unit if visibility.leads(unit.parent_id) else replace(unit, parent_id=None, parent_slug=None)
        for unit in current_units
        if visibility.leads(unit.id)
    ]


def unit_to_write_for(slug: str, visibility: Visibility, things: str, *, must_stand: bool = True) -> Unit | None:
    """The unit with that slug, led by the viewer; None for the whole organisation.  `things` names the written records.

    Raises FieldError for a unit that does not exist or (with `must_stand`) is in no tree today, MayNotWriteError.
    """
    if not slug:
        if not visibility.leads_whole:
            raise MayNotWriteError(f"{things} of the whole organisation can be written only by executives and admins.")
        return None
    unit = _unit_within(slug, visibility, "unit")
    if not visibility.leads(unit.pk):
        raise MayNotWriteError(f"{things} of {unit.name} can be written only by its managers, executives and admins.")
    if must_stand and not exists_today(unit):
        raise FieldError("unit", f"{unit.name} is no longer in any Org Tree: choose a current unit.")
    return unit


def exists_today(unit: Unit) -> bool:
    """Whether the unit has a place today in a tree that is in use."""
    places = UnitPlace.objects.filter(unit=unit, during__contains=windows.local_today())
    return places.filter(unit__tree__archived_at=None).exists()


def suggested_owners(visibility: Visibility) -> list[Person]:
    """People of the units that the viewer leads, by name."""
    today = windows.local_today()
    people = Person.objects.exclude(email=None).order_by("full_name")
    if not visibility.leads_whole:
        placed = Placement.objects.filter(ancestor__in=visibility.managed_ids, during__contains=today)
        people = people.filter(pk__in=placed.values("person"))
    return list(people[:MOST_SUGGESTED])
