"""What the forms of the program have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from core.write_errors import FieldError


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
