"""Plans the review of a pull request: reviewers, reviews, and its end.

Waiting is measured in working hours of whoever is waited for, and is log-normal: most waits are short, some long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from demo.plan.delivery import EventKind, Verdict
from demo.plan.delivery_stories import DeliveryEffect
from demo.plan.people import DemoPerson
from demo.plan.working_hours import after_working_hours
from demo.plan.year import DemoYear

_PICKUP_HOURS, _APPROVAL_HOURS, _MERGE_HOURS = 2.2, 1.1, 0.5  # medians
_ABANDONED_CHANCE, _UNREVIEWED_CHANCE, _REOPENED_CHANCE = 0.03, 0.05, 0.012
_SECOND_REVIEWER_CHANCE, _TEAM_REVIEW_CHANCE, _WITHDRAWN_CHANCE = 0.3, 0.1, 0.04
_BACK_TO_DRAFT_CHANCE = 0.1  # of drafts
_COMMENTS = ("Done.", "Good point.", "I am not sure about this.", "Shall we do that in another one?", "👍")


@dataclass(frozen=True, slots=True)
class Step:
    """A planned event; its fields are those of a Happening."""

    did: EventKind
    at: datetime
    by: DemoPerson
    of: DemoPerson | None = None
    text: str = ""
    verdict: Verdict | None = None
    remarks: int = 0  # on lines, of a review


@dataclass(frozen=True, slots=True)
class Review:
    """The steps of a review in order of time; those after the demo's end are left out, and the review is then still
    open.
    """

    steps: tuple[Step, ...]
    merged_at: datetime | None
    merged_by: DemoPerson | None

    @property
    def end(self) -> Step | None:
        """The merge, or the closing if nobody reopened it; None while it is open."""
        if self.merged_at and self.merged_by:
            return Step(EventKind.MERGED, self.merged_at, self.merged_by)
        changes = [step for step in self.steps if step.did in (EventKind.CLOSED, EventKind.REOPENED)]
        return changes[-1] if changes and changes[-1].did is EventKind.CLOSED else None


def reviewed(
    year: DemoYear,
    *,
    team: Sequence[DemoPerson],
    author: DemoPerson,
    opened_at: datetime,
    is_draft: bool,
    pushes: Sequence[datetime],
    effect: DeliveryEffect,
    rng: Random,
) -> Review:
    """Plan the events of a pull request from opening to end; `pushes` are those after its opening."""
    way = _Way(year, team, author, effect, rng)
    last_push = max([opened_at, *pushes])
    ready_at = way.leave_draft(opened_at, last_push) if is_draft else opened_at
    if rng.random() < _ABANDONED_CHANCE:
        way.abandon(max(ready_at, last_push))
        return way.ended()
    reviewers = way.reviewers(ready_at)
    if not reviewers or rng.random() < _UNREVIEWED_CHANCE:
        way.merge(max(ready_at, last_push), author)
        return way.ended()
    way.ask(reviewers, ready_at)
    first = way.wait(ready_at, _PICKUP_HOURS * effect.pickup_factor, reviewers[0], spread=0.9)
    settled_at = way.discuss(reviewers, first, pushes)
    if rng.random() < _REOPENED_CHANCE:
        settled_at = way.close_and_reopen(settled_at, reviewers[0])
    way.merge(settled_at, author if rng.random() < 0.75 else reviewers[0])
    return way.ended()


class _Way:
    """The steps taken so far."""

    def __init__(
        self,
        year: DemoYear,
        team: Sequence[DemoPerson],
        author: DemoPerson,
        effect: DeliveryEffect,
        rng: Random,
    ) -> None:
        self._year, self._team, self._author, self._effect, self._rng = year, team, author, effect, rng
        self._steps: list[Step] = []
        self._merged: Step | None = None

    def wait(self, since: datetime, median_hours: float, whom: DemoPerson, *, spread: float = 0.8) -> datetime:
        """The time when somebody busy with other work gets to it."""
        hours = self._rng.lognormvariate(math.log(median_hours), spread)
        return after_working_hours(since, hours, whom.time_zone, weekends=self._effect.works_at_weekends)

    def reviewers(self, at: datetime) -> list[DemoPerson]:
        """One or two of those of the team who review and are there; if none of them is, anybody."""
        away = self._year.away()
        day = at.astimezone(self._year.anchor.tzinfo).date()
        there = [
            person
            for person in self._team
            if person != self._author and not (person.email in away and day in away[person.email])
        ]
        few = self._team[: self._effect.reviewers]
        there = [person for person in there if person in few] or there
        count = 2 if self._rng.random() < _SECOND_REVIEWER_CHANCE else 1
        return self._rng.sample(there, min(count, len(there)))

    def leave_draft(self, opened_at: datetime, last_push: datetime) -> datetime:
        """The time when it leaves draft for good; now and then it returns to draft once."""
        ready_at = max(opened_at, last_push) + timedelta(minutes=self._rng.randrange(3, 40))
        self._take(EventKind.MADE_READY, ready_at, self._author)
        if self._rng.random() < _BACK_TO_DRAFT_CHANCE:
            self._take(EventKind.MADE_DRAFT, ready_at + timedelta(minutes=2), self._author)
            ready_at = self.wait(ready_at, 3.0, self._author)
            self._take(EventKind.MADE_READY, ready_at, self._author)
        return ready_at

    def ask(self, reviewers: Sequence[DemoPerson], ready_at: datetime) -> None:
        request_at = ready_at + timedelta(seconds=30)
        for position, reviewer in enumerate(reviewers):
            self._take(EventKind.REVIEW_REQUESTED, request_at + timedelta(seconds=position), self._author, of=reviewer)
        if self._rng.random() < _TEAM_REVIEW_CHANCE:
            self._take(EventKind.REVIEW_REQUESTED, request_at + timedelta(seconds=5), self._author, text="reviewers")
        elif len(reviewers) > 1 and self._rng.random() < _WITHDRAWN_CHANCE:
            withdrawn_at = request_at + timedelta(minutes=3)
            self._take(EventKind.REVIEW_REQUEST_REMOVED, withdrawn_at, self._author, of=reviewers[1])

    def discuss(self, reviewers: Sequence[DemoPerson], first: datetime, pushes: Sequence[datetime]) -> datetime:
        """The reviews; when the last one is approved."""
        rng, reviewer = self._rng, reviewers[0]
        last_push = max(pushes, default=first)
        more_to_come = last_push > first
        if more_to_come or rng.random() < 0.3:
            verdict = Verdict.CHANGES_REQUESTED if more_to_come and rng.random() < 0.65 else Verdict.COMMENTED
            self._review(first, reviewer, verdict, remarks=1 + int(rng.expovariate(0.5)))
            if rng.random() < 0.7:
                answered_at = self.wait(first, 0.7, self._author)
                self._take(EventKind.COMMENTED, answered_at, self._author, text=rng.choice(_COMMENTS))
                first = max(first, answered_at)
            approved_at = self.wait(max(first, last_push), _APPROVAL_HOURS * self._effect.pickup_factor**0.5, reviewer)
        else:
            approved_at = first
        self._review(approved_at, reviewer, Verdict.APPROVED, remarks=int(rng.expovariate(1.6)))
        for other in reviewers[1:]:
            if rng.random() < 0.7:
                seen_at = self.wait(approved_at, 0.6, other)
                self._review(seen_at, other, Verdict.APPROVED, remarks=int(rng.expovariate(1.6)))
                approved_at = max(approved_at, seen_at)
        return approved_at

    def close_and_reopen(self, since: datetime, by: DemoPerson) -> datetime:
        closed_at = self.wait(since, 1.0, by)
        reopened_at = self.wait(closed_at, 4.0, self._author)
        self._take(EventKind.CLOSED, closed_at, by)
        self._take(EventKind.REOPENED, reopened_at, self._author)
        return reopened_at

    def merge(self, since: datetime, by: DemoPerson) -> None:
        self._merged = Step(EventKind.MERGED, self.wait(since, _MERGE_HOURS, by), by)

    def abandon(self, since: datetime) -> None:
        self._take(EventKind.CLOSED, self.wait(since, 40.0, self._author), self._author)

    def ended(self) -> Review:
        steps = sorted((step for step in self._steps if step.at <= self._year.anchor), key=lambda step: step.at)
        merged = self._merged if self._merged and self._merged.at <= self._year.anchor else None
        return Review(tuple(steps), merged.at if merged else None, merged.by if merged else None)

    def _review(self, at: datetime, by: DemoPerson, verdict: Verdict, *, remarks: int) -> None:
        self._take(EventKind.REVIEWED, at, by, verdict=verdict, remarks=remarks)

    def _take(
        self,
        did: EventKind,
        at: datetime,
        by: DemoPerson,
        *,
        of: DemoPerson | None = None,
        text: str = "",
        verdict: Verdict | None = None,
        remarks: int = 0,
    ) -> None:
        self._steps.append(Step(did, at.astimezone(UTC), by, of, text, verdict, remarks))
