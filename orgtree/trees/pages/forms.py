"""Forms that change a tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django import forms

from orgtree.models import OrgTree, Person, Unit
from orgtree.trees.placements import Rebuilt
from orgtree.trees.units import move_people, move_unit, remove_unit, take_out

MOVE_UNIT, REMOVE_UNIT, MOVE_PEOPLE, TAKE_OUT = "move-unit", "remove-unit", "move-people", "take-out"
MOST_PEOPLE = 500
NEEDED = {
    MOVE_UNIT: ("unit", "target"),
    REMOVE_UNIT: ("unit",),
    MOVE_PEOPLE: ("people", "target"),
    TAKE_OUT: ("people",),
}


class MoveForm(forms.Form):
    """Move a unit or people from a day on; without a day, for all time."""

    change = forms.ChoiceField(choices=[(change, change) for change in NEEDED])
    unit = forms.ModelChoiceField(Unit.objects.none(), to_field_name="slug", required=False)
    target = forms.ModelChoiceField(
        Unit.objects.none(),
        to_field_name="slug",
        required=False,
        error_messages={"invalid_choice": "There is no such unit in this tree."},
    )
    people = forms.ModelMultipleChoiceField(Person.objects.all(), required=False)
    on = forms.DateField(
        required=False, label="From", error_messages={"invalid": "Give the day as 2026-01-31, or leave it empty."}
    )

    def __init__(self, tree: OrgTree, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tree = tree
        for name in ("unit", "target"):
            cast("forms.ModelChoiceField[Unit]", self.fields[name]).queryset = Unit.objects.filter(tree=tree)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in NEEDED.get(cleaned.get("change", ""), ()):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, "Choose whom to move." if name == "people" else "Choose a unit.")
        if len(cleaned.get("people") or ()) > MOST_PEOPLE:
            self.add_error("people", f"Move at most {MOST_PEOPLE} people at a time.")
        return cleaned

    @property
    def lacks_target(self) -> bool:
        """Whether the move has no target yet."""
        return "target" in NEEDED.get(self.data.get("change", ""), ()) and not self.data.get("target")

    @property
    def sentence(self) -> str:
        """All errors in one sentence."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)

    def edit(self) -> Callable[[], Rebuilt]:
        """The edit of a valid form, to be run or previewed."""
        data = self.cleaned_data
        unit, target, on = data["unit"], data["target"], data["on"]
        people = [person.pk for person in data["people"]]
        edits: dict[str, Callable[[], Rebuilt]] = {
            MOVE_UNIT: lambda: move_unit(unit, target, on),
            REMOVE_UNIT: lambda: remove_unit(unit, on),
            MOVE_PEOPLE: lambda: move_people(people, target, on),
            TAKE_OUT: lambda: take_out(people, self.tree, on),
        }
        return edits[data["change"]]

    def title(self) -> str:
        """The move as a heading."""
        data = self.cleaned_data
        people = list(data.get("people") or ())
        named = people[0].full_name if len(people) == 1 else f"{len(people)} people"
        target = data.get("target") or "…"
        return {
            MOVE_UNIT: f"Move {data.get('unit')} below {target}",
            REMOVE_UNIT: f"Remove {data.get('unit')}",
            MOVE_PEOPLE: f"Move {named} to {target}",
            TAKE_OUT: f"Take {named} out of {self.tree}",
        }.get(data.get("change", ""), "Move")
