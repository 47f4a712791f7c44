"""The time that pull requests waited for pipelines (queued to finished, from opening to merge), and failed runs."""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from core import sql
from core.batches import batched

AT_ONCE = 300_000  # smaller batches cost more per row: runs are then looked up one by one, not read in one go

# Runs of its commits, one row per attempt; the time of simultaneous runs counts once.
_RECOMPUTE: LiteralString = """
    WITH waited AS (
        SELECT figures.pull_request_id AS id,
               range_agg(tstzrange(
                   greatest(coalesce(run.queued_at, run.started_at), figures.opened_at),
                   greatest(least(run.finished_at, figures.merged_at),
                            coalesce(run.queued_at, run.started_at), figures.opened_at)
               )) AS times
        FROM integrations_pullrequestfigures figures
        JOIN integrations_pullrequestcommit commit ON commit.pull_request_id = figures.pull_request_id
        JOIN integrations_pipelinerun run ON run.sha = commit.sha AND run.repository_id = figures.repository_id
        WHERE figures.pull_request_id = ANY (%(ids)s) AND figures.merged_at >= figures.opened_at
          AND run.deleted_at IS NULL AND run.sha <> '' AND run.finished_at >= coalesce(run.queued_at, run.started_at)
        GROUP BY figures.pull_request_id
    ), ran AS (
        SELECT figures.pull_request_id AS id, count(*) FILTER (WHERE run.status = 'failure')::int AS failed
        FROM integrations_pullrequestfigures figures
        JOIN integrations_pullrequest pull_request ON pull_request.id = figures.pull_request_id
        JOIN integrations_pullrequestcommit commit ON commit.pull_request_id = figures.pull_request_id
        JOIN integrations_pipelinerun run ON run.sha = commit.sha AND run.repository_id = figures.repository_id
        WHERE figures.pull_request_id = ANY (%(ids)s) AND run.deleted_at IS NULL AND run.sha <> ''
          AND run.status IN ('success', 'failure')
          AND run.finished_at <= coalesce(pull_request.merged_at, pull_request.closed_at, 'infinity')
        GROUP BY figures.pull_request_id
    )
    UPDATE integrations_pullrequestfigures figures
    SET ci_wait_seconds = recomputed.seconds, failed_run_count = recomputed.failed
    FROM (
        SELECT selected.id, CASE WHEN waited.id IS NOT NULL THEN (
            SELECT coalesce(sum(extract(epoch FROM upper(during) - lower(during))), 0)::float8
            FROM unnest(waited.times) AS during
        ) END AS seconds, ran.failed
        FROM unnest(%(ids)s::bigint[]) AS selected (id)
        LEFT JOIN waited ON waited.id = selected.id
        LEFT JOIN ran ON ran.id = selected.id
    ) AS recomputed
    WHERE figures.pull_request_id = recomputed.id
      AND (figures.ci_wait_seconds, figures.failed_run_count) IS DISTINCT FROM (recomputed.seconds, recomputed.failed)
    RETURNING figures.pull_request_id
"""
_OF_RUNS: LiteralString = """
    SELECT DISTINCT commit.pull_request_id
    FROM integrations_pipelinerun run
    JOIN integrations_pullrequestcommit commit ON commit.sha = run.sha
    WHERE run.id = ANY (%s) AND run.sha <> ''
"""


def recompute_pipeline_waits(pull_requests: Collection[int]) -> set[int]:
    """Recompute the waits and failed runs of these pull requests; return those that changed.  Their figures exist
    already.
    """
    changed: set[int] = set()
    for some in batched(sorted(pull_requests), AT_ONCE):
        changed |= sql.ids(_RECOMPUTE, {"ids": some})
    return changed


def recompute_pipeline_waits_for(runs: Collection[int]) -> set[int]:
    """Recompute the waits of the pull requests that list the commits of these pipeline runs."""
    return recompute_pipeline_waits(waiting_for(runs))


def waiting_for(runs: Collection[int]) -> set[int]:
    """The pull requests that list the commits of these pipeline runs."""
    return sql.ids(_OF_RUNS, [sorted(runs)])
