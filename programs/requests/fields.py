"""Reads parameters of API requests.

Invalid input raises FieldError; the response is a 400 that names the field.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from core.write_errors import FieldError

LONGEST_ID = 16  # digits; the database's numbers end at 19


def parameter(request: Request, name: str) -> str:
    """A query parameter; empty if omitted."""
    return request.query_params.get(name, "").strip()


def boolean_parameter(request: Request, name: str) -> bool:
    """Whether the parameter is `yes`.  Raises FieldError for any other word."""
    value = parameter(request, name)
    if value not in ("", "yes"):
        raise FieldError(name, "yes, or leave it out.")
    return bool(value)


def day(name: str, word: str) -> date | None:
    """The day that the text names; None if it is empty.  Raises FieldError."""
    try:
        return date.fromisoformat(word) if word else None
    except ValueError:
        raise FieldError(name, f"“{word[:40]}” is not a day such as 2026-11-30.") from None


class ByIdField(serializers.DictField):
    """An object keyed by ids; `of` says of what."""

    def __init__(self, *, of: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.of = of
        self.error_messages["not_a_dict"] = f"It must be an object, by the ids of {of}."

    def to_internal_value(self, data: Any) -> dict[int, Any]:
        given = super().to_internal_value(data)
        wrong = next((key for key in given if not (key.isdecimal() and len(key) < LONGEST_ID)), None)
        if wrong is not None:
            raise serializers.ValidationError({wrong[:40]: f"It must be by the ids of {self.of}."})
        return {int(key): entry for key, entry in given.items()}
