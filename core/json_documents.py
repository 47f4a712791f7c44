"""Dataclasses as JSON documents: a class is the one description of a document's fields, its text and its schema.

A field named otherwise in the text has an alias: `Annotated[date, Field(alias="from")]`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from functools import cache
from typing import Any, TypeVar

from pydantic import Field, TypeAdapter

Document = TypeVar("Document")
NotStored = Field(exclude=True)  # of a field that is set when the document is read; it needs a default


def copied(kind: type[Document], record: Any, **others: Any) -> Document:
    """A document whose remaining fields are the record's attributes of the same names."""
    names = [field.name for field in fields(kind) if field.name not in others]  # type: ignore[arg-type]  # a dataclass
    return kind(**{name: getattr(record, name) for name in names if hasattr(record, name)}, **others)


def canonical(document: Any) -> tuple[str, str]:
    """The text (sorted keys, no spaces, UTF-8), and its SHA-256."""
    content = _adapter(type(document)).dump_python(document, by_alias=True)  # type: ignore[arg-type]  # classes are hashable
    body = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_iso)
    return body, hashlib.sha256(body.encode()).hexdigest()


def parsed(kind: type[Document], body: str) -> Document:
    """The document of that class in the text.  Raises ValueError if the text contains none."""
    document: Document = _adapter(kind).validate_json(body)  # type: ignore[arg-type]  # as above
    return document


def to_fields(document: Any) -> dict[str, Any]:
    """The document for a JSON column, without the fields that hold their default."""
    fields_of: dict[str, Any] = _adapter(type(document)).dump_python(  # type: ignore[arg-type]  # as above
        document, mode="json", by_alias=True, exclude_defaults=True
    )
    return fields_of


def from_fields(kind: type[Document], content: Mapping[str, Any]) -> Document:
    """The document of that class in a JSON column.  Raises ValueError if the column contains none."""
    document: Document = _adapter(kind).validate_python(content)  # type: ignore[arg-type]  # as above
    return document


def _iso(moment: date) -> str:
    return moment.isoformat()  # of a datetime its own


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
