"""Readings of the engine for tests, and what is compared of them."""

from __future__ import annotations

from django.utils import timezone

from integrations.models import Connection, PullRequest, Quota, Stream, SyncRun
from integrations.sync.enqueue import enqueue_sync
from integrations.sync.slices import run_next_slice


def read_everything(connection: Connection, *, full: bool = False) -> list[SyncRun]:
    """Request a reading, and run slices until nothing is due; the runs, in the order in which they began."""
    before = SyncRun.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    enqueue_sync(connection, full=full)
    while run_next_slice() is not None:
        pass
    return list(SyncRun.objects.filter(pk__gt=before).order_by("pk"))


def titles(connection: Connection) -> dict[str, str]:
    """External id → title of every pull request that is there."""
    rows = PullRequest.objects.filter(connection=connection, deleted_at=None)
    return dict(rows.values_list("external_id", "title"))


def let_time_pass(connection: Connection) -> None:
    """End every wait of its streams."""
    now = timezone.now()
    Stream.objects.filter(resource__connection=connection).update(due_at=now)
    Quota.objects.filter(connection=connection).update(blocked_until=None, resets_at=now)


def read_through(connection: Connection, *, most_turns: int = 30) -> None:
    """Run slices, and let time pass where one waits, until every stream was read to its end."""
    for _ in range(most_turns):
        if run_next_slice() is None:
            unread = Stream.objects.filter(resource__connection=connection, succeeded_at=None)
            if not unread.exists():
                return
            let_time_pass(connection)
    raise AssertionError(f"Not read after {most_turns} turns: {[(s.problem, s.cursor) for s in unread]}")


def last_run(connection: Connection) -> SyncRun:
    run = SyncRun.objects.filter(stream__resource__connection=connection).order_by("-pk").first()
    assert run is not None
    return run
