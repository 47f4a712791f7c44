"""Facts as provided by a source, before they are stored: the result of `normalise`.

A draft contains known fields and leaves out the rest: a field that is `MISSING` keeps its stored value, while None
means that there is none (no merge, no assignee).  List pages, single records and webhooks of one record therefore take
the same path and may arrive in any order.  Times are aware; text is the provider's, without NUL, cut at
`LONGEST_TITLE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import ClassVar, Final, Generic, TypeAlias, TypeVar

from integrations.enums import (
    AlertState,
    ItemField,
    Kind,
    LinkMethod,
    Priority,
    PullRequestEventKind,
    PullRequestState,
    ReportedOutcome,
    ReviewState,
    RunStatus,
    Severity,
    SprintState,
    StatusCategory,
    VendorContent,
    VendorLevel,
)

Part = TypeVar("Part")
LONGEST_TITLE = 1000  # the most that a page can show; a longer one ends in …


class Missing(Enum):
    """The type of MISSING: this draft does not provide the field."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Who:
    """A person as a provider names them: by at least one of login, e-mail address and account id."""

    login: str = ""
    email: str = ""
    name: str = ""
    account: str = ""
    bot: bool = False  # according to the provider
    at: str = ""  # the provider whose login it is, if not the connection's own


@dataclass(frozen=True, slots=True)
class ProvidedParts(Generic[Part]):
    """The parts of a record that a draft provides; `whole`: all of them, so that stored others are deleted."""

    parts: Sequence[Part] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The fields common to all records.  `updated_at` is the provider's own: an older draft does not overwrite a newer
    one.
    """

    kind: ClassVar[Kind]
    external_id: str
    updated_at: datetime | None = None
    deleted: bool = False
    left_out: tuple[str, ...] = ()  # paths of parts that could not be understood

    def provided(self) -> tuple[str, ...]:
        """The names of the fields that this draft provides."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryDraft(Draft):
    """A repository; `name` is its usual name (acme/shop), `remote` its host and path in one spelling
    (github.com/acme/shop).
    """

    kind: ClassVar[Kind] = Kind.REPOSITORY
    name: str
    remote: str = ""
    url: str = ""
    default_branch: str | Missing = MISSING
    archived: bool | Missing = MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestCommitDraft:
    """A commit of the pull request itself; `position` counts from 0 in the provider's order."""

    sha: str
    position: int
    author: Who | None = None
    authored_at: datetime | None = None  # for a cherry-pick, the time at which it was picked
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
    """An event; `of` is the person affected (the requested reviewer), `by` the actor; `team` if a team was
    requested.
    """

    kind: PullRequestEventKind
    at: datetime
    by: Who | None = None
    of: Who | None = None
    team: str = ""
    position: int = 0  # among events at the same moment: integrations/intake/order_of_parts.py


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemReference:
    """A work item that a pull request names by its key, and the place of that mention."""

    key: str
    method: LinkMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestDraft(Draft):
    """A pull request; `repository` is its external id, `references` are keys found in branch, title and body."""

    kind: ClassVar[Kind] = Kind.PULL_REQUEST
    repository: str
    number: int
    title: str | Missing = MISSING
    url: str | Missing = MISSING
    author: Who | Missing | None = MISSING
    requested_by: Who | Missing | None = MISSING
    state: PullRequestState | Missing = MISSING
    native_state: str | Missing = MISSING
    is_draft: bool | Missing = MISSING
    created_at: datetime | Missing = MISSING
    merged_at: datetime | Missing | None = MISSING
    closed_at: datetime | Missing | None = MISSING
    merged_by: Who | Missing | None = MISSING
    merge_sha: str | Missing = MISSING  # empty until it is merged
    head_sha: str | Missing = MISSING
    source_branch: str | Missing = MISSING
    target_branch: str | Missing = MISSING
    additions: int | Missing | None = MISSING
    deletions: int | Missing | None = MISSING
    changed_files: int | Missing | None = MISSING
    commit_count: int | Missing | None = MISSING  # if it exceeds the length of `commits`, that list was cut
    comment_count: int | Missing | None = MISSING  # in the conversation
    review_comment_count: int | Missing | None = MISSING  # on lines
    labels: tuple[str, ...] | Missing = MISSING
    commits: ProvidedParts[PullRequestCommitDraft] | Missing = MISSING
    reviews: ProvidedParts[ReviewDraft] | Missing = MISSING
    events: ProvidedParts[PullRequestEventDraft] | Missing = MISSING
    references: ProvidedParts[WorkItemReference] | Missing = MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionDraft:
    """A change of status; `category` is that of `to_status`, None if only the value mapping knows it."""

    at: datetime
    from_status: str
    to_status: str
    category: StatusCategory | None = None
    by: Who | None = None
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentDraft:
    """An assignment: `assignee` from `at` on; None: unassigned."""

    at: datetime
    assignee: Who | None
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SprintChangeDraft:
    """The addition of the item to a sprint (by its external id at the connection), or its removal."""

    at: datetime
    sprint: str
    added: bool
    by: Who | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChangeDraft:
    """A change of a field whose latest value the item shows; empty if there was, or is, no value."""

    at: datetime
    field: ItemField
    before: str
    after: str
    by: Who | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPlan:
    """The present plan of an item in a tracker without a history of plans: its sprint on a board, and when that and its
    estimate last changed.  `sprint` is empty if the item is in none, None if that is unknown.

    Changes are derived as differences from what is stored: integrations/intake/seen_plans.py.
    """

    board: str
    sprint: str | None
    sprint_at: datetime
    sprint_by: Who | None = None
    estimate_at: datetime
    estimate_by: Who | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemDraft(Draft):
    """A work item; `project` is its external id, `key` the one that people use (SHOP-12, acme/shop#12)."""

    kind: ClassVar[Kind] = Kind.WORK_ITEM
    project: str
    key: str
    former_keys: tuple[str, ...] | Missing = MISSING  # keys in other projects, which branches and titles still name
    title: str | Missing = MISSING
    url: str | Missing = MISSING
    native_type: str | Missing = MISSING
    native_status: str | Missing = MISSING
    status_category: StatusCategory | Missing = MISSING
    first_category: StatusCategory | Missing = MISSING  # the category of the status in which it was created
    native_priority: str | Missing = MISSING
    priority: Priority | Missing = MISSING
    resolution: str | Missing = MISSING
    estimate: float | Missing | None = MISSING
    parent_key: str | Missing = MISSING
    native_team: str | Missing = MISSING
    due_on: date | Missing | None = MISSING
    versions: tuple[str, ...] | Missing = MISSING  # names of the versions that it is to be released in
    release_on: date | Missing | None = MISSING  # the first day of these versions
    reporter: Who | Missing | None = MISSING
    assignee: Who | Missing | None = MISSING
    labels: tuple[str, ...] | Missing = MISSING
    components: tuple[str, ...] | Missing = MISSING  # names of the parts of its project
    has_description: bool | Missing | None = MISSING
    comment_count: int | Missing | None = MISSING
    created_at: datetime | Missing = MISSING
    resolved_at: datetime | Missing | None = MISSING
    transitions: ProvidedParts[TransitionDraft] | Missing = MISSING
    assignments: ProvidedParts[AssignmentDraft] | Missing = MISSING
    sprint_changes: ProvidedParts[SprintChangeDraft] | Missing = MISSING
    value_changes: ProvidedParts[ValueChangeDraft] | Missing = MISSING
    seen: SeenPlan | None = None  # such a draft says nothing else, except the estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedItemDraft:
    """A work item in the tracker's own report of a closed sprint; `added` if it was added after the start, by
    that report.
    """

    key: str
    outcome: ReportedOutcome
    added: bool
    first_points: float | None = None
    last_points: float | None = None


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
    reported: ProvidedParts[ReportedItemDraft] | Missing = MISSING


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
    """One attempt of a run: `external_id` identifies the attempt, `run` the run.

    `repository` is its external id at the connection, or an address or name; empty if the run names none.
    """

    kind: ClassVar[Kind] = Kind.PIPELINE_RUN
    repository: str = ""
    run: str
    name: str
    title: str | Missing = MISSING  # the author's title of this run
    parent: str | Missing = MISSING  # the run that started it
    attempt: int = 1
    status: RunStatus | Missing = MISSING
    native_status: str | Missing = MISSING
    url: str | Missing = MISSING
    trigger: str | Missing = MISSING  # push, pull_request, schedule …: the provider's term
    sha: str | Missing = MISSING
    branch: str | Missing = MISSING
    started_by: Who | Missing | None = MISSING
    queued_at: datetime | Missing | None = MISSING
    started_at: datetime | Missing | None = MISSING
    finished_at: datetime | Missing | None = MISSING
    jobs: ProvidedParts[JobDraft] | Missing = MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentStatusDraft:
    """A status of a deployment; `environment` is empty if it is that of the deployment."""

    external_id: str
    at: datetime
    status: RunStatus
    native_status: str
    environment: str = ""
    run: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentDraft(Draft):
    """A deployment; `native_environment` is the provider's name, and the connection's mapping decides if it is
    production.

    If there are statuses, these give the outcome and its times; `run` and `job` are those of the pipeline that rolled
    it out.
    """

    kind: ClassVar[Kind] = Kind.DEPLOYMENT
    repository: str = ""  # as in PipelineRunDraft
    native_environment: str | Missing = MISSING
    service: str | Missing = MISSING
    status: RunStatus | Missing = MISSING
    native_status: str | Missing = MISSING
    sha: str | Missing = MISSING
    ref: str | Missing = MISSING
    url: str | Missing = MISSING
    deployed_by: Who | Missing | None = MISSING
    created_at: datetime | Missing | None = MISSING
    started_at: datetime | Missing | None = MISSING
    finished_at: datetime | Missing | None = MISSING
    rollback_of: str | Missing = MISSING
    fixes: tuple[str, ...] | Missing = MISSING
    unplanned: bool | Missing | None = MISSING
    task: str | Missing = MISSING
    is_production: bool | Missing | None = MISSING  # the source's own statement about the environment
    is_transient: bool | Missing | None = MISSING
    run: str | Missing = MISSING
    parent: str | Missing = MISSING  # the run that started that one
    job: str | Missing = MISSING
    statuses: ProvidedParts[DeploymentStatusDraft] | Missing = MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDraft(Draft):
    """An incident; `repository` is empty if it names none; `caused_by` is a deployment's external id."""

    kind: ClassVar[Kind] = Kind.INCIDENT
    repository: str = ""
    service: str | Missing = MISSING
    key: str | Missing = MISSING
    title: str | Missing = MISSING
    url: str | Missing = MISSING
    native_status: str | Missing = MISSING
    native_severity: str | Missing = MISSING
    severity: Severity | Missing = MISSING
    started_at: datetime | Missing = MISSING
    acknowledged_at: datetime | Missing | None = MISSING
    resolved_at: datetime | Missing | None = MISSING
    caused_by: str | Missing = MISSING


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
    on_default_branch: bool | None = True  # None: true if `branch` is the default one, or empty
    branch: str = ""
    additions: int | None = None
    deletions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReportDraft(Draft):
    """The results of one test run on a commit.

    `failed_names` are tests with a failed attempt, `flaky_names` those of them that also passed.  `failed_tests` and
    `passed_tests` are the digests of all of them: connectors/quality_reports/junit.py.
    """

    kind: ClassVar[Kind] = Kind.TEST_REPORT
    repository: str
    name: str
    sha: str
    branch: str
    run: str
    url: str
    tests: int
    failures: int
    errors: int
    skipped: int
    duration_seconds: float | None
    failed_names: tuple[str, ...]
    failed_tests: str
    passed_tests: str
    finished_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReportDraft(Draft):
    """Lines of code of a commit, the number that its tests executed, and the ratings of an analysis tool.

    None means not measured.  Ratings go from 1 (A) to 5 (E).
    """

    kind: ClassVar[Kind] = Kind.COVERAGE_REPORT
    repository: str
    name: str
    sha: str
    branch: str
    run: str
    url: str
    measured_at: datetime
    lines_valid: int | None = None
    lines_covered: int | None = None
    lines: int | None = None
    duplicated_lines: int | None = None
    passes_gate: bool | None = None
    reliability: int | None = None
    security: int | None = None
    maintainability: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeScanningAlertDraft(Draft):
    """An alert of a code scanning tool on the default branch: its rule and file, no code."""

    kind: ClassVar[Kind] = Kind.CODE_SCANNING_ALERT
    repository: str
    tool: str
    rule: str
    path: str
    url: str
    state: AlertState
    native_state: str
    severity: Severity
    native_severity: str
    created_at: datetime
    fixed_at: datetime | None
    dismissed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorUsageDraft:
    """The use and cost of one person, key or project, with one product and model, according to a vendor's report.

    `agent` is the agent's name in its sessions; empty if the product is not a coding agent.  A number is None if the
    report lacks it.  `cost` is the amount charged, `list_cost` the same before discounts.
    """

    level: VendorLevel
    person: Who | None = None
    name: str = ""  # of a key or project; the id of a commit
    agent: str = ""
    product: str = ""
    model: str = ""
    people: int | None = None  # who used it, where the vendor does not say who
    sessions: int | None = None
    requests: int | None = None
    suggestions: int | None = None
    acceptances: int | None = None
    lines_suggested: int | None = None
    lines_added: int | None = None
    lines_removed: int | None = None
    lines_of_commit: int | None = None  # added ones, of which `lines_added` are the agent's
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    list_cost: Decimal | None = None
    spend_limit: Decimal | None = None  # of a month; None in a report of limits: there is none
    credits: Decimal | None = None
    currency: str = ""
    phase: str = ""  # of adoption, with the version of the vendor's rule
    last_used_on: date | None = None  # of a seat, or None if it never was


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorReportDraft(Draft):
    """A vendor's complete report of one day: usage that an earlier answer had and this one lacks is deleted."""

    kind: ClassVar[Kind] = Kind.VENDOR_REPORT
    report: str  # the external id of its resource
    content: VendorContent
    day: date
    usage: ProvidedParts[VendorUsageDraft] | Missing = MISSING


_OfCode: TypeAlias = RepositoryDraft | PullRequestDraft | CommitDraft | ReleaseDraft
_OfDelivery: TypeAlias = PipelineRunDraft | DeploymentDraft | IncidentDraft
_OfQuality: TypeAlias = TestReportDraft | CoverageReportDraft | CodeScanningAlertDraft
AnyDraft: TypeAlias = _OfCode | _OfDelivery | _OfQuality | WorkItemDraft | SprintDraft | VendorReportDraft


def shown_title(text: str) -> str:
    """A title without NUL, truncated to what a page can show."""
    clean = text.replace("\0", "")
    return clean if len(clean) <= LONGEST_TITLE else f"{clean[: LONGEST_TITLE - 1]}…"
