"""How far the cells are behind the facts, and how far a fill is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from insights import windows, wording
from insights.models import DirtyRange
from integrations.models import FactChange
from orgtree.models import PlacementChange
from orgtree.services.fiscal_calendar import first_month


@dataclass(frozen=True)
class SnapshotHealth:
    """`since` is when the oldest change was noted that some cell does not hold yet; None: all cells hold everything.

    `groups` of which `standing` can be read; while a fill is under way, `filling_since` and how many pieces are done.
    """

    since: datetime | None
    groups: int
    standing: int
    filling_since: datetime | None
    pieces: int
    pieces_filled: int
    filled_at: datetime | None
    filled_seconds: float

    def lag(self, now: datetime) -> timedelta:
        """How far behind the oldest cells are."""
        return max(now - self.since, timedelta()) if self.since else timedelta()

    def time_left(self, now: datetime) -> timedelta | None:
        """Of the fill under way, by the pieces that are done; None where none is."""
        if self.filling_since is None or not self.pieces_filled:
            return None
        return (now - self.filling_since) / self.pieces_filled * (self.pieces - self.pieces_filled)

    def progress(self, now: datetime) -> str:
        """How far the fill under way is, in words."""
        left = self.time_left(now)
        done = f"{self.pieces_filled} of {self.pieces} parts are computed"
        return done if left is None else f"{done}, about {wording.duration(left.total_seconds())} left"


def changes_waiting() -> int:
    """Changes of facts and placements nobody has looked at, and ranges of cells that have to be computed anew."""
    return FactChange.objects.count() + PlacementChange.objects.count() + DirtyRange.objects.count()


def snapshot_health() -> SnapshotHealth:
    """As of now, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT least((SELECT min(at) FROM integrations_factchange), (SELECT min(at) FROM orgtree_placementchange),
                         (SELECT min(noted_at) FROM insights_dirtyrange)),
                   (SELECT count(*) FROM insights_cellgroup WHERE fiscal_month = %(calendar)s),
                   (SELECT count(*) FROM insights_cellgroup
                    WHERE rolled_to = %(today)s AND fiscal_month = %(calendar)s),
                   state.filling_since, state.pieces, state.pieces_filled, state.filled_at, state.filled_seconds
            FROM (VALUES (1)) AS one (id) LEFT JOIN insights_snapshotstate state USING (id)
            """,
            {"today": windows.local_today(), "calendar": first_month()},
        )
        since, groups, standing, filling_since, pieces, pieces_filled, filled_at, seconds = cursor.fetchone()
    return SnapshotHealth(
        since, groups, standing, filling_since, pieces or 0, pieces_filled or 0, filled_at, seconds or 0.0
    )
