"""Differences between the stored objective and a conflicting edit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms

from programs.history.labels import Difference
from programs.objectives.pages.form import KeyResultForm, KeyResultRows, ObjectiveForm
from programs.teams.pages import flat

UNDISCLOSED = ("version", "template", "id", "remove")
NOTHING = "–"


def differences(
    form: ObjectiveForm, rows: KeyResultRows, stored: Mapping[str, Any], stored_rows: Sequence[Mapping[str, Any]]
) -> list[Difference]:
    """Field by field: what the objective says now, and what was written."""
    return [*_of_fields(form, stored, ""), *_of_rows(rows, stored_rows)]


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
            yield from _of_fields(form, known, f"Key result {row}: ")
    for known in stored_rows:
        if known["id"] not in shown:
            yield Difference("Key result", str(known["title"]), NOTHING)


def _of_fields(form: forms.Form, stored: Mapping[str, Any], prefix: str) -> Iterator[Difference]:
    for name, field in form.fields.items():
        if name in UNDISCLOSED:
            continue
        now, mine = _shown(field, stored.get(name)), _shown(field, form[name].value())
        if now != mine:
            yield Difference(f"{prefix}{field.label}", now, mine)


def _in_a_line(form: KeyResultForm) -> str:
    values = [_shown(form.fields[name], form[name].value()) for name in ("title", "metric", "target")]
    return ", ".join(word for word in values if word != NOTHING) or NOTHING


def _shown(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.BooleanField):
        return "Yes" if value in (True, "on", "true", "True", "1") else "No"
    text = str(value if value is not None else "").replace("\r\n", "\n").strip()
    for key, label in flat(getattr(field, "choices", ())):
        if str(key) == text:
            return label.strip() if text else NOTHING
    return text or NOTHING
