"""Pipeline runs, as relations for the metric engine.  They count for the owner of their repository.

Attempts of one (repository, name, sha, branch) are one run, with the result of the last attempt, when that finishes.

`assistance` and `work_type` are those of the pull request on whose commit it ran; null without a counted pull request.
`service` are the services whose paths that pull request touches, else the service of its first deployment.

Optional columns come from LEFT JOINs by primary key, which the planner drops from queries that do not use them.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import Relation
from integrations.models import FactFamily

_DESCRIPTION: LiteralString = """
               figures.run_id,
               NULL::bigint AS person_id,
               owned.id AS owned_id,
               figures.finished_on AS day,
               left(run.sha, 10) AS reference,
               run.name AS title,
               run.url,
               repository.name AS repository,
               CASE WHEN belonging.agents <> '{}' THEN 'AI'
                    WHEN belonging.pull_request_id IS NOT NULL THEN 'Non-AI' END AS assistance,
               belonging.work_type
"""
_FROM: LiteralString = """
        FROM integrations_pipelinerunfigures figures
        LEFT JOIN integrations_pipelinerun run ON run.id = figures.run_id
        LEFT JOIN integrations_repository repository ON repository.id = figures.repository_id
        LEFT JOIN integrations_owned owned ON owned.repository_id = figures.repository_id
        LEFT JOIN integrations_pullrequestfigures belonging
          ON belonging.pull_request_id = figures.pull_request_id AND belonging.set_apart = ''
"""
_SERVICES: LiteralString = """
        LEFT JOIN integrations_touchedservice touched ON touched.pull_request_id = belonging.pull_request_id
        LEFT JOIN integrations_deployedpullrequest deployed ON deployed.pull_request_id = belonging.pull_request_id
        LEFT JOIN integrations_deployment deployment ON deployment.id = deployed.deployment_id
"""
_SERVICE: LiteralString = "coalesce(touched.service, deployment.service, '') AS service"
_FINISHED: LiteralString = "WHERE figures.is_last AND figures.finished_on IS NOT NULL"

_RUN: LiteralString = """
               figures.is_counted::int AS is_counted,
               (figures.is_counted AND figures.is_successful)::int AS is_successful,
               (figures.is_counted AND figures.is_flaky)::int AS is_flaky,
               CASE WHEN figures.is_counted THEN figures.duration_seconds END AS duration_seconds
"""

PIPELINE_RUNS = Relation(
    name="pipeline_runs",
    family=FactFamily.PIPELINE,
    open_as_in_tools=True,
    owner="owned_id",
    fact="run_id",
    fact_is_row=True,
    sql=f"SELECT {_DESCRIPTION}, {_RUN} {_FROM} {_FINISHED}",
).split_by(
    "service",
    sql=f"SELECT {_DESCRIPTION}, {_RUN}, {_SERVICE} {_FROM} {_SERVICES} {_FINISHED}",
)
"""One row per finished run.  is_counted, is_successful and is_flaky are 1 or 0.

Cancelled and skipped runs are not counted.  A flaky run succeeded after a failed attempt on the same code.
duration_seconds is that of the last attempt; null where its start is unknown, and for cancelled and skipped runs.
By service: a row for each, empty where none is known.
"""

_WAIT: LiteralString = """
               coalesce(job.id, -figures.run_id) AS wait_id,
               CASE WHEN job.id IS NULL THEN figures.queue_seconds
                    WHEN job.started_at >= job.queued_at THEN extract(epoch FROM job.started_at - job.queued_at)::float8
               END AS queue_seconds
"""
_JOBS: LiteralString = "LEFT JOIN integrations_pipelinejob job ON job.run_id = figures.run_id"
_WAITED: LiteralString = f"{_FINISHED} AND (job.id IS NULL OR job.status <> 'skipped')"

PIPELINE_WAITS = Relation(
    name="pipeline_waits",
    family=FactFamily.PIPELINE,
    open_as_in_tools=True,
    owner="owned_id",
    fact="wait_id",
    fact_is_row=True,
    sql=f"SELECT {_DESCRIPTION}, {_WAIT} {_FROM} {_JOBS} {_WAITED}",
).split_by(
    "service",
    sql=f"SELECT {_DESCRIPTION}, {_WAIT}, {_SERVICE} {_FROM} {_JOBS} {_SERVICES} {_WAITED}",
)
"""One row per job of a finished run's last attempt; for an attempt without known jobs, one row.

queue_seconds is the time in the queue (queued → started); null where unknown.  By service: as PIPELINE_RUNS.
"""
