"""What holds of people from a date on: the past stays, and what began later gives way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from django.db import connection
from psycopg import sql


@dataclass(frozen=True)
class Dated:
    """A table of values with their days, one at a time for the same `keys`; `told` holds the new ones.

    `told` has the keys, the value (null: none), `since` (null: ever) and `before`, which is filled in.
    """

    table: LiteralString
    keys: tuple[LiteralString, ...]
    value: LiteralString
    told: LiteralString


ATTRIBUTES = Dated("orgtree_personattribute", ("person_id", "attribute_id"), "value", "told_value")
REPORTING = Dated("orgtree_reporting", ("person_id",), "manager_id", "told_manager")


def hold_from_then_on(dated: Dated) -> None:
    """Let what is told hold from `since` on; in `told` only what changed anything remains."""
    same = sql.SQL(" AND ").join(sql.SQL("stored.{0} = told.{0}").format(sql.Identifier(key)) for key in dated.keys)
    names = {
        "table": sql.Identifier(dated.table),
        "told": sql.Identifier(dated.told),
        "keys": sql.SQL(", ").join(sql.Identifier(key) for key in dated.keys),
        "told_keys": sql.SQL(", ").join(sql.Identifier("told", key) for key in dated.keys),
        "value": sql.Identifier(dated.value),
        "same": same,
    }
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(sql.SQL(statement).format(**names))


_STATEMENTS: tuple[LiteralString, ...] = (
    "ANALYZE {told}",
    """
    CREATE TEMPORARY TABLE standing ON COMMIT DROP AS
    SELECT {told_keys},
           count(*) = 1 AND bool_and(stored.{value} = told.{value} AND upper_inf(stored.during)
                                     AND stored.during @> daterange(told.since, NULL)) IS TRUE AS is_told,
           (array_agg(stored.{value}) FILTER (WHERE stored.during @> told.since))[1] AS before
    FROM {told} told JOIN {table} stored ON {same} AND stored.during && daterange(told.since, NULL)
    GROUP BY {told_keys}
    """,
    "DELETE FROM {told} told USING standing stored WHERE {same} AND stored.is_told",
    """
    DELETE FROM {told} told
    WHERE told.{value} IS NULL AND NOT EXISTS (SELECT FROM standing stored WHERE {same})
    """,
    "UPDATE {told} told SET before = stored.before FROM standing stored WHERE {same}",
    "DROP TABLE standing",
    """
    DELETE FROM {table} stored USING {told} told
    WHERE {same} AND COALESCE(lower(stored.during), '-infinity') >= COALESCE(told.since, '-infinity')
    """,
    # The same value up to that day, or beyond: it goes on.
    """
    UPDATE {table} stored SET during = daterange(lower(stored.during), NULL)
    FROM {told} told
    WHERE {same} AND stored.{value} = told.{value} AND COALESCE(upper(stored.during), 'infinity') >= told.since
    """,
    """
    UPDATE {table} stored SET during = daterange(lower(stored.during), told.since)
    FROM {told} told
    WHERE {same} AND stored.{value} IS DISTINCT FROM told.{value} AND stored.during @> told.since
    """,
    """
    INSERT INTO {table} ({keys}, {value}, during)
    SELECT {told_keys}, told.{value}, daterange(told.since, NULL)
    FROM {told} told
    WHERE told.{value} IS NOT NULL
      AND NOT EXISTS (SELECT FROM {table} stored WHERE {same} AND upper_inf(stored.during))
    ORDER BY {told_keys}
    """,
)
