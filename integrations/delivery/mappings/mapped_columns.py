"""Columns with the mapping of a provider's value, recomputed for all rows with the same value."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core import sql
from integrations.delivery.mappings.effective import ValueMappings
from integrations.models import ValueMapping

Subject = ValueMapping.Subject


@dataclass(frozen=True)
class MappedColumn:
    """A column mapped from a value in the same row, and from the provider's own category if there is one.

    `owner` is the column with the record's id; `connection_of` is a condition that selects a connection's rows.
    """

    subject: Subject
    table: str
    column: str
    native: str
    meaning: Callable[[ValueMappings, str, str | None], str | None]
    provided: str = "NULL::varchar"
    owner: str = "id"
    of_connection: str = "stored.connection_id = %(connection)s"
    only: str = "true"


ENVIRONMENT = MappedColumn(
    Subject.ENVIRONMENT,
    "integrations_deployment",
    "environment",
    "native_environment",
    lambda meanings, word, provided: meanings.of_deployed(word, *json.loads(provided or "[null, []]")),
    provided="""jsonb_build_array(stored.is_production, ARRAY(
        SELECT DISTINCT status.environment FROM integrations_deploymentstatus status
        WHERE status.deployment_id = stored.id AND status.environment NOT IN ('', stored.native_environment) ORDER BY 1
    ))::text""",
    # A pipeline is mapped to the environment that it deploys to; a reactivated deployment goes where it went before.
    only="stored.pipeline_run_id IS NULL AND stored.activation_of_id IS NULL",
)
SEVERITY = MappedColumn(
    Subject.SEVERITY,
    "integrations_incident",
    "severity",
    "native_severity",
    lambda meanings, word, provided: meanings.of_severity(word, provided),
    provided="stored.told_severity",
)
TRANSITION = MappedColumn(
    Subject.STATUS,
    "integrations_workitemtransition",
    "category",
    "to_status",
    lambda meanings, word, provided: meanings.of_status(word, provided),
    provided="stored.told_category",
    owner="work_item_id",
    of_connection="stored.work_item_id IN (SELECT id FROM integrations_workitem WHERE connection_id = %(connection)s)",
)


def recompute_mapped_column(column: MappedColumn, meanings: ValueMappings, ids: Iterable[int]) -> set[int]:
    """Recompute the column for these records; return those that changed."""
    return _recompute(column, meanings, f"stored.{column.owner} = ANY (%(ids)s)", {"ids": sorted(ids)})


def recompute_mapped_value(column: MappedColumn, meanings: ValueMappings, connection_id: int, word: str) -> set[int]:
    """Recompute the column for all records of the connection with this value; return those that changed."""
    scope = f"{column.of_connection} AND stored.{column.native} = %(word)s"
    return _recompute(column, meanings, scope, {"connection": connection_id, "word": word})


def _recompute(column: MappedColumn, meanings: ValueMappings, scope: str, parameters: Mapping[str, Any]) -> set[int]:
    of_rows = f"{scope} AND {column.only}"
    rows = sql.rows(
        f"SELECT DISTINCT stored.{column.native}, {column.provided} FROM {column.table} stored WHERE {of_rows}",  # noqa: S608  # constants of this module
        parameters,
    )
    if not rows:
        return set()
    words, provided, means = zip(*((word, own, column.meaning(meanings, word, own)) for word, own in rows), strict=True)
    return sql.ids(
        f"""
        UPDATE {column.table} stored SET {column.column} = meant.means
        FROM unnest(%(words)s::text[], %(provided)s::text[], %(means)s::text[]) AS meant (word, provided, means)
        WHERE stored.{column.native} = meant.word AND {column.provided} IS NOT DISTINCT FROM meant.provided
          AND stored.{column.column} IS DISTINCT FROM meant.means AND {of_rows}
        RETURNING stored.{column.owner}
        """,  # noqa: S608  # constants of this module
        {**parameters, "words": list(words), "provided": list(provided), "means": list(means)},
    )
