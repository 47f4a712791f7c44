"""Pull requests by their definitions: open, first commit, review, approval, and the stages between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cached_property

from tests.delivery.oracle.calendar import beginning_of, day_of
from tests.delivery.oracle.figures import Counted
from tests.delivery.oracle.organisation import BOTS, CODING_AGENT, person_of
from tests.delivery.oracle.repositories import Record
from tests.delivery.oracle.world import World

STALE_AFTER_DAYS = 14
REVIEWED = ("approved", "changes_requested", "commented", "dismissed")


def seconds(start: datetime | None, end: datetime | None) -> float | None:
    """From one moment to the other; None where one is not known, or they are the other way round."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()


def time_of(record: Record, name: str) -> datetime | None:
    return datetime.fromisoformat(record[name]) if record.get(name) else None


class PullRequest:
    """One of the pushed records, as the counting rules read it."""

    def __init__(self, record: Record, world: World) -> None:
        self.record = record
        self.id: str = record["id"]
        self._world = world

    @property
    def counts(self) -> bool:
        """Bots are not people; a coding agent works for whoever asked."""
        return self.record["author"] not in BOTS

    @property
    def credited_to(self) -> str | None:
        author = self.record["author"]
        return person_of(self.record["requested_by"] if author == CODING_AGENT else author)

    @property
    def merged_at(self) -> datetime | None:
        return time_of(self.record, "merged_at")

    @property
    def ended_at(self) -> datetime | None:
        return self.merged_at or time_of(self.record, "closed_at")

    @property
    def opened_at(self) -> datetime | None:
        """Its creation, or when one created as a draft was first ready; one that still is a draft never was."""
        if self.record.get("ready_at"):
            return time_of(self.record, "ready_at")
        return None if self.record.get("draft") else time_of(self.record, "created_at")

    @property
    def first_commit_at(self) -> datetime | None:
        """The earliest author time among its own commits."""
        own = self._world.own[self.id]
        times = [time_of(commit, "authored_at") for commit in self.record["commits"] if commit["sha"] in own]
        return min((time for time in times if time), default=None)

    @cached_property
    def reviews(self) -> list[Record]:
        """Reviews before the merge by people other than the author, without bots."""
        author = self.record["author"]
        return [
            review
            for review in self.record["reviews"]
            if review["state"] in REVIEWED
            and review["author"] not in (*BOTS, CODING_AGENT)
            and person_of(review["author"]) != (person_of(author) or author)
            and (self.merged_at is None or _at(review) <= self.merged_at)
        ]

    @property
    def first_review_at(self) -> datetime | None:
        return min((_at(review) for review in self.reviews), default=None)

    @property
    def approved_at(self) -> datetime | None:
        return max((_at(review) for review in self.reviews if review["state"] == "approved"), default=None)

    @property
    def stages(self) -> dict[str, float | None]:
        return {
            "coding": seconds(self.first_commit_at, self.opened_at),
            "pickup": seconds(self.opened_at, self.first_review_at),
            "review": seconds(self.first_review_at, self.approved_at),
            "merge": seconds(self.approved_at, self.merged_at),
        }

    @property
    def cycle(self) -> float | None:
        return seconds(self.opened_at, self.merged_at)

    @property
    def size(self) -> float | None:
        record = self.record
        return record["additions"] + record["deletions"] if "additions" in record else None

    @property
    def is_self_merged(self) -> bool | None:
        author, merger = self.record["author"], self.record.get("merged_by")
        if not merger or self.merged_at is None:
            return None
        return bool(merger == author or (person_of(merger) and person_of(merger) == person_of(author)))

    @property
    def items(self) -> list[Record]:
        """The linked work items of which anything is known."""
        return [record for record in self._world.records["work-items"] if record["id"] in self.record["work_items"]]

    @property
    def waited_for_pipelines(self) -> float | None:
        """The time between open and merge in which at least one attempt for its commits was queued or running."""
        opened, merged = self.opened_at, self.merged_at
        shas = {commit["sha"] for commit in self.record["commits"]}
        runs = sorted(
            (_moment(record, "queued_at"), _moment(record, "finished_at"))
            for record in self._world.records["pipeline-runs"]
            if record["sha"] in shas and record["repository"] == self.record["repository"] and record.get("finished_at")
        )
        if not runs or opened is None or merged is None or merged < opened:
            return None
        waited, reached = timedelta(), opened
        for queued, finished in runs:
            start, end = max(queued, reached), min(finished, merged)
            if end > start:
                waited += end - start
                reached = end
        return waited.total_seconds()

    def is_stale(self, day: date) -> bool:
        """Open at the end of the day, and no push, review or change of state for two weeks by the calendar."""
        end = beginning_of(day + timedelta(days=1))
        opened, ended = self.opened_at, self.ended_at
        if opened is None or opened >= end or (ended is not None and ended < end):
            return False
        happened = [opened, *map(_at, self.record["reviews"])]
        happened += [at for commit in self.record["commits"] if (at := time_of(commit, "committed_at"))]
        last = max(at for at in happened if opened <= at < end)
        return day >= day_of(last) + timedelta(days=STALE_AFTER_DAYS)


def _at(review: Record) -> datetime:
    return _moment(review, "submitted_at")


def _moment(record: Record, name: str) -> datetime:
    return datetime.fromisoformat(record[name])


class PullRequests:
    """All of them, and what of them counts."""

    def __init__(self, world: World) -> None:
        self.all = [PullRequest(record, world) for record in world.records["pull-requests"]]
        self.merged = [pull_request for pull_request in self.all if pull_request.merged_at and pull_request.counts]

    def of_merged(self, value: str) -> list[Counted]:
        """A property of each merged one, on the day of the merge."""
        return [self._counted(pull_request, getattr(pull_request, value)) for pull_request in self.merged]

    def of_stage(self, stage: str) -> list[Counted]:
        return [self._counted(pull_request, pull_request.stages[stage]) for pull_request in self.merged]

    def merged_where(self, holds: str) -> list[Counted]:
        return [self._counted(pull_request) for pull_request in self.merged if getattr(self, f"_{holds}")(pull_request)]

    def stale_on(self, day: date) -> list[Counted]:
        return [
            Counted(pull_request.id, day, pull_request.credited_to)
            for pull_request in self.all
            if pull_request.counts and pull_request.is_stale(day)
        ]

    def opened(self) -> list[Counted]:
        return [
            Counted(pull_request.id, day_of(pull_request.opened_at), pull_request.credited_to)
            for pull_request in self.all
            if pull_request.counts and pull_request.opened_at is not None
        ]

    def reviews_given(self) -> list[Counted]:
        """For the reviewer, when submitted; what bots propose counts nowhere."""
        return [
            Counted(f"{pull_request.id} {review['submitted_at']}", day_of(_at(review)), person_of(review["author"]))
            for pull_request in self.all
            if pull_request.counts
            for review in pull_request.reviews
        ]

    def _counted(self, pull_request: PullRequest, value: float | None = 1.0) -> Counted:
        assert pull_request.merged_at is not None
        return Counted(pull_request.id, day_of(pull_request.merged_at), pull_request.credited_to, value)

    def _is_merged(self, _: PullRequest) -> bool:
        return True

    def _is_unreviewed(self, pull_request: PullRequest) -> bool:
        return not pull_request.reviews

    def _has_merger(self, pull_request: PullRequest) -> bool:
        return pull_request.is_self_merged is not None

    def _is_self_merged(self, pull_request: PullRequest) -> bool:
        return pull_request.is_self_merged is True

    def _is_linked(self, pull_request: PullRequest) -> bool:
        return bool(pull_request.items)

    def _is_reverted(self, pull_request: PullRequest) -> bool:
        """Another one, merged since, names it in its branch and title."""
        return any(
            other.record.get("source_branch", "").startswith(f"revert-{pull_request.record['number']}-")
            and other.record["repository"] == pull_request.record["repository"]
            for other in self._all_merged
        )

    @property
    def _all_merged(self) -> Sequence[PullRequest]:
        return [pull_request for pull_request in self.all if pull_request.merged_at]
