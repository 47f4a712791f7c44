"""The delivery history of an organisation: immutable, provider-independent data.

A record has its creation time and, in order, every event since; its state at an instant is folded from these
(record_states.py).  So a server can show any day of the history, a client can see records change while it reads, and
webhooks can be sent as events happen.  All times are aware and in UTC; `id` is unique
among the records of a kind in the whole history, `number` counts within a repository.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a provider; `email` is empty where the provider does not disclose it."""

    id: int
    login: str
    name: str = ""
    email: str = ""
    is_bot: bool = False
    is_organisation: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    id: int
    name: str
    created_at: datetime
    default_branch: str = "main"
    language: str = ""
    is_private: bool = True
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `author` is None if no account has the address that signed it."""

    sha: str
    parents: tuple[str, ...]
    author: Account | None
    author_name: str
    author_email: str
    authored_at: datetime
    committed_at: datetime
    message: str
    additions: int = 0
    deletions: int = 0
    paths: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]


class EventKind(enum.StrEnum):
    """Kinds of events of a pull request or an issue."""

    PUSHED = "pushed"  # commits were added to the branch
    FORCE_PUSHED = "force-pushed"  # the branch's commits were replaced
    REVIEW_REQUESTED = "review requested"
    REVIEW_REQUEST_REMOVED = "review request removed"
    REVIEWED = "reviewed"
    REVIEW_DISMISSED = "review dismissed"
    COMMENTED = "commented"
    MADE_READY = "made ready"
    MADE_DRAFT = "made draft"
    LABELLED = "labelled"
    UNLABELLED = "unlabelled"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    RETITLED = "retitled"
    CLOSED = "closed"
    REOPENED = "reopened"
    MERGED = "merged"
    DELETED = "deleted"  # of an issue; also where it was transferred elsewhere


class Verdict(enum.StrEnum):
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes requested"
    COMMENTED = "commented"


@dataclass(frozen=True, slots=True)
class LineComment:
    """A comment on a line, within a review."""

    id: int
    path: str
    body: str


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """An event; `did` decides which fields are set.

    `of`: the reviewer asked for, the assignee; `team`: the team asked for; `text`: a label, a comment, a new title, a
    review's words, why an issue was closed; `commits`: those added, or all there are after a force-push; `sha`: the
    merge's commit, the head that a force-push replaced, or the head that was reviewed; `review`: the id of the one
    that is dismissed.
    """

    id: int
    did: EventKind
    at: datetime
    by: Account | None
    of: Account | None = None
    team: str = ""
    text: str = ""
    verdict: Verdict | None = None
    commits: tuple[Commit, ...] = ()
    sha: str = ""
    review: int = 0
    line_comments: tuple[LineComment, ...] = ()


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request; `commits`, `labels` and `is_draft` are its state when it was opened."""

    id: int
    number: int
    repository: Repository
    author: Account | None
    title: str
    body: str
    source_branch: str
    target_branch: str
    base_sha: str
    created_at: datetime
    commits: tuple[Commit, ...]
    is_draft: bool = False
    labels: tuple[str, ...] = ()
    happenings: tuple[DeliveryEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue; `labels` and `assignees` are its state when it was opened; `epic` is the number of its epic."""

    id: int
    number: int
    repository: Repository
    author: Account | None
    title: str
    body: str
    created_at: datetime
    labels: tuple[str, ...] = ()
    assignees: tuple[Account, ...] = ()
    happenings: tuple[DeliveryEvent, ...] = ()
    epic: int | None = None
    is_epic: bool = False
    due_on: date | None = None


class Outcome(enum.StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Workflow:
    id: int
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job, waiting from `queued_at` to `started_at`; a skipped job started and ended at the same moment."""

    id: int
    name: str
    queued_at: datetime
    started_at: datetime
    finished_at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    by: Account | None
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """A run of a workflow on a commit, tried once or more; `number` counts within its workflow."""

    id: int
    number: int
    repository: Repository
    workflow: Workflow
    trigger: str  # push, pull_request, schedule
    commit: Commit
    branch: str
    by: Account | None
    created_at: datetime
    attempts: tuple[Attempt, ...]
    pull_request: int | None = None  # its number


class DeploymentState(enum.StrEnum):
    QUEUED = "queued"
    IN_PROGRESS = "in progress"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    INACTIVE = "inactive"  # another one took its place


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    id: int
    at: datetime
    state: DeploymentState
    by: Account | None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment; `rollback_of` is the id of the deployment that it rolls back, `fixes` the ids of incidents that it
    ends.

    `service` is the name that the deployer gives in the payload; empty if none.
    """

    id: int
    repository: Repository
    environment: str
    sha: str
    ref: str
    by: Account | None
    created_at: datetime
    statuses: tuple[DeploymentStatus, ...]
    description: str = ""
    rollback_of: int | None = None
    fixes: tuple[int, ...] = ()
    service: str = ""


class Urgency(enum.StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident; `caused_by` is the id of the deployment that caused it, if any; times are None while it is open."""

    id: int
    repository: Repository
    title: str
    urgency: Urgency
    started_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    caused_by: int | None = None


@dataclass(frozen=True, slots=True)
class Release:
    id: int
    repository: Repository
    tag: str
    name: str
    sha: str
    by: Account | None
    created_at: datetime
    published_at: datetime
    is_prerelease: bool = False


@dataclass(frozen=True, slots=True)
class CodeScanningAlert:
    """An alert of the default branch; `severity` is empty for a rule that is not about security."""

    number: int
    repository: Repository
    rule: str
    level: str
    severity: str
    path: str
    created_at: datetime
    fixed_at: datetime | None = None
    dismissed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """Everything that happened until `ends_at`; records of each kind in order of creation.

    `commits` are those of the default branch by repository name, in order of time.
    """

    organisation: Account
    accounts: tuple[Account, ...]
    repositories: tuple[Repository, ...]
    ends_at: datetime
    commits: Mapping[str, tuple[Commit, ...]] = field(default_factory=dict)
    pull_requests: tuple[PullRequest, ...] = ()
    issues: tuple[Issue, ...] = ()
    runs: tuple[PipelineRun, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    incidents: tuple[Incident, ...] = ()
    releases: tuple[Release, ...] = ()
    alerts: tuple[CodeScanningAlert, ...] = ()

    def repository(self, name: str) -> Repository:
        """The repository of that name.  Raises KeyError."""
        for repository in self.repositories:
            if repository.name == name:
                return repository
        raise KeyError(name)


_OfRepository = TypeVar(
    "_OfRepository", PullRequest, Issue, PipelineRun, Deployment, Incident, Release, CodeScanningAlert
)


def renamed_repository(history: DeliveryHistory, name: str, new_name: str) -> DeliveryHistory:
    """The history as it reads after the repository was renamed, everywhere in it."""
    old = history.repository(name)
    new = replace(old, name=new_name)

    def moved(records: tuple[_OfRepository, ...]) -> tuple[_OfRepository, ...]:
        return tuple(replace(record, repository=new) if record.repository == old else record for record in records)

    return replace(
        history,
        repositories=tuple(new if repository == old else repository for repository in history.repositories),
        commits={new_name if key == name else key: commits for key, commits in history.commits.items()},
        pull_requests=moved(history.pull_requests),
        issues=moved(history.issues),
        runs=moved(history.runs),
        deployments=moved(history.deployments),
        incidents=moved(history.incidents),
        releases=moved(history.releases),
        alerts=moved(history.alerts),
    )
