"""Fields of records that no normalising function has checked yet, for a stream's own decisions.

Unexpected values count as missing here; the normalising function reports them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from integrations.connectors.base import Json, RawRecord
from integrations.connectors.drafts import AnyDraft


def object_of(item: Any, *path: str) -> Json:
    """The object at this path; empty if there is none."""
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item if isinstance(item, dict) else {}


def fields_of(item: Any, names: Iterable[str]) -> Any:
    """The named fields of an object, as far as it has them; any other value as it is."""
    return {name: item[name] for name in names if name in item} if isinstance(item, dict) else item


def objects_of(items: Any) -> list[Json]:
    """The objects of a list; none if it is no list."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def text_of(item: Any, field: str) -> str:
    """A text or an integer; empty if it is neither."""
    value = item.get(field) if isinstance(item, dict) else None
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def time_of(item: Any, field: str) -> datetime | None:
    """A time in ISO 8601 with its offset."""
    try:
        at = datetime.fromisoformat(text_of(item, field))
    except ValueError:
        return None
    return at if at.tzinfo else None


def as_record(item: Any) -> Json:
    """The item, wrapped if it is no object so that the normalising function reports the problem."""
    return item if isinstance(item, dict) else {"(record)": item}


def record_of(
    source: str, normalise: Callable[[Json], Sequence[AnyDraft]], entry: Any, *, id_field: str = "id", **parts: Any
) -> RawRecord:
    """An entry of a list, under the name of its source, together with the parts that were read for it; parts that are
    None are left out.
    """
    known = {name: part for name, part in parts.items() if part is not None}
    return RawRecord({source: as_record(entry), **known}, normalise, text_of(entry, id_field), source)
