"""Parses fields of API requests.

Invalid input raises FieldError, which is answered with 400 and names the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from rest_framework.request import Request

from core.write_errors import FieldError

LARGEST_AMOUNT = 1e300  # far from the end of what a float holds: what is computed from it stays finite
LONGEST_ID = 16  # digits; the database's numbers end at 19


def given_fields(request: Request, known: Iterable[str], *, needed: Iterable[str] = ()) -> Mapping[str, Any]:
    """The fields that were sent; all `needed` are among them, and none that is not `known`."""
    sent, names = sent_object(request), tuple(known)
    for name in sent:
        if name not in names:
            use = f"Use {', '.join(names)}." if names else "There are none."
            raise FieldError(str(name)[:40], f"There is no such field. {use}")
    for name in needed:
        if sent.get(name) in (None, ""):
            raise FieldError(name, "It is needed.")
    return sent


def changed_version(request: Request, name: str = "version") -> tuple[Mapping[str, Any], int]:
    """What a change names, and the version that it was made from."""
    sent = sent_object(request)
    version = number(name, sent.get(name))
    if version is None:
        raise FieldError(name, "It is needed.")
    return {field: value for field, value in sent.items() if field != name}, version


def sent_object(request: Request) -> Mapping[str, Any]:
    if not isinstance(request.data, Mapping):
        raise FieldError("", "Send one object.")
    return request.data


def parameter(request: Request, name: str) -> str:
    """Of the address; empty where it was left out."""
    return request.query_params.get(name, "").strip()


def boolean_parameter(request: Request, name: str) -> bool:
    """Whether the address says `yes` to it.  Raises FieldError for another word."""
    value = parameter(request, name)
    if value not in ("", "yes"):
        raise FieldError(name, "yes, or leave it out.")
    return bool(value)


def text(name: str, value: object) -> str:
    """The text; empty where it is null."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(name, "It must be a text.")
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
        raise FieldError(name, "It must be a day such as 2026-07-01.") from None


def number(name: str, value: object) -> int | None:
    """The whole number; None where it is null."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise FieldError(name, "It must be a whole number.")
    return value


def amount(name: str, value: object) -> float | None:
    """The number; None where it is null.  JSON writes numbers that no float holds, and reads 1e400 as infinite."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_AMOUNT:
        raise FieldError(name, "It must be a number.")
    return float(value)


def by_id(name: str, value: object, *, of: str) -> dict[int, Any]:
    """What is said by the numbers of some things; `of` names them."""
    if not isinstance(value, Mapping):
        raise FieldError(name, f"It must be an object, by the ids of {of}.")
    wrong = next((key for key in value if not (str(key).isdecimal() and len(str(key)) < LONGEST_ID)), None)
    if wrong is not None:
        raise FieldError(f"{name}.{str(wrong)[:40]}", f"It must be by the ids of {of}.")
    return {int(key): entry for key, entry in value.items()}


def yes_or_no(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise FieldError(name, "It must be true or false.")
    return value
