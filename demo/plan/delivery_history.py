"""The demo organisation's delivery: what was planned, with the object ids that its repositories were written with.

The same year and repositories make the same history.  Pull requests, reviews and issues are those of pull_requests.py
and issues.py; runs, deployments, incidents and releases follow from their merges (demo_delivery.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from demo.plan.commits import DemoCommit, plan_commits
from demo.plan.delivery import (
    Account,
    CodeScanningAlert,
    Commit,
    DeliveryEvent,
    DeliveryHistory,
    Deployment,
    EventKind,
    Issue,
    LineComment,
    PipelineRun,
    PullRequest,
    Release,
    Repository,
)
from demo.plan.deployments import Delivered, delivery_of
from demo.plan.git_log import GitLog, read_log
from demo.plan.issues import PlannedIssue
from demo.plan.people import PEOPLE, DemoPerson
from demo.plan.pull_requests import PlannedPullRequest, Work, plan_work
from demo.plan.quality_reports import alerts_of_host
from demo.plan.repositories import BOT_EMAIL, BOT_NAME, ORGANISATION_LOGIN, REPOSITORIES, DemoRepository, git_address
from demo.plan.reviews import Step
from demo.plan.year import DemoYear

_Record = TypeVar("_Record", PullRequest, Issue, PipelineRun, Deployment, Release)
ORGANISATION = Account(40_100_000, ORGANISATION_LOGIN, "Example Orchard", is_organisation=True)
BOT = Account(40_100_200, BOT_NAME, BOT_NAME, BOT_EMAIL, is_bot=True)
_MERGED, _SQUASHED = "Merge pull request #", "Squash branch '"  # how history.py calls what lands
_FIRST_ACCOUNT = 40_100_301
_LANGUAGES = {".py": "Python", ".go": "Go", ".tsx": "TypeScript", ".sql": "SQL", ".yaml": "Go"}
_REMARKS = ("Why twice?", "Could this be shorter?", "Please add a test.", "What if it is empty?", "Nice.")
_STRIDE = 10_000_000  # ids of one repository's records of a kind; none comes near
_AMENDED = timedelta(minutes=5)  # before it was pushed


def accounts() -> dict[str, Account]:
    """E-mail address → account of everybody; no-reply addresses name the number of the account."""
    others = iter(range(_FIRST_ACCOUNT + 100, _FIRST_ACCOUNT + 100 + len(PEOPLE)))
    ids = {}
    for person in PEOPLE:
        number, plus, _ = git_address(person).partition("+")
        ids[person.email] = Account(
            int(number) if plus else next(others),
            person.full_name.lower().replace(" ", "-"),
            person.full_name,
            person.email,
        )
    return ids


def demo_history(
    year: DemoYear, folder: Path, repositories: Sequence[DemoRepository] = REPOSITORIES
) -> DeliveryHistory:
    """The year's delivery in these repositories, which `folder` has as history.write_repository wrote them."""
    sessions = (session for week in range(year.weeks) for session in year.sessions_of_week(week))
    planned = plan_commits(year, sessions)
    tellers = [
        _HistoryBuilder(year, repository, position, planned[repository.name], folder / repository.name)
        for position, repository in enumerate(REPOSITORIES)
        if repository in repositories
    ]
    delivered = [teller.delivered for teller in tellers]
    return DeliveryHistory(
        organisation=ORGANISATION,
        accounts=(ORGANISATION, BOT, *accounts().values()),
        repositories=tuple(teller.repository for teller in tellers),
        ends_at=year.anchor.astimezone(UTC),
        commits={teller.repository.name: teller.commits for teller in tellers},
        pull_requests=_in_order(pull_request for teller in tellers for pull_request in teller.pull_requests),
        issues=_in_order(issue for teller in tellers for issue in teller.issues),
        runs=_in_order(run for one in delivered for run in one.runs),
        deployments=_in_order(deployment for one in delivered for deployment in one.deployments),
        incidents=tuple(
            sorted((incident for one in delivered for incident in one.incidents), key=lambda event: event.started_at)
        ),
        releases=_in_order(release for one in delivered for release in one.releases),
        alerts=tuple(
            sorted((alert for teller in tellers for alert in teller.alerts), key=lambda alert: alert.created_at)
        ),
    )


class _HistoryBuilder:
    """Builds the delivery history of one repository."""

    def __init__(
        self, year: DemoYear, repository: DemoRepository, position: int, planned: Sequence[DemoCommit], git_dir: Path
    ) -> None:
        self._year, self._position = year, position
        self._accounts = accounts()
        self._rng = Random(f"{year.seed}/{repository.name}/told")  # noqa: S311 - a demo, not a secret
        self._next_id = _STRIDE * (position + 1)
        by_address = {git_address(person): self._accounts[person.email] for person in PEOPLE if _is_known(person)}
        self._log = read_log(git_dir, by_address | self._accounts | {BOT_EMAIL: BOT})
        self._of_change = {
            (original.author_email, original.authored_at): original for original in _originals(self._log)
        }
        self._work: Work = plan_work(year, repository, planned)
        self._merges = _merges(self._log, self._work)
        start = datetime.combine(year.first_day - timedelta(weeks=30), datetime.min.time(), year.anchor.tzinfo)
        self.repository = Repository(
            id=40_200_000 + position,
            name=repository.name,
            created_at=start.astimezone(UTC),
            language=_LANGUAGES.get(repository.folders[0].suffix, ""),
        )
        self.pull_requests = [self._pull_request(pull_request) for pull_request in self._work.pull_requests]
        self.issues = [self._issue(issue) for issue in self._work.issues]

    @property
    def commits(self) -> tuple[Commit, ...]:
        """The commits of the default branch."""
        return tuple(self._log.commits[sha] for sha in self._log.on_default_branch)

    @property
    def delivered(self) -> Delivered:
        return delivery_of(
            self._year,
            REPOSITORIES[self._position],
            self.repository,
            self.pull_requests,
            self._log.commits,
            first_id=_STRIDE * (self._position + 1),
        )

    @property
    def alerts(self) -> Iterator[CodeScanningAlert]:
        return alerts_of_host(self._year, REPOSITORIES[self._position], self.repository)

    def _pull_request(self, planned: PlannedPullRequest) -> PullRequest:
        commits = [self._of_change[git_address(commit.person), commit.at.astimezone(UTC)] for commit in planned.commits]
        opened, pushes = tuple(commits[: planned.opened_with]), self._pushes(planned, commits)
        if planned.rewritten_at:
            opened = (_before_amendment(commits[0], planned.opened_at),)
        steps = [self._happening(step, commits) for step in planned.review.steps]
        if planned.merged_at is not None:
            by = self._accounts[(planned.review.merged_by or planned.person).email]
            merge = self._merges[planned.number]
            steps.append(DeliveryEvent(self._id(), EventKind.MERGED, planned.merged_at.astimezone(UTC), by, sha=merge))
        return PullRequest(
            id=self._id(),
            number=planned.number,
            repository=self.repository,
            author=self._accounts[planned.person.email],
            title=planned.title,
            body=planned.body,
            source_branch=planned.branch,
            target_branch="main",
            base_sha=commits[0].parents[0],
            created_at=planned.opened_at,
            commits=opened,
            is_draft=planned.is_draft,
            labels=(str(planned.label),),
            happenings=tuple(sorted((*pushes, *steps), key=lambda happening: happening.at)),
        )

    def _pushes(self, planned: PlannedPullRequest, commits: Sequence[Commit]) -> Iterator[DeliveryEvent]:
        """Pushes after the pull request was opened."""
        by = self._accounts[planned.person.email]
        if planned.rewritten_at:
            at = planned.rewritten_at.astimezone(UTC)
            replaced = _before_amendment(commits[0], planned.opened_at).sha
            yield DeliveryEvent(self._id(), EventKind.FORCE_PUSHED, at, by, commits=(commits[0],), sha=replaced)
        for commit in commits[planned.opened_with :]:
            at = max(commit.committed_at, planned.opened_at) + timedelta(seconds=20)
            yield DeliveryEvent(self._id(), EventKind.PUSHED, at, by, commits=(commit,))

    def _happening(self, step: Step, commits: Sequence[Commit]) -> DeliveryEvent:
        by, of = self._accounts[step.by.email], self._accounts[step.of.email] if step.of else None
        is_request = step.did in (EventKind.REVIEW_REQUESTED, EventKind.REVIEW_REQUEST_REMOVED)
        sha = ""
        remarks: tuple[LineComment, ...] = ()
        if step.did is EventKind.REVIEWED:
            there = [commit for commit in commits if commit.committed_at < step.at] or commits[:1]
            sha = there[-1].sha
            remarks = tuple(self._remark(there) for _ in range(step.remarks))
        return DeliveryEvent(
            id=self._id(),
            did=step.did,
            at=step.at,
            by=by,
            of=of,
            team=step.text if is_request else "",
            text="" if is_request else step.text,
            verdict=step.verdict,
            sha=sha,
            line_comments=remarks,
        )

    def _remark(self, commits: Sequence[Commit]) -> LineComment:
        path = self._rng.choice(self._rng.choice(commits).paths or ("README.md",))
        return LineComment(self._id(), path, self._rng.choice(_REMARKS))

    def _issue(self, planned: PlannedIssue) -> Issue:
        return Issue(
            id=self._id(),
            number=planned.number,
            repository=self.repository,
            author=self._accounts[planned.author.email],
            title=planned.title,
            body=planned.body,
            created_at=planned.created_at,
            labels=(str(planned.label),),
            happenings=tuple(self._happening(step, ()) for step in planned.steps),
            epic=planned.epic,
            is_epic=planned.is_epic,
            due_on=planned.due_on,
        )

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id


def _is_known(person: DemoPerson) -> bool:
    """Whether the provider knows the owner of the address that signs the person's commits: it knows at least its own
    no-reply addresses.
    """
    return git_address(person) == person.email or "noreply" in git_address(person)


def _originals(log: GitLog) -> Iterator[Commit]:
    """Yield the commits without those picked from another, which have their author's time but not their committer's.

    Left out are also those that brought a branch to the default branch: whoever merges may commit in the same second.
    """
    own = (commit for commit in log.commits.values() if commit.authored_at == commit.committed_at)
    return (commit for commit in own if not commit.subject.startswith((_MERGED, _SQUASHED)))


def _merges(log: GitLog, work: Work) -> Mapping[int, str]:
    """Number of the pull request → the commit that brought it to the default branch."""
    by_branch: dict[str, str] = {}
    for sha in log.on_default_branch:
        subject = log.commits[sha].subject
        if subject.startswith(_MERGED):
            by_branch[subject.rpartition("/")[2]] = sha
        elif subject.startswith(_SQUASHED):
            by_branch[subject.split("'")[1]] = sha
    return {
        pull_request.number: by_branch[pull_request.branch]
        for pull_request in work.pull_requests
        if pull_request.merged_at is not None
    }


def _before_amendment(commit: Commit, opened_at: datetime) -> Commit:
    """The commit before a force-push, which no repository contains any more."""
    sha = hashlib.sha1(f"before {commit.sha}".encode(), usedforsecurity=False).hexdigest()
    at = opened_at - _AMENDED
    return replace(commit, sha=sha, authored_at=at, committed_at=at)


def _in_order(records: Iterator[_Record]) -> tuple[_Record, ...]:
    return tuple(sorted(records, key=lambda record: (record.created_at, record.id)))
