"""Handles conflicting edits."""

from __future__ import annotations

from django import forms
from django.http import QueryDict


def renumber(form: forms.Form, field: str, number: int) -> None:
    """The form keeps what was sent and is of the newest version from now on: saved again, it takes that one's place."""
    sent = QueryDict(mutable=True)
    sent.update(form.data)
    sent[field] = str(number)
    form.data = sent
