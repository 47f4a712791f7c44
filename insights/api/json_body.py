"""JSON bodies of the API: values that the database cannot store are refused with the path of their field."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from insights.query.errors import QueryError
from integrations.connectors.json_text import is_storable

DEEPEST = 20  # no document of the API has more than five levels
LONGEST_PATH = 100


class StorableJSONParser(JSONParser):
    """Refuses deep nesting, NUL and lone surrogates in strings, and NaN and infinite numbers."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        encoding = (parser_context or {}).get("encoding", "utf-8")
        try:
            body = json.loads(stream.read().decode(encoding))
        except RecursionError:
            raise _too_deep() from None
        except (ValueError, LookupError) as problem:  # not JSON, not in that encoding, or an unknown encoding
            raise ParseError(f"The body is not JSON: {problem}") from None
        for path, value in _values(body):
            if isinstance(value, float) and not math.isfinite(value):
                raise QueryError(_readable(path), "It is not a number, or too large to store.")
            if isinstance(value, str) and not is_storable(value):
                raise QueryError(
                    _readable(path), "It contains a NUL or half of a character, which cannot be stored. Leave it out."
                )
        return body


def _values(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every scalar and every key of the document, with the path of its field."""
    if depth > DEEPEST:
        raise _too_deep()
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _values(item, f"{path}[{position}]", depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            yield inner, name
            yield from _values(item, inner, depth + 1)
    else:
        yield path, value


def _readable(path: str) -> str:
    return path.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST_PATH]


def _too_deep() -> ParseError:
    return ParseError(f"The document is nested too deeply. Send at most {DEEPEST} levels.")
