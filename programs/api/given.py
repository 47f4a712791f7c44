"""Reading what a request of the program's API says, field by field.

What is wrong is a QueryError, which is answered with 400 and names the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from rest_framework.request import Request

from insights.metrics.errors import QueryError


def given_fields(request: Request, known: Iterable[str], *, needed: Iterable[str] = ()) -> Mapping[str, Any]:
    """The fields that were sent; all `needed` are among them, and none that is not `known`."""
    if not isinstance(request.data, Mapping):
        raise QueryError("", "Send one object.")
    names = tuple(known)
    for name in request.data:
        if name not in names:
            raise QueryError(str(name)[:40], f"There is no such field. Use {', '.join(names)}.")
    for name in needed:
        if request.data.get(name) in (None, ""):
            raise QueryError(name, "It is needed.")
    return request.data


def text(name: str, value: object) -> str:
    """The text; empty where it is null."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise QueryError(name, "It must be a text.")
    return value


def day(name: str, value: object) -> date | None:
    """The day; None where it is null or empty."""
    if value is None or value == "":
        return None
    try:
        if not isinstance(value, str):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise QueryError(name, "It must be a day such as 2026-07-01.") from None


def number(name: str, value: object) -> int | None:
    """The whole number; None where it is null."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise QueryError(name, "It must be a whole number.")
    return value
