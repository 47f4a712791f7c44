"""Columns that say in our words what a provider's word means: set anew for all rows that have the same word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection as database

from integrations.delivery.mappings.effective import EffectiveMeanings
from integrations.models import Meaning

Subject = Meaning.Subject


@dataclass(frozen=True)
class WordColumn:
    """A column that follows from a word beside it, and from the provider's own category where it tells one.

    `owner` is the column with the record's id; `connection_of` says how a row is known to be a connection's.
    """

    subject: Subject
    table: str
    column: str
    native: str
    meaning: Callable[[EffectiveMeanings, str, str | None], str | None]
    provided: str = "NULL::varchar"
    owner: str = "id"
    of_connection: str = "stored.connection_id = %(connection)s"
    only: str = "true"


ENVIRONMENT = WordColumn(
    Subject.ENVIRONMENT,
    "integrations_deployment",
    "environment",
    "native_environment",
    lambda meanings, word, _: meanings.of_environment(word),
    only="stored.pipeline_run_id IS NULL",  # a pipeline's meaning says to where it deploys
)
SEVERITY = WordColumn(
    Subject.SEVERITY,
    "integrations_incident",
    "severity",
    "native_severity",
    lambda meanings, word, provided: meanings.of_severity(word, provided),
    provided="stored.told_severity",
)
TRANSITION = WordColumn(
    Subject.STATUS,
    "integrations_workitemtransition",
    "category",
    "to_status",
    lambda meanings, word, provided: meanings.of_status(word, provided),
    provided="stored.told_category",
    owner="work_item_id",
    of_connection="stored.work_item_id IN (SELECT id FROM integrations_workitem WHERE connection_id = %(connection)s)",
)


def recompute_mapped_column(column: WordColumn, meanings: EffectiveMeanings, ids: Iterable[int]) -> set[int]:
    """Set the column anew for these records; those of which it changed."""
    return _recompute(column, meanings, f"stored.{column.owner} = ANY (%(ids)s)", {"ids": sorted(ids)})


def recompute_mapped_value(column: WordColumn, meanings: EffectiveMeanings, connection_id: int, word: str) -> set[int]:
    """Set the column anew for all records of the connection with this word; those of which it changed."""
    scope = f"{column.of_connection} AND stored.{column.native} = %(word)s"
    return _recompute(column, meanings, scope, {"connection": connection_id, "word": word})


def _recompute(column: WordColumn, meanings: EffectiveMeanings, scope: str, parameters: Mapping[str, Any]) -> set[int]:
    of_rows = f"{scope} AND {column.only}"
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT stored.{column.native}, {column.provided} FROM {column.table} stored WHERE {of_rows}",  # noqa: S608  # constants of this module
            parameters,
        )
        rows = cursor.fetchall()
        if not rows:
            return set()
        words, provided, means = zip(
            *((word, own, column.meaning(meanings, word, own)) for word, own in rows), strict=True
        )
        cursor.execute(
            f"""
            UPDATE {column.table} stored SET {column.column} = meant.means
            FROM unnest(%(words)s::text[], %(provided)s::text[], %(means)s::text[]) AS meant (word, provided, means)
            WHERE stored.{column.native} = meant.word AND {column.provided} IS NOT DISTINCT FROM meant.provided
              AND stored.{column.column} IS DISTINCT FROM meant.means AND {of_rows}
            RETURNING stored.{column.owner}
            """,  # noqa: S608  # constants of this module
            {**parameters, "words": list(words), "provided": list(provided), "means": list(means)},
        )
        return {row[0] for row in cursor.fetchall()}
