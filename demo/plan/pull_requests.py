"""The plan of pull requests: commits, times of opening, review and merge, and linked issues.

Most of a person's commits to a repository are gathered into branches, each of which becomes a pull request; a few go
to the default branch directly.  What is planned here is written by history.py as branches and merges of the
repository, and told by providers/ as GitHub and others would tell it, with the object ids that were written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from demo.plan.commits import DemoCommit
from demo.plan.delivery_stories import DeliveryEffect, effects_on, together
from demo.plan.filler import Filler
from demo.plan.issues import PlannedIssue, WorkLabel, issues_of
from demo.plan.people import DemoPerson
from demo.plan.repositories import DemoRepository
from demo.plan.reviews import Review, reviewed
from demo.plan.year import DemoYear

_DIRECT_CHANCE = 0.09  # that commits go to the default branch without a pull request
_USUAL_COMMITS = 2.1
_MOST_COMMITS = 14
_LONGEST_GAP = timedelta(days=9)  # somebody who returns after longer begins another branch
_BEFORE_LAST_CHANCE = 0.45  # that it is opened before its last commit, and the rest is pushed to it
_DRAFT_CHANCE = 0.14
_FORCE_PUSH_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class PlannedPullRequest:
    """`opened_with` of its commits were pushed when it was opened; `rewritten_at` is when its first was amended.

    `number` counts with the issues of the repository.  Times are in UTC.
    """

    number: int
    repository: DemoRepository
    person: DemoPerson
    title: str
    body: str
    branch: str
    label: WorkLabel
    commits: tuple[DemoCommit, ...]
    opened_at: datetime
    opened_with: int
    is_draft: bool
    rewritten_at: datetime | None
    review: Review
    issue: int | None
    is_squashed: bool = False

    @property
    def merged_at(self) -> datetime | None:
        return self.review.merged_at


@dataclass(frozen=True, slots=True)
class Work:
    """A repository's pull requests and issues, and the commits that belong to no pull request; in order of time."""

    pull_requests: tuple[PlannedPullRequest, ...]
    issues: tuple[PlannedIssue, ...]
    direct: tuple[DemoCommit, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    person: DemoPerson
    commits: tuple[DemoCommit, ...]
    effect: DeliveryEffect


def plan_work(year: DemoYear, repository: DemoRepository, planned: Sequence[DemoCommit]) -> Work:
    """The plan of the repository's work, the same for the same year and commits."""
    rng = Random(f"{year.seed}/{repository.name}/pull requests")  # noqa: S311 - a demo, not a secret
    words = Filler(Random(f"{year.seed}/{repository.name}/titles"))  # noqa: S311
    direct: list[DemoCommit] = []
    drafts: list[PlannedPullRequest] = []
    for group in sorted(_groups(year, repository, planned, rng), key=lambda commit_group: commit_group.commits[0].at):
        if rng.random() < _DIRECT_CHANCE:
            direct.extend(group.commits)
        else:
            drafts.append(_pull_request(year, repository, group, words, rng))
    drafts = _with_squash(year, repository, drafts)
    numbered, issues = issues_of(year, repository, drafts, words)
    return Work(tuple(numbered), tuple(issues), tuple(sorted(direct, key=lambda draft: draft.at)))


def _groups(year: DemoYear, repository: DemoRepository, planned: Sequence[DemoCommit], rng: Random) -> Iterator[_Group]:
    """Consecutive commits of one person."""
    by_person: dict[str, list[DemoCommit]] = defaultdict(list)
    for commit in planned:
        by_person[commit.person.email].append(commit)
    for email in sorted(by_person):
        waiting = by_person[email]
        while waiting:
            effect = together(effects_on(year.flavour, repository.team, weeks_before_end(year, waiting[0].at)))
            count = 1 + int(rng.expovariate(1 / (_USUAL_COMMITS * effect.commits_factor - 0.6)))
            gathered = [waiting[0]]
            for commit in waiting[1 : min(count, _MOST_COMMITS)]:
                if commit.at - gathered[-1].at > _LONGEST_GAP:
                    break
                gathered.append(commit)
            waiting = waiting[len(gathered) :]
            yield _Group(gathered[0].person, tuple(gathered), effect)


def _pull_request(
    year: DemoYear, repository: DemoRepository, group: _Group, words: Filler, rng: Random
) -> PlannedPullRequest:
    times = [commit.at for commit in group.commits]
    count = len(times)
    opened_with = rng.randrange(1, count) if count > 1 and rng.random() < _BEFORE_LAST_CHANCE else count
    opened_at = times[opened_with - 1] + timedelta(seconds=rng.randrange(90, 1500))
    rewritten_at = None
    if rng.random() < _FORCE_PUSH_CHANCE:
        opened_with, rewritten_at = 1, times[0] + timedelta(minutes=1)
        opened_at = times[0] - timedelta(minutes=rng.randrange(10, 50))
    opened_at = min(opened_at, year.anchor - timedelta(seconds=1))
    is_draft = rng.random() < _DRAFT_CHANCE
    title = words.sentence()
    review = reviewed(
        year,
        team=year.team(repository.team),
        author=group.person,
        opened_at=opened_at,
        is_draft=is_draft,
        pushes=[rewritten_at, *times[1:]] if rewritten_at else times[opened_with:],
        effect=group.effect,
        rng=rng,
    )
    return PlannedPullRequest(
        number=0,
        repository=repository,
        person=group.person,
        title=title,
        body="",
        branch=f"{title.lower().replace(' ', '-')}-{group.commits[0].at:%m%d%H%M%S}",
        label=rng.choices(tuple(WorkLabel), WorkLabel.weights(group.effect.upkeep))[0],
        commits=group.commits,
        opened_at=opened_at.astimezone(UTC),
        opened_with=opened_with,
        is_draft=is_draft,
        rewritten_at=rewritten_at,
        review=review,
        issue=None,
    )


def _with_squash(
    year: DemoYear, repository: DemoRepository, drafts: list[PlannedPullRequest]
) -> list[PlannedPullRequest]:
    """The pull requests; the first one with several commits that is merged after `squash_weeks` is squashed."""
    weeks = repository.squash_weeks
    candidates = [
        position
        for position, draft in enumerate(drafts)
        if weeks is not None
        and draft.merged_at is not None
        and len(draft.commits) > 1
        and draft.merged_at.date() >= year.first_day_of(weeks)
    ]
    if not candidates:
        return drafts
    first = min(candidates, key=lambda position: drafts[position].merged_at or year.anchor)
    squashed = replace(drafts[first], is_squashed=True)
    return [*drafts[:first], squashed, *drafts[first + 1 :]]


def weeks_before_end(year: DemoYear, at: datetime) -> int:
    return year.week_of(at.astimezone(year.anchor.tzinfo).date())
