"""Closed enumerations to which providers' values are mapped.

The provider's own value is always stored, too; an unmapped one becomes `other` or `unknown`, never an error.
This module imports no Django: connectors' `normalise` functions are plain functions.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

RECENT_DAYS = 21  # a line that is replaced within this many days is reworked


class Kind(StrEnum):
    """Kinds of facts that a connection can provide, in the order in which a first sync requests them."""

    REPOSITORY = "repository"
    PULL_REQUEST = "pull_request"
    DEPLOYMENT = "deployment"
    PIPELINE_RUN = "pipeline_run"
    WORK_ITEM = "work_item"
    SPRINT = "sprint"
    INCIDENT = "incident"
    RELEASE = "release"
    TEST_REPORT = "test_report"
    COVERAGE_REPORT = "coverage_report"
    CODE_SCANNING_ALERT = "code_scanning_alert"
    VENDOR_REPORT = "vendor_report"
    COMMIT = "commit"

    @property
    def words(self) -> str:
        """The plural label, such as pull requests."""
        return f"{self.replace('_', ' ')}s" if self is not Kind.REPOSITORY else "repositories"

    def words_for(self, number: int) -> str:
        """The label for that number of facts, without the number: pull request, pull requests."""
        return self.replace("_", " ") if number == 1 else self.words


class ResourceKind(StrEnum):
    """Kinds of resources that an admin can select at a connection."""

    REPOSITORY = "repository"
    PROJECT = "project"
    BOARD = "board"
    PIPELINE = "pipeline"
    SERVICE = "service"
    REPORT = "report"  # of a vendor of agents, about use or cost


class VendorContent(StrEnum):
    """The subject of a vendor's report.  Reports of both subjects may contain the same tokens; figures never add them
    up.
    """

    ACTIVITY = "activity"
    BILL = "bill"
    SEATS = "seats"  # who has one on the day
    TEAMS = "teams"  # of the vendor's own, and who is in which on the day
    LIMITS = "limits"  # of people's spend in the month, with what they have spent of it by the day
    COMMITS = "commits"  # lines of agents in commits: evidence, and no figure of use


class VendorLevel(StrEnum):
    """The finest level at which a vendor attributes use."""

    PERSON = "person"
    KEY = "key"  # an API key or a service account
    PROJECT = "project"
    ORGANISATION = "organisation"


class ItemField(StrEnum):
    """Fields of work items whose every change is stored, besides status, assignee and sprints."""

    ESTIMATE = "estimate"
    TYPE = "type"
    PRIORITY = "priority"
    VERSION = "version"


class PullRequestState(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class ReviewState(StrEnum):
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    COMMENTED = "commented"
    DISMISSED = "dismissed"


class PullRequestEventKind(StrEnum):
    """Events of a pull request, besides reviews and commits."""

    READY = "ready"
    DRAFT = "draft"
    CLOSED = "closed"
    REOPENED = "reopened"
    REVIEW_REQUESTED = "review_requested"
    REVIEW_REQUEST_REMOVED = "review_request_removed"
    FORCE_PUSHED = "force_pushed"


class MirrorState(StrEnum):
    """An action ticket's state as an issue tracker knows it."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class StatusCategory(StrEnum):
    """The workflow stage of a work item's status."""

    TODO = "todo"
    IN_PROGRESS = "in_progress"
    DONE = "done"


class StatusActivity(StrEnum):
    """Whether an in-progress status means active work or waiting."""

    ACTIVE = "active"
    WAITING = "waiting"


class Ending(StrEnum):
    """The ending of a done item: delivered, or dropped (cancelled, not planned …)."""

    DELIVERED = "delivered"
    DROPPED = "dropped"


class FoundBy(StrEnum):
    """The finder of an escaped bug; bugs found by customers are in production, too."""

    CUSTOMER = "customer"
    PRODUCTION = "production"


class WorkType(StrEnum):
    """The type of work; subtypes of *other* count as other wherever only three types are shown or filtered by."""

    FEATURE = "feature"
    BUG = "bug"
    OTHER = "other"
    TECH_DEBT = "tech_debt"
    OPERATIONS = "operations"
    DOCUMENTATION = "documentation"


OTHER_SUBTYPES = (WorkType.TECH_DEBT, WorkType.OPERATIONS, WorkType.DOCUMENTATION)


class Priority(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


class AlertState(StrEnum):
    """The state of a code scanning alert; a dismissed one was judged to need no fix."""

    OPEN = "open"
    FIXED = "fixed"
    DISMISSED = "dismissed"


class SprintState(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    CLOSED = "closed"


class ReportedOutcome(StrEnum):
    """The list of the tracker's own sprint report that a work item is in."""

    COMPLETED = "completed"
    NOT_COMPLETED = "not_completed"
    REMOVED = "removed"
    COMPLETED_ELSEWHERE = "completed_elsewhere"  # outside of the sprint


class SprintOutcome(StrEnum):
    """The outcome of a work item in a sprint.  Work that was dropped there counts as removed."""

    OPEN = "open"  # while the sprint is
    DELIVERED = "delivered"
    CARRIED_OVER = "carried_over"
    REMOVED = "removed"


class RunStatus(StrEnum):
    """The status of pipeline runs, their jobs, and deployments."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    RUNNING = "running"
    QUEUED = "queued"
    OTHER = "other"


CHANGE_REQUEST: Final = "change_request"  # the task of a deployment that a change request reports, not what deploys


class Environment(StrEnum):
    PRODUCTION = "production"
    STAGING = "staging"
    OTHER = "other"


class LinkMethod(StrEnum):
    """The places from which a pull request's link to a work item was read, most reliable first."""

    PROVIDER = "provider"
    BRANCH = "branch"
    TITLE = "title"
    BODY = "body"
    COMMIT = "commit"


class RequestPart(StrEnum):
    """The dimensions of a request to a model, from telemetry: the part of the work it belongs to, or how it was
    made.
    """

    SKILL = "skill"
    SUB_AGENT = "sub_agent"
    PLUGIN = "plugin"
    MCP_SERVER = "mcp_server"
    EFFORT = "effort"
    QUERY_SOURCE = "query_source"
    PROVIDER = "provider"


class UnitOfMeasure(StrEnum):
    SECONDS = "seconds"
    PERCENT = "percent"  # 0–100
    COUNT = "count"
    PER_DAY = "per_day"
    LINES = "lines"
    TOKENS = "tokens"
    CURRENCY = "currency"  # US dollars


class Better(StrEnum):
    """The direction of improvement."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"
