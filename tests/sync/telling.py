"""What the tests ask the engine for, and what they compare."""

from __future__ import annotations

from integrations.models import Connection, PullRequest, SyncRun
from integrations.sync.ask import ask_for_sync
from integrations.sync.turns import take_turn


def read_everything(connection: Connection, *, full: bool = False) -> list[SyncRun]:
    """Ask for it, and take turns until nothing is due; the runs, in the order in which they began."""
    before = SyncRun.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    ask_for_sync(connection, full=full)
    while take_turn() is not None:
        pass
    return list(SyncRun.objects.filter(pk__gt=before).order_by("pk"))


def titles(connection: Connection) -> dict[str, str]:
    """External id → title of every pull request that is there."""
    rows = PullRequest.objects.filter(connection=connection, deleted_at=None)
    return dict(rows.values_list("external_id", "title"))
