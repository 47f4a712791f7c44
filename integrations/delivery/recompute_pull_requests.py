"""Recomputes queued pull requests (integrations/outbox/pull_request_queue.py), one process at a time."""

from __future__ import annotations

from core.locks import Lock
from core.queue import drain, take
from integrations.code.attribution.label_evidence import update_label_evidence
from integrations.delivery.changed_days import append_record_days, days_of
from integrations.delivery.linking.relink import relink
from integrations.delivery.pull_requests.figures import recompute_figures
from integrations.delivery.pull_requests.merge_bots import recompute_merges_of_bots
from integrations.enums import Kind
from integrations.models import Connection, PullRequestWork
from integrations.outbox.write_lock import lock_for_write

PULL_REQUESTS_PER_TRANSACTION = 2000
PULL_REQUESTS = Lock("figures of pull requests")  # one process at a time empties the queue


def recompute_waiting_pull_requests() -> int:
    """Recompute everything in the queue; return how many rows there were.

    If another process is doing so already, the rows are left to it: it continues until the queue is empty.
    """
    return drain(_recompute_some, enter=PULL_REQUESTS.try_hold)


def _recompute_some() -> int:
    """Recompute a batch of one connection, under the lock for storing its records; return how many rows it had."""
    queue = PullRequestWork.objects.order_by("pk")
    oldest = queue.values_list("pull_request__connection", flat=True).first()
    if oldest is None:
        return 0
    lock_for_write(Connection.objects.get(pk=oldest), {Kind.PULL_REQUEST})
    rows = take(queue.filter(pull_request__connection=oldest), PULL_REQUESTS_PER_TRANSACTION)
    pull_requests = {row.pull_request_id for row in rows}
    before = days_of(Kind.PULL_REQUEST, pull_requests)
    update_label_evidence(pull_requests)
    merged = recompute_merges_of_bots(pull_requests)
    relink(Kind.PULL_REQUEST, merged)
    changed = merged | recompute_figures(pull_requests)
    append_record_days(Kind.PULL_REQUEST, changed, before)
    return len(rows)
