"""Differences between the stored objective and a conflicting edit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.edit_conflicts import NOTHING, Difference, field_differences, shown_value, values_of
from programs.objectives.pages.form import KeyResultForm, KeyResultRows, ObjectiveForm


def differences(form: ObjectiveForm, stored: ObjectiveForm) -> list[Difference]:
    """Field by field: what the objective says now, and what was written."""
    return [*field_differences(form, values_of(stored)), *_of_rows(form.rows, stored.rows.initial or ())]


def _of_rows(rows: KeyResultRows, stored_rows: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    """Rows of the same key result are compared; those that only one of both has are told whole."""
    by_id = {row["id"]: row for row in stored_rows}
    shown = set()
    for row, form in enumerate(rows.forms, start=1):
        if not form.is_filled:
            continue
        stored = form.stored
        known = by_id.get(stored.pk) if stored is not None else None
        if known is not None:
            shown.add(known["id"])
        if known is None:
            yield Difference(f"Key result {row}", NOTHING, _in_a_line(form))
        elif form["remove"].value():
            yield Difference(f"Key result {row}", str(known["title"]), "Removed")
        else:
            yield from field_differences(form, known, f"Key result {row}: ")
    for known in stored_rows:
        if known["id"] not in shown:
            yield Difference("Key result", str(known["title"]), NOTHING)


def _in_a_line(form: KeyResultForm) -> str:
    values = [shown_value(form.fields[name], form[name].value()) for name in ("title", "metric", "target")]
    return ", ".join(word for word in values if word != NOTHING) or NOTHING
