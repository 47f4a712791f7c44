"""Recomputes queued pull requests (integrations/outbox/pull_request_queue.py), one process at a time."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection as database
from django.db import transaction

from core.locks import Lock
from integrations.delivery.changed_days import append_days, days_of
from integrations.delivery.pull_requests.figures import recompute_figures
from integrations.enums import Kind
from integrations.models import Connection, PullRequestWork
from integrations.outbox.write_lock import lock_for_write

PULL_REQUESTS_PER_TRANSACTION = 2000
PULL_REQUESTS = Lock("figures of pull requests")  # one process at a time empties the queue


def recompute_waiting_pull_requests() -> int:
    """Recompute everything in the queue, taking turns with other processes; how many rows there were."""
    done = 0
    while settled := _recompute_some(PULL_REQUESTS.hold):
        done += settled
    return done


def recompute_unless_running() -> None:
    """Recompute everything in the queue, unless another process does; that one then continues until it is empty."""
    while _recompute_some(PULL_REQUESTS.try_hold):
        pass


@transaction.atomic
def _recompute_some(acquire: Callable[[], bool]) -> int:
    """Recompute some of one connection, under the lock for storing its records; how many rows those were."""
    if not acquire():
        return 0
    oldest = PullRequestWork.objects.order_by("pk").values_list("pull_request__connection", flat=True).first()
    if oldest is None:
        return 0
    lock_for_write(Connection.objects.get(pk=oldest), {Kind.PULL_REQUEST})
    claimed = _claim(oldest)
    before = days_of(Kind.PULL_REQUEST, set(claimed))
    changed = recompute_figures(set(claimed))
    append_days(Kind.PULL_REQUEST, changed, before)
    return len(claimed)


def _claim(connection_id: int) -> list[int]:
    """Take the connection's oldest rows; if the transaction fails, they are back in the queue."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM integrations_pullrequestwork
            WHERE id = ANY (ARRAY(
                SELECT work.id
                FROM integrations_pullrequestwork work
                JOIN integrations_pullrequest pull_request ON pull_request.id = work.pull_request_id
                WHERE pull_request.connection_id = %s
                ORDER BY work.id
                LIMIT %s
            ))
            RETURNING pull_request_id
            """,
            [connection_id, PULL_REQUESTS_PER_TRANSACTION],
        )
        return [row[0] for row in cursor.fetchall()]
