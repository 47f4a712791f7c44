"""Work items by their definitions: done at their last entry into done, for the assignee then, else the last."""

from __future__ import annotations

from datetime import datetime

from tests.delivery.oracle.calendar import day_of
from tests.delivery.oracle.figures import Counted
from tests.delivery.oracle.organisation import person_of
from tests.delivery.oracle.pull_requests import seconds, time_of
from tests.delivery.oracle.repositories import Record
from tests.delivery.oracle.world import World


class WorkItem:
    def __init__(self, record: Record) -> None:
        self._record = record
        self.key: str = record["id"]
        # From its creation on it was in one category after the other.
        self._moves = [("todo", self.created_at)]
        for move in record["transitions"]:
            if move["category"] != self._moves[-1][0]:
                self._moves.append((move["category"], datetime.fromisoformat(move["at"])))

    @property
    def created_at(self) -> datetime:
        return datetime.fromisoformat(self._record["created_at"])

    @property
    def started_at(self) -> datetime | None:
        return next((at for category, at in self._moves if category == "in_progress"), None)

    @property
    def done_at(self) -> datetime | None:
        """Only while it is done; without transitions it is done when its tool says that it was resolved."""
        if not self._record["transitions"]:
            return time_of(self._record, "resolved_at")
        category, at = self._moves[-1]
        return at if category == "done" else None

    @property
    def credited_to(self) -> str | None:
        assigned = [
            (datetime.fromisoformat(assignment["at"]), assignment["assignee"])
            for assignment in self._record["assignees"]
        ]
        done_at = self.done_at
        before = [name for at, name in assigned if done_at is None or at <= done_at]
        last_known = [name for _, name in assigned if name]
        names = [before[-1] if before else "", self._record["assignee"], last_known[-1] if last_known else ""]
        return person_of(next((name for name in names if name), ""))


class WorkItems:
    def __init__(self, world: World) -> None:
        self._all = [WorkItem(record) for record in world.records["work-items"]]

    def lead_times(self) -> list[Counted]:
        return [self._counted(item, seconds(item.created_at, item.done_at)) for item in self._all if item.done_at]

    def cycle_times(self) -> list[Counted]:
        """Cycle times of items that were in progress; the others are left out."""
        return [self._counted(item, seconds(item.started_at, item.done_at)) for item in self._all if item.done_at]

    def done(self) -> list[Counted]:
        return self.lead_times()

    def _counted(self, item: WorkItem, value: float | None) -> Counted:
        assert item.done_at is not None
        return Counted(item.key, day_of(item.done_at), item.credited_to, value)
