"""About how many rows the tables hold that a relation reads, as the database's own statistics have it; and whether it
has any at all."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import connection
from psycopg import sql

from integrations.facts.relation import Relation

KNOWN_FOR_SECONDS = 600
MANY_ROWS = 200_000  # of a table: with fewer, statements are as fast as reading the rows and counting in memory
# Of larger tables nobody asks for a first row: where a relation adds up, finding it may mean to add up everything.
FEW_ROWS = 10_000
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


def relations_with_rows(relations: Iterable[Relation]) -> frozenset[str]:
    """The names of those that have rows, whenever and whose; those of large tables are taken to have some."""
    by_name = {relation.name: relation for relation in relations}
    small = [relation for relation in by_name.values() if most_rows(relation) < FEW_ROWS]
    if not small:
        return frozenset(by_name)
    asked = [
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM ({}) AS source)").format(
            sql.Literal(relation.name), sql.SQL(relation.sql)
        )
        for relation in small
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(asked))
        found = {str(name) for (name,) in cursor.fetchall()}
    return frozenset((by_name.keys() - {relation.name for relation in small}) | found)


def _read() -> Mapping[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples::bigint FROM pg_class WHERE relkind IN ('r', 'p') AND reltuples > 0")
        return dict(cursor.fetchall())
