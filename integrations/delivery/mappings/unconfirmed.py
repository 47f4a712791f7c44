"""What waits for an admin's mapping: names that leave open whether they are production, which do not count until then,
and repositories whose pipelines deploy and that have no deployment to production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import LiteralString

from core import sql
from integrations.delivery.mappings.effective import Subject, ValueMappings, value_mappings_by_connection

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


_WITHOUT_PRODUCTION: LiteralString = """
    SELECT repository.name, min(used.connection_id), bool_or(used.is_run)
    FROM (
        SELECT run.repository_id, run.connection_id, true AS is_run
        FROM integrations_pipelinerun run
        JOIN unnest(%(run_connections)s::bigint[], %(run_names)s::text[]) AS deploying (connection_id, name)
             USING (connection_id, name)
        WHERE run.finished_at >= %(start)s::date AND run.finished_at < %(end)s::date AND run.status = 'success'
          AND run.deleted_at IS NULL
        UNION
        SELECT deployment.repository_id, deployment.connection_id, false
        FROM integrations_deployment deployment
        JOIN unnest(%(connections)s::bigint[], %(words)s::text[]) AS proposed (connection_id, native_environment)
             USING (connection_id, native_environment)
        WHERE deployment.finished_at >= %(start)s::date AND deployment.finished_at < %(end)s::date
          AND deployment.deleted_at IS NULL AND deployment.pipeline_run_id IS NULL
    ) AS used
    JOIN integrations_repository repository ON repository.id = used.repository_id
    WHERE NOT EXISTS (
        SELECT FROM integrations_deployment production
        WHERE production.repository_id = used.repository_id AND production.environment = 'production'
          AND production.deleted_at IS NULL
    )
    GROUP BY repository.name
    ORDER BY repository.name
"""


@dataclass(frozen=True, slots=True)
class WithoutProduction:
    """A repository that deploys, by the names of its pipelines or environments, and never to production.

    `subject` and `connection` say where an admin's mapping answers what it is.
    """

    repository: str
    connection: int
    subject: Subject


@dataclass(frozen=True, slots=True)
class NamesInUse:
    """The names of pipelines, and of environments of these days' deployments, with their connections' mappings."""

    start: date
    end: date
    names: Sequence[tuple[int, str, str]]  # connection, subject, name
    mappings: Mapping[int, ValueMappings]


def names_in_use(start: date, end: date) -> NamesInUse:
    names = sql.rows(_USED, {"start": start, "end": end})
    return NamesInUse(start, end, names, value_mappings_by_connection({connection for connection, _, _ in names}))


def repositories_without_production(used: NamesInUse) -> list[WithoutProduction]:
    """Those that deployed in these days, by name."""
    runs, words = [], []
    for connection, subject, word in used.names:
        of_connection = used.mappings[connection]
        is_proposed = bool(word) and of_connection.proposed(Subject(subject), word) is not None
        if subject == Subject.DEPLOYING and (is_proposed or of_connection.of_deploying(word)):
            runs.append((connection, word))
        elif subject == Subject.ENVIRONMENT and is_proposed:
            words.append((connection, word))
    if not runs and not words:
        return []
    rows = sql.rows(
        _WITHOUT_PRODUCTION,
        {
            "start": used.start,
            "end": used.end,
            "run_connections": [connection for connection, _ in runs],
            "run_names": [name for _, name in runs],
            "connections": [connection for connection, _ in words],
            "words": [word for _, word in words],
        },
    )
    return [
        WithoutProduction(name, connection, Subject.DEPLOYING if is_run else Subject.ENVIRONMENT)
        for name, connection, is_run in rows
    ]


def unconfirmed_deployments(used: NamesInUse) -> tuple[int, int]:
    """How many deployments and successful pipeline runs of these days wait for a word to be confirmed."""
    days = {"start": used.start, "end": used.end}
    counts = []
    for subject, count in _COUNTS.items():
        proposed = [
            (connection, word)
            for connection, of, word in used.names
            if of == subject and word and used.mappings[connection].proposed(subject, word)
        ]
        connections, words = [connection for connection, _ in proposed], [word for _, word in proposed]
        [(records,)] = sql.rows(count, {**days, "connections": connections, "words": words}) if proposed else [(0,)]
        counts.append(records)
    return counts[0], counts[1]
