"""Pipeline runs by their definition: attempts of one repository, name, sha and branch are one run."""

from __future__ import annotations

from collections import defaultdict

from tests.delivery.oracle.calendar import day_of
from tests.delivery.oracle.figures import Counted
from tests.delivery.oracle.pull_requests import seconds, time_of
from tests.delivery.oracle.repositories import Record
from tests.delivery.oracle.world import World

NEVER_RAN = "skipped"
WITHOUT_DURATION = ("cancelled", NEVER_RAN)


class Runs:
    """Each counts at the finish of its last attempt, for the owner of its repository."""

    def __init__(self, world: World) -> None:
        runs: dict[tuple[str, str, str, str], list[Record]] = defaultdict(list)
        for record in world.records["pipeline-runs"]:
            runs[record["repository"], record["name"], record["sha"], record.get("branch", "")].append(record)
        self._attempts = [
            sorted(attempts, key=lambda attempt: attempt.get("started_at") or attempt["queued_at"])
            for attempts in runs.values()
        ]
        self._finished = [attempts for attempts in self._attempts if attempts[-1].get("finished_at")]

    def durations(self) -> list[Counted]:
        """start → finish of the last attempt, of runs that were neither cancelled nor skipped."""
        return [
            self._counted(
                last, None if last["status"] in WITHOUT_DURATION else _between(last, "started_at", "finished_at")
            )
            for *_, last in self._finished
        ]

    def queue_times(self) -> list[Counted]:
        return [
            self._counted(last, None if last["status"] == NEVER_RAN else _between(last, "queued_at", "started_at"))
            for *_, last in self._finished
        ]

    def counting(self) -> list[Counted]:
        """Finished and not cancelled; what was skipped never ran, and so has not finished either."""
        return [self._counted(last) for *_, last in self._finished if last["status"] not in WITHOUT_DURATION]

    def successful(self) -> list[Counted]:
        return [self._counted(last) for *_, last in self._finished if last["status"] == "success"]

    def flaky(self) -> list[Counted]:
        """They succeeded after an attempt that failed, with the same code."""
        return [
            self._counted(last)
            for *before, last in self._finished
            if last["status"] == "success" and any(attempt["status"] == "failure" for attempt in before)
        ]

    def _counted(self, last: Record, value: float | None = 1.0) -> Counted:
        finished_at = time_of(last, "finished_at")
        assert finished_at is not None
        return Counted(last["id"], day_of(finished_at), last["repository"], value)


def _between(record: Record, start: str, end: str) -> float | None:
    return seconds(time_of(record, start), time_of(record, end))
