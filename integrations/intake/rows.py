"""Drafts as rows of JSON, cleaned for the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

Row = Mapping[str, Any]


def as_json(rows: Sequence[Row]) -> str:
    """JSON that PostgreSQL accepts: without NUL and without unpaired surrogates, which no text column can hold."""
    text = _UNICODE.encode(rows)
    return text if "\\u0000" not in text and _is_unicode(text) else _UNICODE.encode(_clean(rows))


def key_of(values: Sequence[Any]) -> str:
    """The key of a part: equal values have equal keys, from which they can be parsed back."""
    return str(values[0]) if len(values) == 1 else _ASCII.encode(values)


def values_of(key: str, count: int) -> list[Any]:
    """The `count` values from which a key was made; a single one is text."""
    values: list[Any] = [key] if count == 1 else json.loads(key)
    return values


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no value of a draft")


_ASCII = json.JSONEncoder(default=_plain, separators=(",", ":"))
_UNICODE = json.JSONEncoder(default=_plain, separators=(",", ":"), ensure_ascii=False)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _clean(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
