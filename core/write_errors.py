"""Reasons why a user's change is not stored.  API and pages have one response for each, wherever it is raised."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied


class FieldError(ValueError):
    """An invalid field; the message says why.  `field` is its path (key_results.2.target in a row), empty if it is not
    one field.
    """

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class MayNotWriteError(PermissionDenied):
    """A 403; the message says who may write."""


class ConflictError(Exception):
    """409: somebody else saved first; `stored` is the current record, None if there is none."""

    def __init__(self, message: str, stored: Any) -> None:
        super().__init__(message)
        self.stored = stored


def checked_text(field: str, text: str, most: int, *, missing: str = "") -> str:
    """The text without surrounding space.

    Raises FieldError; with `missing` as its message, a text without visible characters is refused, too.
    """
    text = text.replace("\r\n", "\n").strip()
    if missing and not any(character.isprintable() and not character.isspace() for character in text):
        raise FieldError(field, missing)
    if len(text) > most or "\x00" in text:
        raise FieldError(field, f"At most {most:,} characters, and no NUL.")
    return text
