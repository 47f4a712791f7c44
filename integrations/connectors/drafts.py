"""Facts as provided by a source, before they are stored: the result of `normalise`.

A draft contains what is known and leaves out the rest: a field that is `UNTOLD` keeps its stored value, while None
means that there is none (no merge, no assignee).  List pages, single records and webhooks of one record therefore go
the same way and may arrive in any order.

Times are aware; durations follow from them.  Text is the provider's, without NUL, cut at `LONGEST_TITLE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar

from integrations.enums import (
    Kind,
    LinkMethod,
    Priority,
    PullRequestEventKind,
    PullRequestState,
    ReviewState,
    RunStatus,
    Severity,
    SprintState,
    StatusCategory,
)

Part = TypeVar("Part")
LONGEST_TITLE = 1000  # what a page can show; a longer one ends in …


class Untold(Enum):
    """The type of UNTOLD: this draft does not provide the field."""

    UNTOLD = "untold"

    def __repr__(self) -> str:
        return "UNTOLD"


UNTOLD: Final = Untold.UNTOLD


@dataclass(frozen=True, slots=True)
class Who:
    """A person as a provider names them: at least one of login, e-mail address and account id."""

    login: str = ""
    email: str = ""
    name: str = ""
    account: str = ""
    bot: bool = False  # according to the provider


@dataclass(frozen=True, slots=True)
class Told(Generic[Part]):
    """The parts of a record that a draft provides;

    `whole` if the collection is complete, so that stored others are deleted.
    """

    parts: Sequence[Part] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What all records share.  `updated_at` is the provider's own: an older draft does not overwrite a newer one."""

    kind: ClassVar[Kind]
    external_id: str
    updated_at: datetime | None = None
    deleted: bool = False

    def provided(self) -> tuple[str, ...]:
        """The names of the fields that this draft provides."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not UNTOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryDraft(Draft):
    """`name` is what people call it (acme/shop), `remote` host and path in one spelling (github.com/acme/shop)."""

    kind: ClassVar[Kind] = Kind.REPOSITORY
    name: str
    remote: str = ""
    url: str = ""
    default_branch: str | Untold = UNTOLD
    archived: bool | Untold = UNTOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestCommitDraft:
    """A commit of the pull request itself; `position` counts from 0 in the provider's order."""

    sha: str
    position: int
    author: Who | None = None
    authored_at: datetime | None = None
    committed_at: datetime | None = None
    subject: str = ""
    parents: tuple[str, ...] = ()  # empty if the provider does not send them
    agents: tuple[str, ...] = ()  # slugs of the coding agents that its message names


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDraft:
    external_id: str
    author: Who | None
    state: ReviewState
    native_state: str
    submitted_at: datetime
    commit_sha: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestEventDraft:
    """`of` is the person concerned (the requested reviewer), `by` who did it; `team` if a team was requested."""

    kind: PullRequestEventKind
    at: datetime
    by: Who | None = None
    of: Who | None = None
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemReference:
    """A work item that a pull request names by its key, and where."""

    key: str
    method: LinkMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestDraft(Draft):
    """`repository` is its external id at the connection; `references` are keys found in branch, title and body."""

    kind: ClassVar[Kind] = Kind.PULL_REQUEST
    repository: str
    number: int
    title: str | Untold = UNTOLD
    url: str | Untold = UNTOLD
    author: Who | Untold | None = UNTOLD
    requested_by: Who | Untold | None = UNTOLD
    state: PullRequestState | Untold = UNTOLD
    native_state: str | Untold = UNTOLD
    is_draft: bool | Untold = UNTOLD
    created_at: datetime | Untold = UNTOLD
    merged_at: datetime | Untold | None = UNTOLD
    closed_at: datetime | Untold | None = UNTOLD
    merged_by: Who | Untold | None = UNTOLD
    merge_sha: str | Untold = UNTOLD  # empty while it is not merged
    head_sha: str | Untold = UNTOLD
    source_branch: str | Untold = UNTOLD
    target_branch: str | Untold = UNTOLD
    additions: int | Untold | None = UNTOLD
    deletions: int | Untold | None = UNTOLD
    changed_files: int | Untold | None = UNTOLD
    comment_count: int | Untold | None = UNTOLD  # in the conversation
    review_comment_count: int | Untold | None = UNTOLD  # on lines
    labels: tuple[str, ...] | Untold = UNTOLD
    commits: Told[PullRequestCommitDraft] | Untold = UNTOLD
    reviews: Told[ReviewDraft] | Untold = UNTOLD
    events: Told[PullRequestEventDraft] | Untold = UNTOLD
    references: Told[WorkItemReference] | Untold = UNTOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionDraft:
    """A change of status; `category` is that of `to_status`, None where only its mapping knows it."""

    at: datetime
    from_status: str
    to_status: str
    category: StatusCategory | None = None
    by: Who | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentDraft:
    """`assignee` from `at` on; None: unassigned."""

    at: datetime
    assignee: Who | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SprintChangeDraft:
    """The item was put into a sprint (by its external id at the connection) or taken out of it."""

    at: datetime
    sprint: str
    added: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemDraft(Draft):
    """`project` is its external id at the connection; `key` is what people write (SHOP-12, acme/shop#12)."""

    kind: ClassVar[Kind] = Kind.WORK_ITEM
    project: str
    key: str
    title: str | Untold = UNTOLD
    url: str | Untold = UNTOLD
    native_type: str | Untold = UNTOLD
    native_status: str | Untold = UNTOLD
    status_category: StatusCategory | Untold = UNTOLD
    first_category: StatusCategory | Untold = UNTOLD  # of the status in which it was created
    native_priority: str | Untold = UNTOLD
    priority: Priority | Untold = UNTOLD
    resolution: str | Untold = UNTOLD
    estimate: float | Untold | None = UNTOLD
    parent_key: str | Untold = UNTOLD
    reporter: Who | Untold | None = UNTOLD
    assignee: Who | Untold | None = UNTOLD
    labels: tuple[str, ...] | Untold = UNTOLD
    has_description: bool | Untold | None = UNTOLD
    comment_count: int | Untold | None = UNTOLD
    created_at: datetime | Untold = UNTOLD
    resolved_at: datetime | Untold | None = UNTOLD
    transitions: Told[TransitionDraft] | Untold = UNTOLD
    assignments: Told[AssignmentDraft] | Untold = UNTOLD
    sprint_changes: Told[SprintChangeDraft] | Untold = UNTOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class SprintDraft(Draft):
    kind: ClassVar[Kind] = Kind.SPRINT
    board: str
    name: str
    state: SprintState
    native_state: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    completed_at: datetime | None = None
    goal_is_set: bool | Untold = UNTOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDraft:
    external_id: str
    name: str
    status: RunStatus
    native_status: str
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRunDraft(Draft):
    """One attempt of a run: `external_id` tells attempts apart, `run` does not."""

    kind: ClassVar[Kind] = Kind.PIPELINE_RUN
    repository: str
    run: str
    name: str
    attempt: int = 1
    status: RunStatus | Untold = UNTOLD
    native_status: str | Untold = UNTOLD
    url: str | Untold = UNTOLD
    trigger: str | Untold = UNTOLD  # push, pull_request, schedule …: the provider's word
    sha: str | Untold = UNTOLD
    branch: str | Untold = UNTOLD
    started_by: Who | Untold | None = UNTOLD
    queued_at: datetime | Untold | None = UNTOLD
    started_at: datetime | Untold | None = UNTOLD
    finished_at: datetime | Untold | None = UNTOLD
    jobs: Told[JobDraft] | Untold = UNTOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentStatusDraft:
    external_id: str
    at: datetime
    status: RunStatus
    native_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentDraft(Draft):
    """`native_environment` is the provider's name of it; which one is production, the connection's mapping says."""

    kind: ClassVar[Kind] = Kind.DEPLOYMENT
    repository: str
    native_environment: str | Untold = UNTOLD
    service: str | Untold = UNTOLD
    status: RunStatus | Untold = UNTOLD
    native_status: str | Untold = UNTOLD
    sha: str | Untold = UNTOLD
    ref: str | Untold = UNTOLD
    url: str | Untold = UNTOLD
    deployed_by: Who | Untold | None = UNTOLD
    created_at: datetime | Untold | None = UNTOLD
    started_at: datetime | Untold | None = UNTOLD
    finished_at: datetime | Untold | None = UNTOLD
    rollback_of: str | Untold = UNTOLD
    fixes: tuple[str, ...] | Untold = UNTOLD
    unplanned: bool | Untold | None = UNTOLD
    statuses: Told[DeploymentStatusDraft] | Untold = UNTOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDraft(Draft):
    """`repository` is empty where the incident names none; `caused_by` is a deployment's external id."""

    kind: ClassVar[Kind] = Kind.INCIDENT
    repository: str = ""
    service: str | Untold = UNTOLD
    key: str | Untold = UNTOLD
    title: str | Untold = UNTOLD
    url: str | Untold = UNTOLD
    native_status: str | Untold = UNTOLD
    native_severity: str | Untold = UNTOLD
    severity: Severity | Untold = UNTOLD
    started_at: datetime | Untold = UNTOLD
    acknowledged_at: datetime | Untold | None = UNTOLD
    resolved_at: datetime | Untold | None = UNTOLD
    caused_by: str | Untold = UNTOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDraft(Draft):
    kind: ClassVar[Kind] = Kind.RELEASE
    repository: str
    tag: str
    name: str = ""
    url: str = ""
    target: str = ""  # a sha or a branch
    is_draft: bool = False
    is_prerelease: bool = False
    created_at: datetime | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitDraft(Draft):
    """A commit that no clone provides; `external_id` is its sha, lines are None if nobody counted them."""

    kind: ClassVar[Kind] = Kind.COMMIT
    repository: str
    parents: tuple[str, ...]
    author: Who
    authored_at: datetime
    committer: Who
    committed_at: datetime
    message: str = ""  # read for its trailers; only its first line is kept
    # Where the telling does not know which one is the default branch, it names the branch instead (empty: it is).
    on_default_branch: bool | None = True
    branch: str = ""
    additions: int | None = None
    deletions: int | None = None


AnyDraft: TypeAlias = (
    RepositoryDraft
    | PullRequestDraft
    | WorkItemDraft
    | SprintDraft
    | PipelineRunDraft
    | DeploymentDraft
    | IncidentDraft
    | ReleaseDraft
    | CommitDraft
)


def shown_title(text: str) -> str:
    """A title without NUL, truncated to what a page can show."""
    clean = text.replace("\0", "")
    return clean if len(clean) <= LONGEST_TITLE else f"{clean[: LONGEST_TITLE - 1]}…"


def plain(value: Any) -> Any:
    """A field as JSON for the database: times in ISO 8601, enumerations as their values."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value
