"""Enrolment: since when identities have sent telemetry."""

from __future__ import annotations

from typing import LiteralString

from core import sql
from integrations.models import FactFamily
from integrations.outbox.fact_changes import insert_days

# xmax is 0 in inserted rows, not in updated ones.
_ENROL = f"""
    WITH seen (identity_id, first_at) AS ({{seen}}), enrolled AS (
        INSERT INTO integrations_enrolment AS known (identity_id, first_at)
        SELECT seen.identity_id, seen.first_at
        FROM seen
        LEFT JOIN integrations_enrolment earlier ON earlier.identity_id = seen.identity_id
        WHERE earlier.first_at IS NULL OR seen.first_at < earlier.first_at
        ORDER BY seen.identity_id
        ON CONFLICT (identity_id) DO UPDATE SET first_at = LEAST(known.first_at, excluded.first_at)
        RETURNING first_at::date AS day, xmax = 0 AS is_new
    ), noted AS (
        {insert_days({FactFamily.ENROLMENT: "SELECT day, greatest(day, now()::date) + 1 FROM enrolled"})}
    )
    SELECT EXISTS (SELECT FROM enrolled WHERE is_new)
"""  # noqa: S608  # constants of this module


def enrol(seen: LiteralString) -> bool:
    """Store since when the identities of `seen` (SQL: identity_id, first_at) have sent telemetry.

    An earlier enrolment changes every day since then; the caller calls `announce_changes`.  Returns whether anybody is
    newly enrolled; if so, the caller ends the transaction with `raise_people_version`.
    """
    return bool(sql.value(_ENROL.format(seen=seen)))
