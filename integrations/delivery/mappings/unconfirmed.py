"""Names that wait for an admin's mapping: they may mean production, and do not count until an admin decides.
Also repositories whose pipelines deploy but that have no deployment to production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import LiteralString

from core import sql
from integrations.delivery.mappings.effective import Subject, ValueMappings, value_mappings_by_connection

# Skips from each pipeline to the next by the index pipeline_run_by_name: there are millions of runs, and few names.
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
    SELECT connection_id, 'deploying', name, '' FROM pipeline
    UNION ALL
    SELECT DISTINCT connection_id, 'deploying', name, unnest(deploying_jobs)
    FROM integrations_pipelinerun
    WHERE finished_at >= %(start)s::date AND finished_at < %(end)s::date AND deploying_jobs <> '{}'
      AND deleted_at IS NULL
    UNION ALL
    SELECT DISTINCT connection_id, 'environment', native_environment, ''
    FROM integrations_deployment
    WHERE finished_at >= %(start)s::date AND finished_at < %(end)s::date AND environment = 'other'
"""
# The run, or its job in question; `proposed` has the pipeline, and the job or nothing.
_SUCCEEDED: LiteralString = """
    CASE WHEN proposed.job = '' THEN run.status = 'success' ELSE proposed.job = ANY (run.deploying_jobs) AND EXISTS (
        SELECT FROM integrations_pipelinejob own
        WHERE own.run_id = run.id AND own.name = proposed.job AND own.status = 'success'
    ) END
"""
_COUNTS: Mapping[Subject, LiteralString] = {
    Subject.ENVIRONMENT: """
        SELECT count(DISTINCT id)
        FROM integrations_deployment
        JOIN unnest(%(connections)s::bigint[], %(words)s::text[], %(jobs)s::text[])
             AS proposed (connection_id, native_environment, job) USING (connection_id, native_environment)
        WHERE finished_at >= %(start)s::date AND finished_at < %(end)s::date AND environment = 'other'
          AND deleted_at IS NULL AND pipeline_run_id IS NULL AND activation_of_id IS NULL
    """,
    Subject.DEPLOYING: f"""
        SELECT count(DISTINCT run.id)
        FROM integrations_pipelinerun run
        JOIN unnest(%(connections)s::bigint[], %(words)s::text[], %(jobs)s::text[])
             AS proposed (connection_id, name, job) USING (connection_id, name)
        WHERE run.finished_at >= %(start)s::date AND run.finished_at < %(end)s::date AND run.deleted_at IS NULL
          AND {_SUCCEEDED}
    """,  # noqa: S608  # constants of this module
}


_WITHOUT_PRODUCTION: LiteralString = f"""
    SELECT repository.name, min(used.connection_id), bool_or(used.is_run)
    FROM (
        SELECT run.repository_id, run.connection_id, true AS is_run
        FROM integrations_pipelinerun run
        JOIN unnest(%(run_connections)s::bigint[], %(run_names)s::text[], %(run_jobs)s::text[])
             AS proposed (connection_id, name, job) USING (connection_id, name)
        WHERE run.finished_at >= %(start)s::date AND run.finished_at < %(end)s::date AND run.deleted_at IS NULL
          AND {_SUCCEEDED}
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
"""  # noqa: S608  # constants of this module


@dataclass(frozen=True, slots=True)
class WithoutProduction:
    """A repository that deploys, by the names of its pipelines or environments, but never to production.

    `subject` and `connection` identify the mapping by which an admin can change that.
    """

    repository: str
    connection: int
    subject: Subject


@dataclass(frozen=True, slots=True)
class NamesInUse:
    """The names of pipelines, of jobs that deploy or may deploy, and of environments in a range of days, with the
    mappings of their connections.
    """

    start: date
    end: date
    names: Sequence[tuple[int, str, str, str]]  # connection, subject, name, job of the pipeline or nothing
    mappings: Mapping[int, ValueMappings]


def names_in_use(start: date, end: date) -> NamesInUse:
    names = sql.rows(_USED, {"start": start, "end": end})
    return NamesInUse(start, end, names, value_mappings_by_connection({connection for connection, *_ in names}))


def repositories_without_production(used: NamesInUse) -> list[WithoutProduction]:
    """The repositories that deployed in these days, but not to production, by name."""
    runs, words = [], []
    for connection, subject, word, job in used.names:
        of_connection = used.mappings[connection]
        is_proposed = bool(word) and of_connection.proposed(Subject(subject), word, job) is not None
        deploys = of_connection.of_job(word, job).environment if job else of_connection.of_deploying(word)
        if subject == Subject.DEPLOYING and (is_proposed or deploys):
            runs.append((connection, word, job))
        elif subject == Subject.ENVIRONMENT and is_proposed:
            words.append((connection, word))
    if not runs and not words:
        return []
    rows = sql.rows(
        _WITHOUT_PRODUCTION,
        {
            "start": used.start,
            "end": used.end,
            "run_connections": [connection for connection, *_ in runs],
            "run_names": [name for _, name, _ in runs],
            "run_jobs": [job for *_, job in runs],
            "connections": [connection for connection, _ in words],
            "words": [word for _, word in words],
        },
    )
    return [
        WithoutProduction(name, connection, Subject.DEPLOYING if is_run else Subject.ENVIRONMENT)
        for name, connection, is_run in rows
    ]


def unconfirmed_deployments(used: NamesInUse) -> tuple[int, int]:
    """The numbers of deployments and of successful pipeline runs of these days that wait for a confirmed mapping."""
    days = {"start": used.start, "end": used.end}
    counts = []
    for subject, count in _COUNTS.items():
        proposed = [
            (connection, word, job)
            for connection, of, word, job in used.names
            if of == subject and word and used.mappings[connection].proposed(subject, word, job)
        ]
        parameters = dict(zip(("connections", "words", "jobs"), map(list, zip(*proposed, strict=True)), strict=False))
        [(records,)] = sql.rows(count, {**days, **parameters}) if proposed else [(0,)]
        counts.append(records)
    return counts[0], counts[1]
