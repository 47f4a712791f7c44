"""Conflicting edits: detected by version, and shown next to the stored record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from core.forms import flat
from core.write_errors import ConflictError

NOTHING = "–"


@dataclass(frozen=True)
class Difference:
    """One field of one change."""

    field: str
    before: str
    after: str


def take_fields(stored: Any, fields: Mapping[str, Any], of_version: int, conflict: str, *, also: bool = False) -> bool:
    """Set the fields and the next version, without saving; returns whether anything changed.

    `also`: something besides these fields changes.  Raises ConflictError if somebody changed it since `of_version`.
    """
    if not also and all(getattr(stored, name) == value for name, value in fields.items()):
        return False
    if stored.version != of_version:
        raise ConflictError(conflict, stored)
    for name, value in fields.items():
        setattr(stored, name, value)
    stored.version += 1
    return True


def renumber(form: forms.BaseForm, field: str, number: int) -> None:
    """Makes the form an edit of version `number`, with the values that were sent: saving it replaces that version."""
    sent = QueryDict(mutable=True)
    sent.update(form.data)
    sent[field] = str(number)
    form.data = sent


def values_of(form: forms.BaseForm) -> dict[str, Any]:
    return {name: form[name].value() for name in form.fields}


def field_differences(form: forms.BaseForm, stored: Mapping[str, Any], prefix: str = "") -> Iterator[Difference]:
    """The visible fields whose stored value differs from the form's."""
    for name, field in form.fields.items():
        if field.widget.is_hidden or name not in stored:
            continue
        now, mine = shown_value(field, stored[name]), shown_value(field, form[name].value())
        if now != mine:
            yield Difference(f"{prefix}{field.label}", now, mine)


def shown_value(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.BooleanField):
        return "Yes" if value in (True, "on", "true", "True", "1") else "No"
    text = str(value if value is not None else "").replace("\r\n", "\n").strip()
    for key, label in flat(getattr(field, "choices", ())):
        if str(key) == text:
            return label.strip() if text else NOTHING
    return text or NOTHING
