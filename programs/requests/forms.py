"""What the forms of the program have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from core.write_errors import FieldError

LONG = 200  # characters: such a text gets a row of its own


def show_error(form: forms.BaseForm, problem: FieldError) -> None:
    """At its field, where the form has that."""
    form.add_error(problem.field if problem.field in form.fields else None, problem.message)


def flat(choices: Any) -> Iterator[tuple[Any, str]]:
    """Choices without the groups in which they are offered."""
    for key, label in choices:
        if isinstance(label, (list, tuple)):
            yield from flat(label)
        else:
            yield key, str(label)


def rows_of(form: forms.BaseForm) -> list[list[forms.BoundField]]:
    """Its visible fields in their order: long texts alone, others in pairs."""
    rows: list[list[forms.BoundField]] = []
    for field in form.visible_fields():
        if rows and len(rows[-1]) == 1 and not _is_long(rows[-1][0]) and not _is_long(field):
            rows[-1].append(field)
        else:
            rows.append([field])
    return rows


def _is_long(field: forms.BoundField) -> bool:
    return isinstance(field.field.widget, forms.Textarea) or (getattr(field.field, "max_length", None) or 0) >= LONG
