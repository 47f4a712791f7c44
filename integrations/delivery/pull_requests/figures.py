"""Figures of pull requests that metrics count, stored in the transaction that changes the pull requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import LiteralString

from core import sql
from core.batches import batched
from integrations.bots import REVIEW_BOTS
from integrations.connectors.git.agent_signatures import agent_of_bot
from integrations.delivery.pull_requests.changed_days import note_lead_times
from integrations.delivery.pull_requests.figures_sql import STORE
from integrations.delivery.pull_requests.pipeline_waits import recompute_pipeline_waits
from integrations.delivery.pull_requests.reverts import recompute_reverts
from integrations.delivery.pull_requests.stages_sql import BOTS, STALE_AFTER_DAYS
from integrations.models import Method
from integrations.models.connections import USUAL_DEFAULT_BRANCHES
from integrations.outbox.attribution_queue import enqueue_sessions_behind

AT_ONCE = 50_000

# A pull request contains the commits that it lists, and the one that it was merged as.
_SHARING: LiteralString = """
    SELECT other.pull_request_id
    FROM integrations_pullrequestcommit commit
    JOIN integrations_pullrequestcommit other
      ON other.sha = commit.sha AND other.pull_request_id <> commit.pull_request_id
    WHERE commit.pull_request_id = ANY (%(ids)s)
    UNION
    SELECT listed.pull_request_id
    FROM integrations_pullrequest merged
    JOIN integrations_pullrequestcommit listed ON listed.sha = merged.merge_sha AND listed.pull_request_id <> merged.id
    WHERE merged.id = ANY (%(ids)s) AND merged.merge_sha <> ''
"""
_SHARED: LiteralString = """
    SELECT commit.sha
    FROM integrations_pullrequestcommit commit
    JOIN integrations_pullrequestcommit other
      ON other.sha = commit.sha AND other.pull_request_id <> commit.pull_request_id
    WHERE commit.pull_request_id = ANY (%(ids)s)
    UNION
    SELECT commit.sha
    FROM integrations_pullrequestcommit commit
    JOIN integrations_pullrequest merged ON merged.merge_sha = commit.sha AND merged.id <> commit.pull_request_id
    WHERE commit.pull_request_id = ANY (%(ids)s) AND merged.merge_sha <> ''
"""


def recompute_figures(ids: Iterable[int]) -> set[int]:
    """Recompute the figures of these pull requests; return all that changed, others included.

    Another one changes if these brought its commits to the default branch before it, or no longer do.  Changed lead
    times are appended to the outbox here.  The caller must be the only one to store pull requests
    (integrations/outbox/write_lock.py).
    """
    changed_ids = set(ids)
    pull_requests = sorted(changed_ids | sharing_commits(changed_ids))
    changed: set[int] = set()
    for some in batched(pull_requests, AT_ONCE):
        changed |= _recompute(some, shared_commits(some))
    note_lead_times(changed)
    enqueue_sessions_behind(changed)
    return changed | recompute_reverts(pull_requests) | recompute_pipeline_waits(pull_requests)


def _recompute(ids: Sequence[int], shared: list[str]) -> set[int]:
    bots = {
        identity: agent_of_bot(value)
        for identity, value in sql.rows(BOTS, {"ids": ids, "review_bots": sorted(REVIEW_BOTS)})
    }
    return sql.ids(
        STORE,
        {
            "ids": ids,
            "shared": shared,
            "bots": list(bots),
            "agents": list(bots.values()),
            "usual_branches": sorted(USUAL_DEFAULT_BRANCHES),
            "methods": list(Method),
            "stale_after": STALE_AFTER_DAYS,
        },
    )


def sharing_commits(ids: Iterable[int]) -> set[int]:
    """Other pull requests that list commits of these or their merge commits."""
    return sql.ids(_SHARING, {"ids": sorted(ids)})


def shared_commits(ids: Iterable[int]) -> list[str]:
    """The commits of these pull requests that others list or were merged as: few, so they are looked up beforehand."""
    return sql.column(_SHARED, {"ids": sorted(ids)})


def drop_figures(ids: Iterable[int]) -> set[int]:
    """Delete everything derived from these pull requests, which are about to be deleted; return the others affected."""
    gone = sorted(ids)
    enqueue_sessions_behind(gone, leaving=True)
    rows = sql.rows(
        """
        SELECT reverts_id FROM integrations_pullrequestfigures WHERE pull_request_id = ANY (%(ids)s)
        UNION
        SELECT pull_request_id FROM integrations_pullrequestfigures WHERE is_revert AND reverts_id = ANY (%(ids)s)
        """,
        {"ids": gone},
    )
    reverts = {row[0] for row in rows if row[0] is not None}
    following = (reverts | sharing_commits(gone)) - set(gone)
    for table in ("pullrequestwork", "pullrequestshare", "pullrequestmark", "countedreview", "pullrequestfigures"):
        sql.execute(f"DELETE FROM integrations_{table} WHERE pull_request_id = ANY (%s)", [gone])  # noqa: S608  # names of tables
    return following
