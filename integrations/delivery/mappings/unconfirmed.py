"""Words that nobody knows and no admin has confirmed: what they name does not count as a deployment until then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import LiteralString

from core import sql
from integrations.delivery.mappings.effective import Subject, value_mappings_by_connection

# Steps from each pipeline to the next by the index pipeline_run_by_name: there are millions of runs, and few names.
_USED: LiteralString = """
    WITH RECURSIVE pipeline AS (
        (SELECT connection_id, name FROM integrations_pipelinerun ORDER BY connection_id, name LIMIT 1)
        UNION ALL
        SELECT following.connection_id, following.name
        FROM pipeline
        CROSS JOIN LATERAL (
            SELECT run.connection_id, run.name FROM integrations_pipelinerun run
            WHERE (run.connection_id, run.name) > (pipeline.connection_id, pipeline.name)
            ORDER BY run.connection_id, run.name
            LIMIT 1
        ) AS following
    )
    SELECT connection_id, 'deploying', name FROM pipeline
    UNION ALL
    SELECT DISTINCT connection_id, 'environment', native_environment
    FROM integrations_deployment
    WHERE finished_at >= %(start)s::date AND finished_at < %(end)s::date AND environment = 'other'
"""
_COUNTS: Mapping[Subject, LiteralString] = {
    Subject.ENVIRONMENT: """
        SELECT count(*)
        FROM integrations_deployment
        JOIN unnest(%(connections)s::bigint[], %(words)s::text[]) AS proposed (connection_id, native_environment)
             USING (connection_id, native_environment)
        WHERE finished_at >= %(start)s::date AND finished_at < %(end)s::date AND environment = 'other'
          AND deleted_at IS NULL AND pipeline_run_id IS NULL AND activation_of_id IS NULL
    """,
    Subject.DEPLOYING: """
        SELECT count(*)
        FROM integrations_pipelinerun
        JOIN unnest(%(connections)s::bigint[], %(words)s::text[]) AS proposed (connection_id, name)
             USING (connection_id, name)
        WHERE finished_at >= %(start)s::date AND finished_at < %(end)s::date AND status = 'success'
          AND deleted_at IS NULL
    """,
}


def unconfirmed_deployments(start: date, end: date) -> tuple[int, int]:
    """How many deployments and successful pipeline runs of these days wait for a word to be confirmed."""
    days = {"start": start, "end": end}
    used = sql.rows(_USED, days)
    mappings = value_mappings_by_connection({connection for connection, _, _ in used})
    counts = []
    for subject, count in _COUNTS.items():
        proposed = [
            (connection, word)
            for connection, of, word in used
            if of == subject and word and mappings[connection].proposed(subject, word)
        ]
        connections, words = [connection for connection, _ in proposed], [word for _, word in proposed]
        [(records,)] = sql.rows(count, {**days, "connections": connections, "words": words}) if proposed else [(0,)]
        counts.append(records)
    return counts[0], counts[1]
