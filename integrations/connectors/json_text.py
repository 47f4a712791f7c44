"""Reading JSON of others so that a database can keep it, as facts or in quarantine."""

from __future__ import annotations

import json
import math
import re
from typing import Any

# NUL and half a surrogate pair can be written in JSON, and no database column takes them.
_PERHAPS_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def read_json(text: bytes | str) -> Any:
    """The document; numbers that are none or without end are null.  Raises ValueError and RecursionError."""
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig", "replace")
    document = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
    return _storable(document) if _PERHAPS_UNSTORABLE.search(text) else document


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub(lambda found: "" if found[0] == "\0" else REPLACEMENT, value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(each) for name, each in value.items()}
    return value
