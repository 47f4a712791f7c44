"""The pull request of a pipeline run: the one that lists the run's commit, or was merged as it.

If there are several in the repository, the first to be merged counts: the commit is not a later one's own.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from core import sql
from core.batches import batched
from integrations.models import FactFamily
from integrations.outbox.fact_changes import append_days

AT_ONCE = 5000

# Rows are locked in one order: two connections may store pull requests of one repository at the same time.
_RECOMPUTE: LiteralString = """
    WITH selected AS MATERIALIZED (
        SELECT figures.run_id, figures.repository_id, run.sha
        FROM integrations_pipelinerunfigures figures
        JOIN integrations_pipelinerun run ON run.id = figures.run_id
        WHERE figures.run_id = ANY (%(ids)s)
        ORDER BY figures.run_id
        FOR NO KEY UPDATE OF figures
    ), matched AS (
        SELECT DISTINCT ON (selected.run_id) selected.run_id, pull_request.id
        FROM selected
        CROSS JOIN LATERAL (
            SELECT pull_request_id FROM integrations_pullrequestcommit WHERE sha = selected.sha
            UNION ALL
            SELECT id FROM integrations_pullrequest WHERE merge_sha = selected.sha AND merge_sha <> ''
        ) AS named (id)
        JOIN integrations_pullrequest pull_request
          ON pull_request.id = named.id AND pull_request.repository_id = selected.repository_id
             AND pull_request.deleted_at IS NULL
        WHERE selected.sha <> ''
        ORDER BY selected.run_id, pull_request.merged_at NULLS LAST, pull_request.created_at, pull_request.external_id
    )
    UPDATE integrations_pipelinerunfigures figures SET pull_request_id = matched.id
    FROM selected LEFT JOIN matched ON matched.run_id = selected.run_id
    WHERE figures.run_id = selected.run_id AND figures.pull_request_id IS DISTINCT FROM matched.id
"""
_OF_THESE: LiteralString = """
    SELECT run.id
    FROM integrations_pullrequest pull_request
    JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = pull_request.id
    JOIN integrations_pipelinerun run ON run.sha = listed.sha AND run.repository_id = pull_request.repository_id
    WHERE pull_request.id = ANY (%(ids)s)
    UNION
    SELECT run.id
    FROM integrations_pullrequest pull_request
    JOIN integrations_pipelinerun run
      ON run.sha = pull_request.merge_sha AND run.repository_id = pull_request.repository_id
    WHERE pull_request.id = ANY (%(ids)s) AND pull_request.merge_sha <> ''
    UNION
    SELECT run_id FROM integrations_pipelinerunfigures WHERE pull_request_id = ANY (%(ids)s)
"""
_LEAVE: LiteralString = """
    UPDATE integrations_pipelinerunfigures SET pull_request_id = NULL WHERE pull_request_id = ANY (%(ids)s)
    RETURNING run_id
"""
_DAYS = """
    SELECT finished_on, finished_on + 1
    FROM integrations_pipelinerunfigures WHERE run_id = ANY (%(ids)s) AND is_last
"""


def recompute_pull_requests_of_runs(runs: Collection[int]) -> None:
    """Recompute the pull requests of these runs (ids of attempts with figures)."""
    for some in batched(sorted(runs), AT_ONCE):
        sql.execute(_RECOMPUTE, {"ids": some})


def assign_runs_of(pull_requests: Collection[int]) -> None:
    """Recompute which runs belong to these pull requests, and append to the outbox whether they ran for an agent's
    work.

    Call it after any change of pull requests, in the same transaction.
    """
    runs = sql.ids(_OF_THESE, {"ids": sorted(pull_requests)})
    recompute_pull_requests_of_runs(runs)
    _note(runs)


def detach_runs_of(pull_requests: Collection[int]) -> set[int]:
    """Detach the runs of these pull requests, which are about to be deleted; return the runs, appended to the
    outbox.
    """
    runs = sql.ids(_LEAVE, {"ids": sorted(pull_requests)})
    _note(runs)
    return runs


def _note(runs: Collection[int]) -> None:
    if runs:
        append_days({FactFamily.PIPELINE: _DAYS}, {"ids": list(runs)})
