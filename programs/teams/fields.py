"""Unit and owner of what is written."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from insights.query import windows
from orgtree.models import Person, Unit
from programs.requests.model_fields import NamedField
from programs.teams.writing_for import unit_to_write_for


class LedUnitField(NamedField):
    """A unit that the writer leads, by its slug; none is the whole organisation.  `things` are what is written."""

    def __init__(self, things: str, *, must_stand: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.things, self.must_stand = things, must_stand

    def find(self, name: str) -> Unit | None:
        return unit_to_write_for(name, self.context["access"].visibility, self.things, must_stand=self.must_stand)

    def name_of(self, value: Unit | None) -> str:
        return value.slug if value else ""


class OwnerField(NamedField):
    """A person by their e-mail address; whoever has none can't be named, and stays until somebody else is."""

    def find(self, name: str) -> Person | None:
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
        """As far as the reader may know who it is."""
        return self.context["access"].address_of(value)


def is_here(person: Person) -> bool:
    return Person.objects.there_on(windows.local_today()).filter(pk=person.pk).exists()
