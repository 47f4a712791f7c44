"""Folds a history into the state of its records at an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from demo.plan.delivery import (
    Account,
    CodeScanningAlert,
    Commit,
    DeliveryEvent,
    DeliveryHistory,
    Deployment,
    EventKind,
    Issue,
    PipelineRun,
    PullRequest,
    Release,
    Repository,
)

Record = TypeVar("Record", PipelineRun, Deployment, Release, CodeScanningAlert)
Folded = TypeVar("Folded", bound="ConversationState")


@dataclass(slots=True)
class ConversationState:
    """An issue or a pull request at an instant; `seen` holds its events so far."""

    title: str
    labels: list[str]
    assignees: list[Account]
    updated_at: datetime
    seen: list[DeliveryEvent] = field(default_factory=list)
    comments: list[DeliveryEvent] = field(default_factory=list)
    closed: DeliveryEvent | None = None
    is_deleted: bool = False

    @property
    def closed_at(self) -> datetime | None:
        return self.closed.at if self.closed else None

    def take(self, happening: DeliveryEvent) -> None:
        self.seen.append(happening)
        self.updated_at = happening.at
        match happening.did:
            case EventKind.COMMENTED:
                self.comments.append(happening)
            case EventKind.LABELLED:
                self.labels.append(happening.text)
            case EventKind.UNLABELLED:
                self.labels.remove(happening.text)
            case EventKind.ASSIGNED if happening.of is not None:
                self.assignees.append(happening.of)
            case EventKind.UNASSIGNED if happening.of is not None:
                self.assignees.remove(happening.of)
            case EventKind.RETITLED:
                self.title = happening.text
            case EventKind.CLOSED:
                self.closed = happening
            case EventKind.REOPENED:
                self.closed = None
            case EventKind.DELETED:
                self.is_deleted = True
            case _:
                pass


@dataclass(slots=True)
class IssueState(ConversationState):
    issue: Issue = field(kw_only=True)

    @property
    def record(self) -> Issue:
        return self.issue


@dataclass(slots=True)
class PullRequestState(ConversationState):
    """`reviews` are those submitted so far, `dismissed` the ids of those that count no more."""

    pull_request: PullRequest = field(kw_only=True)
    is_draft: bool = field(kw_only=True)
    commits: list[Commit] = field(kw_only=True)
    reviews: list[DeliveryEvent] = field(default_factory=list)
    dismissed: set[int] = field(default_factory=set)
    requested: list[Account] = field(default_factory=list)
    requested_teams: list[str] = field(default_factory=list)
    merged: DeliveryEvent | None = None

    @property
    def record(self) -> PullRequest:
        return self.pull_request

    @property
    def head_sha(self) -> str:
        return self.commits[-1].sha

    @property
    def additions(self) -> int:
        return sum(commit.additions for commit in self.commits)

    @property
    def deletions(self) -> int:
        return sum(commit.deletions for commit in self.commits)

    @property
    def changed_files(self) -> int:
        return len({path for commit in self.commits for path in commit.paths})

    @property
    def line_comment_count(self) -> int:
        return sum(len(review.line_comments) for review in self.reviews)

    def take(self, happening: DeliveryEvent) -> None:
        ConversationState.take(self, happening)
        match happening.did:
            case EventKind.PUSHED:
                self.commits.extend(happening.commits)
            case EventKind.FORCE_PUSHED:
                self.commits = list(happening.commits)
            case EventKind.REVIEW_REQUESTED:
                self._request(happening)
            case EventKind.REVIEW_REQUEST_REMOVED:
                self._withdraw(happening.of, happening.team)
            case EventKind.REVIEWED:
                self.reviews.append(happening)
                self._withdraw(happening.by, "")
            case EventKind.REVIEW_DISMISSED:
                self.dismissed.add(happening.review)
            case EventKind.MADE_READY:
                self.is_draft = False
            case EventKind.MADE_DRAFT:
                self.is_draft = True
            case EventKind.MERGED:
                self.merged = self.closed = happening
            case _:
                pass

    def _request(self, happening: DeliveryEvent) -> None:
        if happening.of is not None and happening.of not in self.requested:
            self.requested.append(happening.of)
        if happening.team and happening.team not in self.requested_teams:
            self.requested_teams.append(happening.team)

    def _withdraw(self, reviewer: Account | None, team: str) -> None:
        if reviewer in self.requested:
            self.requested.remove(reviewer)
        if team in self.requested_teams:
            self.requested_teams.remove(team)


def pull_request_at(pull_request: PullRequest, at: datetime) -> PullRequestState:
    """The pull request at an instant at or after which it was opened."""
    state = PullRequestState(
        title=pull_request.title,
        labels=list(pull_request.labels),
        assignees=[],
        updated_at=pull_request.created_at,
        pull_request=pull_request,
        is_draft=pull_request.is_draft,
        commits=list(pull_request.commits),
    )
    return _folded(state, pull_request.happenings, at)


def issue_at(issue: Issue, at: datetime) -> IssueState:
    """The issue at an instant at or after which it was opened."""
    state = IssueState(
        title=issue.title,
        labels=list(issue.labels),
        assignees=list(issue.assignees),
        updated_at=issue.created_at,
        issue=issue,
    )
    return _folded(state, issue.happenings, at)


def _folded(state: Folded, happenings: Iterable[DeliveryEvent], at: datetime) -> Folded:
    for happening in happenings:
        if happening.at > at:
            break
        state.take(happening)
    return state


def history_of(history: DeliveryHistory, names: Collection[str]) -> DeliveryHistory:
    """The history of these repositories alone."""
    return replace(
        history,
        repositories=tuple(one for one in history.repositories if one.name in names),
        pull_requests=tuple(one for one in history.pull_requests if one.repository.name in names),
        issues=tuple(one for one in history.issues if one.repository.name in names),
        runs=tuple(one for one in history.runs if one.repository.name in names),
        deployments=tuple(one for one in history.deployments if one.repository.name in names),
        incidents=tuple(one for one in history.incidents if one.repository.name in names),
    )


class HistoryAt:
    """A whole history at an instant, by repository name; each kind is folded when it is first asked for."""

    def __init__(self, history: DeliveryHistory, at: datetime) -> None:
        self.history, self.at = history, at

    @cached_property
    def repositories(self) -> Mapping[str, Repository]:
        return {
            repository.name: repository for repository in self.history.repositories if repository.created_at <= self.at
        }

    @cached_property
    def pull_requests(self) -> Mapping[str, Mapping[int, PullRequestState]]:
        """Map repositories to pull requests by number."""
        states: dict[str, dict[int, PullRequestState]] = defaultdict(dict)
        for pull_request in self.history.pull_requests:
            if pull_request.created_at <= self.at:
                states[pull_request.repository.name][pull_request.number] = pull_request_at(pull_request, self.at)
        return states

    @cached_property
    def issues(self) -> Mapping[str, Mapping[int, IssueState]]:
        """Map repositories to issues by number, without deleted ones."""
        states: dict[str, dict[int, IssueState]] = defaultdict(dict)
        for issue in self.history.issues:
            if issue.created_at <= self.at and not (folded := issue_at(issue, self.at)).is_deleted:
                states[issue.repository.name][issue.number] = folded
        return states

    def was_deleted(self, repository: str, number: int) -> bool:
        """Whether an issue of the number was there once."""
        return any(
            issue.number == number and issue.repository.name == repository and issue.created_at <= self.at
            for issue in self.history.issues
        )

    @cached_property
    def commits(self) -> Mapping[str, list[Commit]]:
        """Map repositories to the commits of their default branch, oldest first."""
        return {
            name: [commit for commit in commits if commit.committed_at <= self.at]
            for name, commits in self.history.commits.items()
        }

    def commit(self, repository: str, sha: str) -> Commit | None:
        """A commit of the default branch or of a pull request, also one that a force-push left behind."""
        return self._commits_by_sha.get(repository, {}).get(sha)

    @cached_property
    def _commits_by_sha(self) -> Mapping[str, Mapping[str, Commit]]:
        return {
            name: {
                commit.sha: commit
                for commits in (
                    self.commits.get(name, []),
                    *(state.pull_request.commits for state in self.pull_requests[name].values()),
                    *(seen.commits for state in self.pull_requests[name].values() for seen in state.seen),
                )
                for commit in commits
            }
            for name in self.repositories
        }

    @cached_property
    def pull_requests_by_id(self) -> Mapping[str, PullRequestState]:
        """Map pull requests by id as text, as in a node's id."""
        return {str(record.pull_request.id): record for of in self.pull_requests.values() for record in of.values()}

    @cached_property
    def issues_by_id(self) -> Mapping[str, IssueState]:
        return {str(record.issue.id): record for of in self.issues.values() for record in of.values()}

    @cached_property
    def deployments_by_id(self) -> Mapping[str, Deployment]:
        return {str(record.id): record for of in self.deployments.values() for record in of}

    @cached_property
    def runs(self) -> Mapping[str, list[PipelineRun]]:
        return _by_repository(run for run in self.history.runs if run.created_at <= self.at)

    @cached_property
    def deployments(self) -> Mapping[str, list[Deployment]]:
        return _by_repository(deployment for deployment in self.history.deployments if deployment.created_at <= self.at)

    @cached_property
    def releases(self) -> Mapping[str, list[Release]]:
        return _by_repository(release for release in self.history.releases if release.published_at <= self.at)

    @cached_property
    def alerts(self) -> Mapping[str, list[CodeScanningAlert]]:
        return _by_repository(alert for alert in self.history.alerts if alert.created_at <= self.at)


def _by_repository(records: Iterable[Record]) -> dict[str, list[Record]]:
    by_repository: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_repository[record.repository.name].append(record)
    return by_repository
