"""SQL that stores drafts: one statement for all records, or parts, that provide the same columns.

Values are passed as JSON because a page has too many for parameters.  A cast cuts text to the column's length.  All
names in these statements are names of tables and columns.
"""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from integrations.intake.tables import Column, Lasting, PartTable, RecordTable


@cache
def known_records(table: RecordTable) -> str:
    """SQL that reads stored records: (external_id, id, updated_at, tellings, whether their state is final, deleted)."""
    return f"""
        SELECT external_id, id, updated_at, tellings, {_is_final("stored", table.lasting)}, deleted_at IS NOT NULL
        FROM {table.name} stored
        WHERE connection_id = %(connection)s AND external_id = ANY (%(external_ids)s)
    """


@cache
def insert_records(table: RecordTable, columns: tuple[Column, ...]) -> str:
    """SQL that stores new records and returns (external_id, id) of each."""
    return f"""
        INSERT INTO {table.name} (connection_id, external_id, deleted_at, updated_at, tellings, {_names(columns)})
        SELECT %(connection)s, provided.external_id, CASE WHEN provided.deleted THEN now() END,
               provided.updated_at, provided.tellings,
               {_stored(columns)}
        FROM json_to_recordset(%(rows)s) AS provided (
            external_id text, deleted boolean, updated_at timestamptz, tellings jsonb, {_declared(columns)}
        )
        RETURNING external_id, id
    """


@cache
def update_records(table: RecordTable, columns: tuple[Column, ...]) -> str:
    """SQL that updates the stored records that differ and returns their ids."""
    return f"""
        UPDATE {table.name} stored
        SET {_assigned(columns)}, updated_at = provided.updated_at, tellings = provided.tellings,
            deleted_at = CASE WHEN provided.deleted THEN coalesce(stored.deleted_at, now()) END
        FROM json_to_recordset(%(rows)s) AS provided (
            id bigint, deleted boolean, updated_at timestamptz, tellings jsonb, {_declared(columns)}
        )
        WHERE stored.id = provided.id
          AND ({_names(columns, "stored.")}, stored.deleted_at IS NOT NULL)
              IS DISTINCT FROM ({_stored(columns)}, provided.deleted)
        RETURNING stored.id
    """


@cache
def write_field_versions(table: RecordTable) -> str:
    """SQL that updates the versions of otherwise unchanged records."""
    return f"""
        UPDATE {table.name} stored SET updated_at = provided.updated_at, tellings = provided.tellings
        FROM json_to_recordset(%(rows)s) AS provided (id bigint, updated_at timestamptz, tellings jsonb)
        WHERE stored.id = provided.id
    """


@cache
def put_parts(table: PartTable, *, alone: bool) -> str:
    """SQL that inserts or updates parts that differ and returns the ids of their records.

    Parts that were provided `alone`, outside a complete collection, keep a final state because deliveries arrive in any
    order.
    """
    columns = (*table.key_columns, *table.value_columns)
    conflict = _update(table.value_columns) if table.value_columns else "NOTHING"
    if alone and table.lasting:
        conflict += f" AND ({_is_final('excluded', table.lasting)} OR NOT {_is_final('stored', table.lasting)})"
    return f"""
        INSERT INTO {table.name} AS stored ({table.owner}, {_names(columns)})
        SELECT provided.owner, {_stored(columns)}
        FROM json_to_recordset(%(rows)s) AS provided (owner bigint, {_declared(columns)})
        ON CONFLICT ({table.owner}, {_names(table.key_columns)}) DO {conflict}
        RETURNING {table.owner}
    """


def _update(values: Sequence[Column]) -> str:
    return f"""UPDATE SET {", ".join(f"{column.name} = excluded.{column.name}" for column in values)}
        WHERE ({_names(values, "stored.")}) IS DISTINCT FROM ({_names(values, "excluded.")})"""


@cache
def delete_other_parts(table: PartTable) -> str:
    """SQL that deletes parts that a completely provided collection lacks and returns the ids of their records."""
    same = " AND ".join(
        f"provided.{key.name}::{key.stored_as} IS NOT DISTINCT FROM stored.{key.name}" for key in table.key_columns
    )
    return f"""
        DELETE FROM {table.name} stored
        WHERE stored.{table.owner} = ANY (%(owners)s)
          AND NOT EXISTS (
              SELECT FROM json_to_recordset(%(rows)s) AS provided (owner bigint, {_declared(table.key_columns)})
              WHERE provided.owner = stored.{table.owner} AND {same}
          )
        RETURNING stored.{table.owner}
    """


def _names(columns: Sequence[Column], of: str = "") -> str:
    return ", ".join(f"{of}{column.name}" for column in columns)


def _declared(columns: Sequence[Column]) -> str:
    return ", ".join(f"{column.name} {column.provided_as}" for column in columns)


def _stored(columns: Sequence[Column]) -> str:
    return ", ".join(f"provided.{column.name}::{column.stored_as}" for column in columns)


def _assigned(columns: Sequence[Column]) -> str:
    return ", ".join(f"{column.name} = provided.{column.name}::{column.stored_as}" for column in columns)


def _is_final(row: str, lasting: Lasting | None) -> str:
    if lasting is None:
        return "false"
    values = ", ".join(f"'{value}'" for value in lasting.values)
    return f"{row}.{lasting.column} IN ({values})"
