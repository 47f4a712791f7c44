"""Parses foreign JSON so that a database can store it, as facts or in quarantine."""

from __future__ import annotations

import json
import math
import re
from typing import Any
from urllib.parse import parse_qs

from integrations.connectors.errors import SchemaError, TransientError

# JSON can contain NUL and half a surrogate pair, which no database column accepts.
_PERHAPS_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def read_json(text: bytes | str) -> Any:
    """The document; NaN and infinite numbers become null.  Raises ValueError and RecursionError."""
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig", "replace")
    document = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
    return _storable(document) if _PERHAPS_UNSTORABLE.search(text) else document


def is_storable(text: str) -> bool:
    """Whether a text column accepts it."""
    return not _UNSTORABLE.search(text)


def read_delivery(body: bytes) -> dict[str, Any]:
    """The JSON object of a webhook's body or of its form field `payload`.  Raises SchemaError."""
    text = body.decode("utf-8-sig", "replace")
    if text.startswith("payload="):
        text = parse_qs(text)["payload"][0]
    try:
        payload = read_json(text)
    except (ValueError, RecursionError):
        raise SchemaError("(delivery)", "is no JSON") from None
    if not isinstance(payload, dict):
        raise SchemaError("(delivery)", "should be an object")
    return payload


def list_in(document: Any, name: str, answered: str) -> list[Any]:
    """The list of this name in an answer, or the answer itself without a name; `answered` describes the answer.

    Raises TransientError if there is none: the answer came from a proxy, or there is an outage.
    """
    items = document if not name else document.get(name) if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise TransientError(f"{answered} with something other than a list{f' of {name}' if name else ''}.")
    return items


def documents_in(content: bytes) -> list[Any] | None:
    """The documents of a file that has one list, or one document a line; None if it is neither."""
    try:
        if content.lstrip()[:1] == b"[":
            document = read_json(content)
            return document if isinstance(document, list) else None
        return [read_json(line) for line in content.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub(lambda match: "" if match[0] == "\0" else REPLACEMENT, value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value


def json_or_none(content: bytes) -> Any:
    """The parsed JSON; None if it is not JSON."""
    try:
        return read_json(content)
    except (ValueError, RecursionError):
        return None
