"""Headway's own words for what providers call by theirs: closed enumerations.

The provider's word is always kept beside ours; a word that nobody mapped is `other` or `unknown`, never an error.
This module imports no Django: connectors' `normalise` functions are plain functions.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """Kinds of facts that a connection can bring, in the order in which a first sync asks for them."""

    REPOSITORY = "repository"
    PULL_REQUEST = "pull_request"
    DEPLOYMENT = "deployment"
    PIPELINE_RUN = "pipeline_run"
    WORK_ITEM = "work_item"
    SPRINT = "sprint"
    INCIDENT = "incident"
    RELEASE = "release"
    COMMIT = "commit"

    @property
    def words(self) -> str:
        """In the plural, as pages call them: pull requests."""
        return f"{self.replace('_', ' ')}s" if self is not Kind.REPOSITORY else "repositories"


class ResourceKind(StrEnum):
    """What an admin picks at a connection."""

    REPOSITORY = "repository"
    PROJECT = "project"
    BOARD = "board"
    PIPELINE = "pipeline"
    SERVICE = "service"


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
    """What happened to a pull request, beside its reviews and its commits."""

    READY = "ready"
    DRAFT = "draft"
    CLOSED = "closed"
    REOPENED = "reopened"
    REVIEW_REQUESTED = "review_requested"
    REVIEW_REQUEST_REMOVED = "review_request_removed"
    FORCE_PUSHED = "force_pushed"


class StatusCategory(StrEnum):
    """Where a work item's status stands."""

    TODO = "todo"
    IN_PROGRESS = "in_progress"
    DONE = "done"


class StatusActivity(StrEnum):
    """Whether anybody works on an item in a status, where that is in progress."""

    ACTIVE = "active"
    WAITING = "waiting"


class Ending(StrEnum):
    """How an item in the category done got there: as work that was done, or dropped (cancelled, not planned …)."""

    DELIVERED = "delivered"
    DROPPED = "dropped"


class FoundBy(StrEnum):
    """Where something was found that its team did not find itself; what customers find is in production, too."""

    CUSTOMER = "customer"
    PRODUCTION = "production"


class WorkType(StrEnum):
    """What work is for; the finer classes of *other* count as other wherever three are shown, and who filters by it."""

    FEATURE = "feature"
    BUG = "bug"
    OTHER = "other"
    TECH_DEBT = "tech_debt"
    OPERATIONS = "operations"
    DOCUMENTATION = "documentation"


FINER_THAN_OTHER = (WorkType.TECH_DEBT, WorkType.OPERATIONS, WorkType.DOCUMENTATION)


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


class SprintState(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    CLOSED = "closed"


class RunStatus(StrEnum):
    """Of pipeline runs, of their jobs, and of deployments."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    RUNNING = "running"
    QUEUED = "queued"
    OTHER = "other"


class Environment(StrEnum):
    PRODUCTION = "production"
    STAGING = "staging"
    OTHER = "other"


class LinkMethod(StrEnum):
    """Where a pull request's link to a work item was found, the surest first."""

    PROVIDER = "provider"
    BRANCH = "branch"
    TITLE = "title"
    BODY = "body"
    COMMIT = "commit"
