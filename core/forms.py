"""Helpers for forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict

from core.write_errors import FieldError

LONGEST_NUMBER = 10  # digits; below the largest integer of a database column
LONG = 200  # characters; a longer field gets its own row


def show_error(form: forms.BaseForm, problem: FieldError) -> None:
    """Show the error at its field, or above the form if it has no such field."""
    form.add_error(problem.field if problem.field in form.fields else None, problem.message)


def flat(choices: Any) -> Iterator[tuple[Any, str]]:
    """The choices of all groups."""
    for key, label in choices:
        if isinstance(label, (list, tuple)):
            yield from flat(label)
        else:
            yield key, str(label)


def rows_of(form: forms.BaseForm) -> list[list[forms.BoundField]]:
    """The visible fields in order: long texts alone, others in pairs."""
    rows: list[list[forms.BoundField]] = []
    for field in form.visible_fields():
        if rows and len(rows[-1]) == 1 and not _is_long(rows[-1][0]) and not _is_long(field):
            rows[-1].append(field)
        else:
            rows.append([field])
    return rows


def _is_long(field: forms.BoundField) -> bool:
    return isinstance(field.field.widget, forms.Textarea) or (getattr(field.field, "max_length", None) or 0) >= LONG


def posted(request: HttpRequest) -> QueryDict | None:
    """The data of a posted form, which may be empty; None for any other request."""
    return request.POST if request.method == "POST" else None


def posted_number(request: HttpRequest, name: str) -> int:
    """A field of the posted form as a whole number; 0 if it is not one."""
    word = request.POST.get(name, "")
    return int(word) if word.isascii() and word.isdecimal() and len(word) < LONGEST_NUMBER else 0
