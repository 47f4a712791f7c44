"""Pipeline runs, as relations that metrics are computed from.  They count for the owner of their repository.

Attempts of one (repository, name, sha, branch) are one run: it is what its last attempt is, and counts at its finish.

Whatever a query may leave out stands in a LEFT JOIN by a primary key, which the planner leaves out, too.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import Relation
from integrations.models import FactFamily

_DESCRIBED = frozenset(
    {"run_id", "person_id", "owned_id", "day", "reference", "title", "url", "repository", "pipeline"}
)
_DESCRIPTION: LiteralString = """
               figures.run_id,
               NULL::bigint AS person_id,
               owned.id AS owned_id,
               figures.finished_on AS day,
               left(run.sha, 10) AS reference,
               run.name AS title,
               run.url,
               repository.name AS repository,
               run.name AS pipeline
"""
_FROM: LiteralString = """
        FROM integrations_pipelinerunfigures figures
        LEFT JOIN integrations_pipelinerun run ON run.id = figures.run_id
        LEFT JOIN integrations_repository repository ON repository.id = figures.repository_id
        LEFT JOIN integrations_owned owned ON owned.repository_id = figures.repository_id
"""

PIPELINE_RUNS = Relation(
    name="pipeline_runs",
    family=FactFamily.PIPELINE,
    open_as_in_tools=True,
    day="day",
    person="person_id",
    owner="owned_id",
    fact="run_id",
    fact_is_row=True,
    columns=_DESCRIBED | {"is_counted", "is_successful", "is_flaky", "duration_seconds"},
    sql=f"""
        SELECT {_DESCRIPTION},
               figures.is_counted::int AS is_counted,
               (figures.is_counted AND figures.is_successful)::int AS is_successful,
               (figures.is_counted AND figures.is_flaky)::int AS is_flaky,
               figures.duration_seconds
        {_FROM}
        WHERE figures.is_last AND figures.finished_on IS NOT NULL
    """,
)
"""One row per run that is finished.  is_counted, is_successful and is_flaky are 1 or 0.

Cancelled and skipped runs are not counted.  A flaky one succeeded after an attempt that failed, with the same code.
duration_seconds is that of the last attempt; null where its start is not known, and of skipped ones, which never ran.
"""

PIPELINE_WAITS = Relation(
    name="pipeline_waits",
    family=FactFamily.PIPELINE,
    open_as_in_tools=True,
    day="day",
    person="person_id",
    owner="owned_id",
    fact="wait_id",
    fact_is_row=True,
    columns=_DESCRIBED | {"wait_id", "queue_seconds"},
    sql=f"""
        SELECT {_DESCRIPTION},
               coalesce(job.id, -figures.run_id) AS wait_id,
               CASE WHEN job.id IS NULL THEN figures.queue_seconds
                    WHEN job.started_at >= job.queued_at THEN extract(epoch FROM job.started_at - job.queued_at)::float8
               END AS queue_seconds
        {_FROM}
        LEFT JOIN integrations_pipelinejob job ON job.run_id = figures.run_id
        WHERE figures.is_last AND figures.finished_on IS NOT NULL AND (job.id IS NULL OR job.status <> 'skipped')
    """,  # noqa: S608  # constants
)
"""One row per job of a finished run's last attempt; of an attempt whose jobs are not known, one for itself.

queue_seconds is how long it waited for somebody to run it: queued → started; null where that is not known.
"""
