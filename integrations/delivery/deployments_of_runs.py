"""Deployments derived from pipeline runs: runs of pipelines that deploy, by their name or an admin's mapping.

A run counts if one of its jobs deploys by its name.  Without such a job, it counts if it ran on the default branch, a
release branch or a tag.  Runs for a pull request or a merge group never count.  The environment is taken from the run's
title first, then from the pipeline's name.  If a pipeline does not deploy by its name (CI), only runs with a job that
deploys count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, LiteralString, NamedTuple

from core import sql
from integrations.delivery.changed_days import append_record_days, days_of
from integrations.delivery.linking.corrections import grounds_of, relink_corrected
from integrations.delivery.linking.relink import relink_deployments
from integrations.delivery.linking.unlink import UnlinkedRecords
from integrations.delivery.mappings.effective import Subject, ValueMappings, value_mappings_of
from integrations.delivery.mappings.environments import (
    default_deploying,
    judge_job,
    judge_job_alone,
    proposed_deploying,
)
from integrations.delivery.mappings.mapped_columns import ENVIRONMENT, recompute_mapped_column
from integrations.delivery.rollouts.recompute import recompute_outcomes
from integrations.enums import CHANGE_REQUEST, Kind
from integrations.models import Connection, Deployment, PipelineRun
from integrations.models.connections import USUAL_DEFAULT_BRANCHES

# Column of the deployment → expressions over its run, and over the run's job.
_COLUMNS: Mapping[str, str] = {
    "repository_id": "repository_id",
    "environment": "deployed_to",
    "native_environment": "name::varchar(200)",
    "status": "outcome",
    "native_status": "native_outcome",
    "sha": "sha",
    "ref": "branch",
    "url": "url",
    "deployed_by_id": "started_by_id",
    "created_at": "queued_at",
    "started_at": "coalesce(job_started_at, started_at)",
    "finished_at": "CASE WHEN rule = 'job' THEN job_finished_at ELSE finished_at END",
    "job": "coalesce(job, '')",
    "parent": "parent",
    "rule": "rule",
    "pipeline_run_id": "id",
}
_NAMES = ", ".join(_COLUMNS)
_OF_RUNS = "run.id = ANY (%(runs)s)"
_OF_REPOSITORIES = "run.repository_id = ANY (%(repositories)s)"
_OF_NAME = "(run.name = %(name)s OR cardinality(run.deploying_jobs) > 0 AND starts_with(%(name)s, run.name || ' / '))"
# Runs that a pull request or a merge queue starts only test a change; each provider names these events differently.
MAY_DEPLOY: LiteralString = """
    run.deleted_at IS NULL AND run.trigger !~* '^(pull|merge)[ _-]?(request|group|queue|train)'
    AND run.branch !~ '^(refs/)?(pull|merge-requests|heads/gh-readonly-queue)/|^gh-readonly-queue/'
"""
_BRANCH_RULE: LiteralString = r"""
    CASE
        WHEN place.branch = '' THEN 'unknown_branch'
        WHEN place.is_tag OR run.trigger IN ('release', 'tag', 'tag_push')
             OR place.branch ~* '^([^/]+@)?(v[0-9]+|v?[0-9]+(\.[0-9]+)+([-+.][0-9a-z.-]+)?)$'
             OR EXISTS (SELECT FROM integrations_repository own
                        JOIN integrations_repositorysource source ON source.repository_id = own.id
                        WHERE coalesce(own.joined_into_id, own.id) = run.repository_id AND source.tags ? place.branch)
             OR EXISTS (SELECT FROM integrations_release release
                        WHERE release.repository_id = run.repository_id AND release.tag = place.branch) THEN 'tag'
        WHEN place.branch = repository.default_branch
             OR repository.default_branch = '' AND place.branch = ANY (%(usual_branches)s) THEN 'default_branch'
        WHEN place.branch = ANY (%(usual_branches)s)
             OR place.branch ~* '^(releases?(?!-please)|rel|production|prod|live|stable)([/_.-]|$)'
             OR place.branch ~* '[/_.-](release|production|stable)$' THEN 'release_branch'
    END
"""
# One row: among the jobs that deploy by their names, those to the run's own environment, else to the job's own; jobs
# whose names leave the environment open count only if no other job deploys.
_JOBS: LiteralString = """
    SELECT environment AS deployed_to, bool_or(status = 'failure') AS failed, bool_or(status = 'success') AS succeeded,
           bool_or(status IN ('queued', 'running')) AS unfinished,
           min(started_at) FILTER (WHERE status IN ('success', 'failure')) AS job_started_at,
           max(finished_at) FILTER (WHERE status IN ('success', 'failure')) AS job_finished_at,
           (array_agg(external_id ORDER BY finished_at DESC NULLS LAST, external_id))[1] AS job
    FROM (
        SELECT job.*, coalesce(nullif(deploys.environment, ''), run.intended) AS environment,
               rank() OVER (
                   ORDER BY coalesce(nullif(deploys.environment, ''), run.intended)
                            <> coalesce(run.intended, 'production'),
                            deploys.is_open, deploys.environment DESC
               ) AS place
        FROM integrations_pipelinejob job
        JOIN unnest(%(pipelines)s::text[], %(jobs)s::text[], %(job_environments)s::text[], %(open_jobs)s::boolean[],
                    %(alone)s::boolean[])
             AS deploys (pipeline, name, environment, is_open, alone)
             ON deploys.name = job.name AND deploys.pipeline = run.name AND deploys.alone = (run.intended IS NULL)
        WHERE job.run_id = run.id
    ) AS deploying
    WHERE place = 1
    GROUP BY environment
"""
# A source's own deployments replace those derived from its runs if they went to the same environment and have the same
# service (a run names none) or the same commit.
_RECOMPUTE = f"""
    WITH selected AS (
        SELECT run.*, meant.environment AS intended, meant.decided
        FROM integrations_pipelinerun run
        LEFT JOIN unnest(%(names)s::text[], %(titles)s::text[], %(environments)s::text[], %(decided)s::boolean[])
             AS meant (name, title, environment, decided) ON meant.name = run.name AND meant.title = run.title
        WHERE run.connection_id = %(connection)s AND {{scope}}
    ), judged AS (
        SELECT run.*, coalesce(jobs.deployed_to, run.intended) AS deployed_to, jobs.job, jobs.job_started_at,
               CASE WHEN jobs.unfinished AND run.finished_at IS NULL THEN NULL ELSE jobs.job_finished_at END
                   AS job_finished_at,
               CASE WHEN jobs.deployed_to IS NULL THEN {_BRANCH_RULE}
                    WHEN jobs.failed OR jobs.succeeded OR run.finished_at IS NULL THEN 'job' END AS rule,
               CASE WHEN jobs.unfinished AND run.finished_at IS NULL THEN 'running' WHEN jobs.failed THEN 'failure'
                    WHEN jobs.succeeded THEN 'success' ELSE run.status END AS outcome,
               CASE WHEN jobs.unfinished AND run.finished_at IS NULL THEN 'running' WHEN jobs.failed THEN 'failure'
                    WHEN jobs.succeeded THEN 'success' ELSE run.native_status END AS native_outcome
        FROM selected run
        JOIN integrations_repository repository ON repository.id = run.repository_id
        CROSS JOIN LATERAL (
            SELECT regexp_replace(run.branch, '^(refs/)?(heads/|tags/|remotes/)?(origin/)?', '') AS branch,
                   run.branch LIKE 'refs/tags/%%' AS is_tag
        ) AS place
        LEFT JOIN LATERAL ({_JOBS}) AS jobs ON true
        WHERE coalesce(run.intended, jobs.deployed_to) IS NOT NULL AND {MAY_DEPLOY}
    ), deploying AS (
        SELECT * FROM judged
        WHERE rule IS NOT NULL
          AND (coalesce(decided, false) OR NOT EXISTS (
              SELECT FROM integrations_deployment own
              WHERE own.repository_id = judged.repository_id AND own.pipeline_run_id IS NULL
                AND own.deleted_at IS NULL AND own.environment = judged.deployed_to AND own.task <> '{CHANGE_REQUEST}'
                AND (own.service = '' OR own.sha <> '' AND own.sha = judged.sha
                     OR own.run <> '' AND own.run = judged.run)
          ))
    ), gone AS (
        DELETE FROM integrations_deployment deployment USING selected
        WHERE deployment.pipeline_run_id = selected.id AND selected.id NOT IN (SELECT id FROM deploying)
        RETURNING deployment.id
    ), put AS (
        INSERT INTO integrations_deployment AS stored (connection_id, external_id, {_NAMES})
        SELECT connection_id, ('run:' || external_id)::varchar(200), {", ".join(_COLUMNS.values())} FROM deploying
        {sql.update_changed("connection_id, external_id", _COLUMNS)}
        RETURNING id
    )
    SELECT id FROM gone UNION SELECT id FROM put
"""  # noqa: S608  # constants of this module


def recompute_deployments_of(connection: Connection, meanings: ValueMappings, runs: Iterable[int]) -> int:
    """Turn the runs whose names are mapped to an environment into deployments; return the number of changes."""
    parameters = {"runs": sorted(runs)}
    _note_deploying_jobs(connection, _OF_RUNS, parameters)
    return _recompute(connection, meanings, _OF_RUNS, parameters)


def recompute_deployments_named(connection: Connection, meanings: ValueMappings, name: str) -> int:
    """Recompute the deployments of all the connection's runs of this pipeline, or with this job."""
    return _recompute(connection, meanings, _OF_NAME, {"name": name})


def recompute_deployments_beside(deployments: Iterable[int]) -> int:
    """Recompute derived deployments in these deployments' repositories: a source's own deployments replace derived
    ones.

    Nearly always nothing changes: only the first deployment to an environment, and the last, matter.
    """
    rows = sql.rows(
        """
        SELECT DISTINCT touched.repository_id
        FROM (
            SELECT DISTINCT repository_id, unnest(ARRAY[environment, 'production']) AS environment
            FROM integrations_deployment WHERE id = ANY (%(ids)s)
        ) AS touched
        WHERE EXISTS (
            SELECT FROM integrations_deployment derived
            WHERE derived.repository_id = touched.repository_id AND derived.environment = touched.environment
              AND derived.pipeline_run_id IS NOT NULL
        ) OR NOT EXISTS (
            SELECT FROM integrations_deployment own
            WHERE own.repository_id = touched.repository_id AND own.environment = touched.environment
              AND own.service = '' AND own.pipeline_run_id IS NULL AND own.deleted_at IS NULL
              AND own.id <> ALL (%(ids)s)
        )
        """,
        {"ids": sorted(deployments)},
    )
    return recompute_deployments_in(row[0] for row in rows)


def recompute_deployments_in(repositories: Iterable[int]) -> int:
    """Recompute the derived deployments of all runs in these repositories, for every connection."""
    repository_ids = sorted(repositories)
    runs = PipelineRun.objects.filter(repository__in=repository_ids)
    connections = Connection.objects.filter(pk__in=runs.values("connection")) if repository_ids else []
    return sum(
        _recompute(connection, value_mappings_of(connection), _OF_REPOSITORIES, {"repositories": repository_ids})
        for connection in connections
    )


def recompute_all_deployments() -> None:
    """Recompute all derived deployments by the current mappings of environments and statuses, without linking.

    Deployments that stay otherwise unchanged keep their links; the caller links everything afterwards.
    """
    for connection in Connection.objects.order_by("pk"):
        meanings = value_mappings_of(connection)
        ids = list(Deployment.objects.filter(connection=connection).values_list("pk", flat=True))
        before = days_of(Kind.DEPLOYMENT, ids)
        changed = recompute_mapped_column(ENVIRONMENT, meanings, ids)
        with_outcome, _ = recompute_outcomes(ids)
        append_record_days(Kind.DEPLOYMENT, changed | with_outcome, before)
    for connection in Connection.objects.order_by("pk"):
        _note_deploying_jobs(connection, "true", {})
        _recompute(connection, value_mappings_of(connection), "true", {})


def _recompute(connection: Connection, meanings: ValueMappings, scope: str, parameters: Mapping[str, Any]) -> int:
    params = {"connection": connection.pk, **parameters}
    rows = sql.rows(
        f"""
        SELECT run.name, run.title, array_remove(array_agg(deployment.id), NULL)
        FROM integrations_pipelinerun run
        LEFT JOIN integrations_deployment deployment ON deployment.pipeline_run_id = run.id
        WHERE run.connection_id = %(connection)s AND {scope}
        GROUP BY run.name, run.title
        """,  # noqa: S608  # constants of this module
        params,
    )
    meant = {(name, title): environment for name, title, _ in rows if (environment := meanings.of_run(name, title))}
    stored = {id_ for *_, ids in rows for id_ in ids}
    jobs = _deploying_jobs(meanings, {name for name, _ in meant}, scope, params)
    if not meant and not stored and not jobs:
        return 0
    before, grounds_before = days_of(Kind.DEPLOYMENT, stored), grounds_of(Kind.DEPLOYMENT, stored)
    changed = sql.ids(
        _RECOMPUTE.format(scope=scope),
        {
            **params,
            "names": [name for name, _ in meant],
            "titles": [title for _, title in meant],
            "environments": [str(environment) for environment in meant.values()],
            "decided": [meanings.is_decided(Subject.DEPLOYING, name) for name, _ in meant],
            "pipelines": [one.pipeline for one in jobs],
            "jobs": [one.name for one in jobs],
            "job_environments": [one.environment for one in jobs],
            "open_jobs": [one.is_open for one in jobs],
            "alone": [one.is_alone for one in jobs],
            "usual_branches": sorted(USUAL_DEFAULT_BRANCHES),
        },
    )
    _relink(changed)
    relink_corrected(Kind.DEPLOYMENT, stored, grounds_before)
    append_record_days(Kind.DEPLOYMENT, changed, before)
    return len(changed)


class _DeployingJob(NamedTuple):
    """A job that deploys by its name.  `alone`: its pipeline's name does not say that it deploys."""

    pipeline: str
    name: str
    environment: str
    is_open: bool
    is_alone: bool


def _deploying_jobs(
    meanings: ValueMappings, deploying: Collection[str], scope: str, params: Mapping[str, Any]
) -> list[_DeployingJob]:
    """The jobs that deploy: in pipelines that deploy by their name or title, and on their own."""
    names = sql.rows(
        f"""
        SELECT DISTINCT run.name, job.name
        FROM integrations_pipelinerun run JOIN integrations_pipelinejob job ON job.run_id = run.id
        WHERE run.connection_id = %(connection)s
          AND (run.name = ANY (%(deploying)s) OR run.deploying_jobs <> '{{}}') AND {scope}
        """,  # noqa: S608  # constants of this module
        {**params, "deploying": sorted(deploying)},
    )
    jobs = []
    for pipeline, name in names:
        verdict = judge_job(name) if pipeline in deploying else None
        if verdict is not None:
            environment = str(verdict.environment or "") if verdict.named else ""
            jobs.append(_DeployingJob(pipeline, name, environment, verdict.proposed, is_alone=False))
        alone = meanings.of_job(pipeline, name)
        if alone.environment is not None and not alone.proposed:
            jobs.append(_DeployingJob(pipeline, name, str(alone.environment), is_open=False, is_alone=True))
    return jobs


def _note_deploying_jobs(connection: Connection, scope: str, parameters: Mapping[str, Any]) -> None:
    """Store which jobs of these runs deploy, in pipelines whose own names do not say so.

    If there is none, store the jobs that may deploy, unless the pipeline itself waits for an admin's answer.
    """
    params = {"connection": connection.pk, **parameters}
    names = sql.rows(
        f"""
        SELECT DISTINCT run.name, job.name
        FROM integrations_pipelinerun run JOIN integrations_pipelinejob job ON job.run_id = run.id
        WHERE run.connection_id = %(connection)s AND {scope}
        """,  # noqa: S608  # constants of this module
        params,
    )
    judged = []
    for pipeline, name in names:
        verdict = judge_job_alone(pipeline, name)
        is_proposed = verdict.proposed and proposed_deploying(pipeline) is None
        if default_deploying(pipeline) is None and (is_proposed or (verdict.environment and not verdict.proposed)):
            judged.append((pipeline, name, verdict.proposed))
    sql.execute(
        f"""
        UPDATE integrations_pipelinerun run SET deploying_jobs = noted.names
        FROM (
            SELECT run.id, coalesce(
                       array_agg(DISTINCT judged.name) FILTER (WHERE NOT judged.is_open),
                       array_agg(DISTINCT judged.name) FILTER (WHERE judged.is_open), '{{}}'
                   )::text[] AS names
            FROM integrations_pipelinerun run
            LEFT JOIN (
                integrations_pipelinejob job
                JOIN unnest(%(pipelines)s::text[], %(jobs)s::text[], %(open)s::boolean[])
                     AS judged (pipeline, name, is_open) ON judged.name = job.name
            ) ON job.run_id = run.id AND judged.pipeline = run.name
            WHERE run.connection_id = %(connection)s AND {scope}
            GROUP BY run.id
        ) AS noted
        WHERE run.id = noted.id AND run.deploying_jobs <> noted.names
        """,  # noqa: S608  # constants of this module
        {
            **params,
            "pipelines": [pipeline for pipeline, _, _ in judged],
            "jobs": [name for _, name, _ in judged],
            "open": [is_open for *_, is_open in judged],
        },
    )


def _relink(changed: set[int]) -> None:
    """Relink the deployments that remain, and the records that were linked to removed ones."""
    there = set(Deployment.objects.filter(pk__in=changed).values_list("pk", flat=True))
    loose = UnlinkedRecords()
    loose.loosen(Kind.DEPLOYMENT, changed - there)
    relink_deployments(changed)
    loose.relink_rest()
