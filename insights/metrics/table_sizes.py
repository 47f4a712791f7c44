"""About how many rows the tables hold that a relation reads, as the database's own statistics have it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import connection

from integrations.facts.relation import Relation

KNOWN_FOR_SECONDS = 600
_TABLE = re.compile(r"\b(?:integrations|orgtree)_[a-z]+\b")


@dataclass
class _Sizes:
    """By name; none until they are first asked for."""

    rows: Mapping[str, int] = field(default_factory=dict)
    until: float = 0.0  # by the monotonic clock


_sizes = _Sizes()


def most_rows(relation: Relation) -> int:
    """The rows of the largest of its tables, as of its last ANALYZE; 0 where none was ever analysed."""
    now = time.monotonic()
    if now >= _sizes.until:
        _sizes.rows, _sizes.until = _read(), now + KNOWN_FOR_SECONDS
    return max((_sizes.rows.get(name, 0) for name in _TABLE.findall(relation.sql)), default=0)


def _read() -> Mapping[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples::bigint FROM pg_class WHERE relkind IN ('r', 'p') AND reltuples > 0")
        return dict(cursor.fetchall())
