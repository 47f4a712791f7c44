"""Groups attempts of pipelines into runs, and computes their figures."""

from __future__ import annotations

from collections.abc import Iterable

from core import sql
from core.batches import batched
from integrations.delivery.pipeline_runs.pull_requests import recompute_pull_requests_of_runs
from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes, insert_days

AT_ONCE = 5000

_COLUMNS = (
    *("repository_id", "of_run", "is_last", "finished_on", "is_counted", "is_successful", "is_flaky", "attempts"),
    *("duration_seconds", "queue_seconds"),
)
_NAMES = ", ".join(_COLUMNS)

# A run counts on the day on which its last attempt finished.
_NOTE = insert_days({FactFamily.PIPELINE: "SELECT finished_on, finished_on + 1 FROM entered WHERE is_last"})
# The changed attempts, and those in one run with them now or before: losing an attempt changes a run, too.
# The last attempt is the one that started last; among those that started together, the one with the highest number.
_RECOMPUTE = f"""
    WITH changed AS MATERIALIZED (
        SELECT id, connection_id, repository_id, name, sha, branch, run
        FROM integrations_pipelinerun WHERE id = ANY (%(ids)s)
    ), concerned AS (
        SELECT id FROM changed
        UNION
        SELECT beside.id
        FROM (SELECT DISTINCT repository_id, name, sha, branch FROM changed WHERE sha <> '') AS changed
        JOIN integrations_pipelinerun beside USING (repository_id, name, sha, branch)
        UNION
        SELECT beside.id
        FROM (
            SELECT DISTINCT connection_id, repository_id, name, sha, branch, run FROM changed WHERE sha = ''
        ) AS changed
        JOIN integrations_pipelinerun beside USING (connection_id, repository_id, name, sha, branch, run)
        UNION
        SELECT run_id FROM integrations_pipelinerunfigures
        WHERE of_run = ANY (ARRAY(SELECT of_run FROM integrations_pipelinerunfigures WHERE run_id = ANY (%(ids)s)))
    ), attempts AS MATERIALIZED (
        SELECT *, md5(ROW(
            repository_id, name, branch, sha, CASE WHEN sha = '' THEN connection_id END, CASE WHEN sha = '' THEN run END
        )::text)::uuid AS of_run
        FROM integrations_pipelinerun
        WHERE id IN (SELECT id FROM concerned) AND deleted_at IS NULL
    ), placed AS (
        SELECT *,
               row_number() OVER (
                   PARTITION BY of_run
                   ORDER BY coalesce(started_at, queued_at, finished_at) DESC NULLS LAST, attempt DESC,
                            finished_at DESC NULLS FIRST, external_id DESC
               ) = 1 AS is_last,
               count(*) OVER (PARTITION BY of_run) AS attempts,
               bool_or(status = 'failure') OVER (PARTITION BY of_run) AS ever_failed
        FROM attempts
    ), gone AS (
        DELETE FROM integrations_pipelinerunfigures
        WHERE run_id = ANY (ARRAY(SELECT id FROM concerned EXCEPT SELECT id FROM attempts))
        RETURNING run_id
    ), before AS (
        SELECT is_last, finished_on FROM integrations_pipelinerunfigures WHERE run_id IN (SELECT id FROM concerned)
    ), entered AS (
        SELECT * FROM before UNION SELECT is_last, finished_at::date FROM placed
    ), noted AS ({_NOTE}
    ), put AS (
        INSERT INTO integrations_pipelinerunfigures AS stored (run_id, {_NAMES})
        SELECT id, repository_id, of_run, is_last,
               finished_at::date,
               finished_at IS NOT NULL AND status IN ('success', 'failure', 'other'),
               finished_at IS NOT NULL AND status = 'success',
               finished_at IS NOT NULL AND status = 'success' AND ever_failed,
               attempts,
               CASE WHEN status <> 'skipped' AND finished_at >= started_at
                    THEN extract(epoch FROM finished_at - started_at)::float8 END,
               CASE WHEN status <> 'skipped' AND started_at >= queued_at
                    THEN extract(epoch FROM started_at - queued_at)::float8 END
        FROM placed
        {sql.update_changed("run_id", _COLUMNS)}
        RETURNING run_id
    )
    SELECT run_id FROM gone UNION SELECT run_id FROM put
"""  # noqa: S608  # constants of this module


def recompute_run_figures(ids: Iterable[int]) -> int:
    """Recompute the runs of these attempts; return how many attempts changed.

    The days on which their runs count, or counted, are appended to the outbox, even if only their jobs changed.
    """
    run_ids = sorted(ids)
    changed: set[int] = set()
    for some in batched(run_ids, AT_ONCE):
        changed |= sql.ids(_RECOMPUTE, {"ids": some})
    recompute_pull_requests_of_runs(changed.union(run_ids))
    announce_changes()
    return len(changed)


def drop_run_figures(ids: Iterable[int]) -> set[int]:
    """Delete the figures of these attempts, which are about to be deleted; return the other attempts of their runs.

    The changes are appended to the outbox.
    """
    gone = sorted(ids)
    others = sql.ids(
        f"""
        WITH entered AS (
            DELETE FROM integrations_pipelinerunfigures WHERE run_id = ANY (%(ids)s)
            RETURNING of_run, is_last, finished_on
        ), noted AS ({_NOTE})
        SELECT run_id FROM integrations_pipelinerunfigures
        WHERE of_run IN (SELECT of_run FROM entered) AND NOT run_id = ANY (%(ids)s)
        """,  # noqa: S608  # a constant
        {"ids": gone},
    )
    announce_changes()
    return others
