"""Forms for records of a unit, and the units that they offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from django import forms

from core.write_forms import WriteForm
from insights.query.windows import local_today
from insights.ui.scope_bar import EVERYBODY
from orgtree.models import OrgTree, Unit
from orgtree.models.visibility import Visibility
from orgtree.trees.units_as_of import UnitAsOf, one_of_the_same_people, units_as_of
from programs.teams.fields import units_led

WHOLE = ":organisation"  # instead of a unit's slug, which has no colon


class UnitForm(WriteForm):
    """A form for a record of a unit, or of the whole organisation."""

    unit = forms.ChoiceField(label="Unit")

    def given(self) -> dict[str, Any]:
        data = super().given()
        return {**data, "unit": "" if data["unit"] == WHOLE else data["unit"]}


class OwnedForm(UnitForm):
    """A form for a record with an owner."""

    owner = forms.CharField(
        label="Owner",
        required=False,
        widget=forms.EmailInput(attrs={"list": "owners", "autocomplete": "off"}),
        help_text="By e-mail address.",
    )


def word_of(unit: Unit | None) -> str:
    """The value of a form's unit field."""
    return unit.slug if unit else WHOLE


class OfUnit(Protocol):
    @property
    def unit(self) -> Any: ...


class UnitChoices(list[tuple[str, str]]):
    """Choices of units, one of several units with the same people; a form also offers those of `others` that it
    names.
    """

    def __init__(self, units: Sequence[UnitAsOf]) -> None:
        offered, rest = one_of_the_same_people(units)
        super().__init__((unit.slug, unit.indented_name) for unit in offered)
        self.others = [(unit.slug, unit.name) for unit in rest]


def units_to_write_for(visibility: Visibility, *, stored: OfUnit | None = None) -> UnitChoices:
    """Choices of units: those of today's trees that the viewer leads, and the stored record's."""
    units = UnitChoices(units_led(visibility))
    if stored is not None and stored.unit is not None and stored.unit.slug not in dict(units):
        units.insert(0, (stored.unit.slug, stored.unit.name))
    if visibility.leads_whole or (stored is not None and stored.unit is None):
        units.insert(0, (WHOLE, EVERYBODY))
    return units


def units_to_see(visibility: Visibility, *, stored: OfUnit | None = None) -> UnitChoices:
    """Choices of units: those of today's trees whose figures the viewer may see, and the stored record's."""
    units = UnitChoices(units_seen(visibility))
    if stored is not None and stored.unit is not None and stored.unit.slug not in dict(units):
        units.insert(0, (stored.unit.slug, stored.unit.name))
    if visibility.whole:
        units.insert(0, (WHOLE, EVERYBODY))
    return units


def units_seen(visibility: Visibility) -> list[UnitAsOf]:
    """Units of today's trees whose figures the viewer may see, each before those below it."""
    trees = OrgTree.objects.filter(archived_at=None).order_by("pk")
    return [unit for unit in units_as_of(trees, on=local_today()) if visibility.can_see(unit.id)]


def offer(form: forms.BaseForm, field: str, choices: Any) -> None:
    """Sets the choices of the form's field."""
    others = choices.others if isinstance(choices, UnitChoices) else ()
    value = form[field].value() if others else None
    named = value if isinstance(value, list | tuple) else [value]
    offered = [*choices, *(other for other in others if other[0] in named)]
    cast(forms.ChoiceField, form.fields[field]).choices = offered
