"""What forms have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpRequest

from core.write_errors import FieldError

LONGEST_NUMBER = 10  # digits: below the greatest of a database's integers
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


def posted_number(request: HttpRequest, name: str) -> int:
    """A field of a form; 0 for what is no whole number."""
    word = request.POST.get(name, "")
    return int(word) if word.isascii() and word.isdecimal() and len(word) < LONGEST_NUMBER else 0
