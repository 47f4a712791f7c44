"""Background attribution: nudged when evidence arrives, and swept regularly."""

from __future__ import annotations

from celery import shared_task

from core.locks import Lock
from core.queue import drain
from integrations.code.attribution.collected_lines import update_collected_evidence
from integrations.code.attribution.derive import derive
from integrations.code.attribution.named_commits import request_reading_of_named, update_named_evidence
from integrations.code.attribution.overlap import commits_near, update_overlap_evidence
from integrations.code.attribution.session_outcomes import recompute_outcomes
from integrations.code.attribution.vendor_commits import update_vendor_evidence
from integrations.code.commits.changed_days import append_changes_of_commits
from integrations.facts.ai import append_changes_of_sessions
from integrations.outbox.attribution_queue import take_work, with_representatives
from integrations.outbox.pull_request_queue import enqueue_pull_requests_with

ROWS_PER_TRANSACTION = 500
ATTRIBUTION = Lock("attribution")  # one process at a time, because commits share a session's lines


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def attribute() -> None:
    """Process the attribution queue unless another worker is doing so: that one continues until the queue is empty.

    Waiting for it would block the pool's threads while a repository is imported.
    """
    drain(_attribute_some, enter=ATTRIBUTION.try_hold)


def attribute_pending() -> int:
    """Process the queue until it is empty, taking turns with other workers; returns the number of rows."""
    return drain(_attribute_some, enter=ATTRIBUTION.hold)


def _attribute_some() -> int:
    work = take_work(ROWS_PER_TRANSACTION)
    if not work.rows:
        return 0
    commits = with_representatives(work.commits | commits_near(work.sessions))
    update_collected_evidence(commits)
    update_vendor_evidence(commits)
    sessions = work.sessions | update_overlap_evidence(commits) | update_named_evidence(commits)
    request_reading_of_named(work.sessions)
    derived = derive(commits, sessions)
    changed = recompute_outcomes(work.commits, sessions | derived.sessions)
    append_changes_of_commits(work.commits | derived.changed)
    append_changes_of_sessions(changed)
    enqueue_pull_requests_with(work.commits | derived.changed)
    return work.rows
