"""Applies dated values from an effective date on; earlier rows stay, later rows are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from django.db import connection
from psycopg import sql


@dataclass(frozen=True)
class Dated:
    """A table of dated values, one at a time per `keys`, and the table with new values.

    `source_table` has the keys, the value (null: none), `since` (null: always) and `before`, which is filled in.
    """

    table: LiteralString
    keys: tuple[LiteralString, ...]
    value: LiteralString
    source_table: LiteralString


ATTRIBUTES = Dated("orgtree_personattribute", ("person_id", "attribute_id"), "value", "draft_value")
REPORTING = Dated("orgtree_reporting", ("person_id",), "manager_id", "draft_manager")


def apply_from_effective_date(dated: Dated) -> None:
    """Apply the new values from `since` on; only rows that changed something remain in `source_table`."""
    same = sql.SQL(" AND ").join(sql.SQL("stored.{0} = draft.{0}").format(sql.Identifier(key)) for key in dated.keys)
    names = {
        "table": sql.Identifier(dated.table),
        "draft": sql.Identifier(dated.source_table),
        "keys": sql.SQL(", ").join(sql.Identifier(key) for key in dated.keys),
        "draft_keys": sql.SQL(", ").join(sql.Identifier("draft", key) for key in dated.keys),
        "value": sql.Identifier(dated.value),
        "same": same,
    }
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(sql.SQL(statement).format(**names))


_STATEMENTS: tuple[LiteralString, ...] = (
    "ANALYZE {draft}",
    """
    CREATE TEMPORARY TABLE affected ON COMMIT DROP AS
    SELECT {draft_keys},
           count(*) = 1 AND bool_and(stored.{value} = draft.{value} AND upper_inf(stored.during)
                                     AND stored.during @> daterange(draft.since, NULL)) IS TRUE AS is_unchanged,
           (array_agg(stored.{value}) FILTER (WHERE stored.during @> draft.since))[1] AS before
    FROM {draft} draft JOIN {table} stored ON {same} AND stored.during && daterange(draft.since, NULL)
    GROUP BY {draft_keys}
    """,
    "DELETE FROM {draft} draft USING affected stored WHERE {same} AND stored.is_unchanged",
    """
    DELETE FROM {draft} draft
    WHERE draft.{value} IS NULL AND NOT EXISTS (SELECT FROM affected stored WHERE {same})
    """,
    "UPDATE {draft} draft SET before = stored.before FROM affected stored WHERE {same}",
    "DROP TABLE affected",
    """
    DELETE FROM {table} stored USING {draft} draft
    WHERE {same} AND COALESCE(lower(stored.during), '-infinity') >= COALESCE(draft.since, '-infinity')
    """,
    # The same value up to or beyond that day: extend it.
    """
    UPDATE {table} stored SET during = daterange(lower(stored.during), NULL)
    FROM {draft} draft
    WHERE {same} AND stored.{value} = draft.{value} AND COALESCE(upper(stored.during), 'infinity') >= draft.since
    """,
    """
    UPDATE {table} stored SET during = daterange(lower(stored.during), draft.since)
    FROM {draft} draft
    WHERE {same} AND stored.{value} IS DISTINCT FROM draft.{value} AND stored.during @> draft.since
    """,
    """
    INSERT INTO {table} ({keys}, {value}, during)
    SELECT {draft_keys}, draft.{value}, daterange(draft.since, NULL)
    FROM {draft} draft
    WHERE draft.{value} IS NOT NULL
      AND NOT EXISTS (SELECT FROM {table} stored WHERE {same} AND upper_inf(stored.during))
    ORDER BY {draft_keys}
    """,
)
