"""Unit choices of the program's forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django import forms

from insights.ui.scope_bar import EVERYBODY
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.teams.writing_for import units_led

WHOLE = ":organisation"  # in place of a unit's slug, which holds no colon


def units_to_write_for(
    visibility: Visibility, *, stored: Unit | None = None, is_stored_of_whole: bool = False
) -> list[tuple[str, str]]:
    """Those that the viewer leads and that stand in a tree today, and the one of what is being changed."""
    units = [(unit.slug, unit.indented_name) for unit in units_led(visibility)]
    if stored is not None and stored.slug not in dict(units):
        units.insert(0, (stored.slug, stored.name))
    if visibility.leads_whole or is_stored_of_whole:
        units.insert(0, (WHOLE, EVERYBODY))
    return units


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
