"""Tables and columns in which the fields and parts of drafts are stored.

A field is stored in the column of the same name.  People are stored as identities, repositories and projects as their
rows.  Waiting records are stored as JSON: fields that a draft does not provide are left out, and are MISSING when read
again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from typing import Any, get_type_hints

from django.db import connection as database
from django.db import models
from pydantic import TypeAdapter

from integrations.connectors.drafts import (
    MISSING,
    AssignmentDraft,
    CodeScanningAlertDraft,
    CommitDraft,
    CoverageReportDraft,
    DeploymentDraft,
    DeploymentStatusDraft,
    Draft,
    IncidentDraft,
    JobDraft,
    PipelineRunDraft,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReleaseDraft,
    ReportedItemDraft,
    ReviewDraft,
    SprintChangeDraft,
    SprintDraft,
    TestReportDraft,
    TransitionDraft,
    ValueChangeDraft,
    VendorReportDraft,
    VendorUsageDraft,
    Who,
    WorkItemDraft,
    WorkItemReference,
)
from integrations.enums import Kind, PullRequestState, ReviewState, RunStatus
from integrations.intake.order_of_parts import moves_in_order, parts_in_order
from integrations.models import (
    CodeScanningAlert,
    CoverageReport,
    Deployment,
    DeploymentStatus,
    Incident,
    PipelineJob,
    PipelineRun,
    ProviderFact,
    PullRequest,
    PullRequestCommit,
    PullRequestEvent,
    PullRequestReview,
    Release,
    ReportedSprintItem,
    Sprint,
    SprintChange,
    TestReport,
    VendorReport,
    VendorUsage,
    WorkItem,
    WorkItemAssignment,
    WorkItemChange,
    WorkItemLink,
    WorkItemTransition,
)


@dataclass(frozen=True)
class Lasting:
    """A column with final values: once it has one of them, no provider changes it."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Following:
    """Fields that are derived from parts: once a record's parts were provided, providers' values of these fields are
    ignored.
    """

    collection: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column in SQL: `provided_as` is its type in JSON, `stored_as` cuts text to the column's length."""

    name: str
    provided_as: str
    stored_as: str


@dataclass(frozen=True)
class Source:
    """A field of a draft, and the column in which it is stored."""

    field: str
    column: Column
    is_somebody: bool


def _sources(draft: type, model: type[models.Model], elsewhere: Mapping[str, str], left_out: set[str]) -> list[Source]:
    hints = get_type_hints(draft)
    return [
        Source(name, column_of(model, elsewhere.get(name, name)), Who in _union(hints[name]))
        for name in (draft_field.name for draft_field in fields(draft))
        if name not in left_out
    ]


def _union(hint: Any) -> tuple[Any, ...]:
    return getattr(hint, "__args__", None) or (hint,)


def column_of(model: type[models.Model], name: str) -> Column:
    """The column of a model's field."""
    model_field: Any = model._meta.get_field(name)
    stored = model_field.db_type(database)
    return Column(model_field.column, "text" if stored.startswith("varchar") else stored, stored)


@dataclass(frozen=True, eq=False)  # one instance each
class PartTable:
    """Parts of a record; `key` distinguishes the parts of one record."""

    collection: str
    draft: type
    model: type[models.Model]
    owner: str
    key: tuple[str, ...]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    lasting: Lasting | None = None
    in_order: Callable[[Sequence[Any]], Sequence[Any]] = tuple  # gives each its position among those of one moment

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def sources(self) -> list[Source]:
        return _sources(self.draft, self.model, self.elsewhere, set())

    @cached_property
    def plan(self) -> tuple[tuple[str, str, bool], ...]:
        """Field, column, and whether it names somebody; cached because there are many parts, and each one needs it."""
        return tuple((source.field, source.column.name, source.is_somebody) for source in self.sources)

    @cached_property
    def people(self) -> tuple[str, ...]:
        """The fields that name somebody."""
        return tuple(source.field for source in self.sources if source.is_somebody)

    @cached_property
    def key_columns(self) -> tuple[Column, ...]:
        return tuple(source.column for source in self.sources if source.field in self.key)

    @cached_property
    def value_columns(self) -> tuple[Column, ...]:
        return tuple(source.column for source in self.sources if source.field not in self.key)


@dataclass(frozen=True, eq=False)  # one instance each
class RecordTable:
    """Records of one kind.  `place` is the field that names their repository or project."""

    draft: type[Draft]
    model: type[ProviderFact]
    place: str = ""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[PartTable, ...] = ()
    lasting: Lasting | None = None
    following: Following | None = None

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The sources by field, without the parts, the fields common to all drafts, and seen plans."""
        left_out = {"external_id", "updated_at", "deleted", "left_out", "seen"} | {
            part.collection for part in self.parts
        }
        return {source.field: source for source in _sources(self.draft, self.model, self.elsewhere, left_out)}

    @cached_property
    def optional(self) -> tuple[str, ...]:
        """The fields that an update may omit."""
        silent = {draft_field.name for draft_field in fields(self.draft) if draft_field.default is MISSING}
        return tuple(name for name in self.sources if name in silent)

    @cached_property
    def people(self) -> tuple[str, ...]:
        """The fields that name somebody."""
        return tuple(source.field for source in self.sources.values() if source.is_somebody)

    @cached_property
    def collections(self) -> Mapping[str, PartTable]:
        return {part.collection: part for part in self.parts}


_ENDED = Lasting("status", (RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELLED, RunStatus.SKIPPED))

TABLES: Mapping[Kind, RecordTable] = {
    Kind.WORK_ITEM: RecordTable(
        WorkItemDraft,
        WorkItem,
        place="project",
        elsewhere={"status_category": "provider_category", "first_category": "provider_first_category"},
        parts=(
            PartTable(
                "transitions",
                TransitionDraft,
                WorkItemTransition,
                "work_item_id",
                key=("at", "from_status", "to_status"),
                elsewhere={"category": "provider_category"},
                in_order=moves_in_order,
            ),
            PartTable(
                "assignments",
                AssignmentDraft,
                WorkItemAssignment,
                "work_item_id",
                key=("at", "assignee"),
                in_order=parts_in_order,
            ),
            PartTable("sprint_changes", SprintChangeDraft, SprintChange, "work_item_id", key=("at", "sprint", "added")),
            PartTable(
                "value_changes",
                ValueChangeDraft,
                WorkItemChange,
                "work_item_id",
                key=("at", "field", "before", "after"),
            ),
        ),
    ),
    Kind.SPRINT: RecordTable(
        SprintDraft,
        Sprint,
        parts=(PartTable("reported", ReportedItemDraft, ReportedSprintItem, "sprint_id", key=("key",)),),
    ),
    Kind.PULL_REQUEST: RecordTable(
        PullRequestDraft,
        PullRequest,
        place="repository",
        lasting=Lasting("state", (PullRequestState.MERGED,)),
        parts=(
            PartTable("commits", PullRequestCommitDraft, PullRequestCommit, "pull_request_id", key=("sha",)),
            PartTable(
                "reviews",
                ReviewDraft,
                PullRequestReview,
                "pull_request_id",
                key=("external_id",),
                lasting=Lasting("state", (ReviewState.DISMISSED,)),
            ),
            PartTable(
                "events",
                PullRequestEventDraft,
                PullRequestEvent,
                "pull_request_id",
                key=("kind", "at", "of", "team"),
                in_order=parts_in_order,
            ),
            PartTable("references", WorkItemReference, WorkItemLink, "pull_request_id", key=("key", "method")),
        ),
    ),
    Kind.PIPELINE_RUN: RecordTable(
        PipelineRunDraft,
        PipelineRun,
        place="repository",
        lasting=_ENDED,
        parts=(PartTable("jobs", JobDraft, PipelineJob, "run_id", key=("external_id",), lasting=_ENDED),),
    ),
    Kind.DEPLOYMENT: RecordTable(
        DeploymentDraft,
        Deployment,
        place="repository",
        elsewhere={"sha": "named_sha"},
        lasting=_ENDED,
        following=Following("statuses", ("status", "native_status", "started_at", "finished_at", "run", "job")),
        parts=(PartTable("statuses", DeploymentStatusDraft, DeploymentStatus, "deployment_id", key=("external_id",)),),
    ),
    Kind.INCIDENT: RecordTable(
        IncidentDraft, Incident, place="repository", elsewhere={"severity": "provider_severity"}
    ),
    Kind.RELEASE: RecordTable(ReleaseDraft, Release, place="repository"),
    Kind.TEST_REPORT: RecordTable(TestReportDraft, TestReport, place="repository"),
    Kind.COVERAGE_REPORT: RecordTable(CoverageReportDraft, CoverageReport, place="repository"),
    Kind.CODE_SCANNING_ALERT: RecordTable(CodeScanningAlertDraft, CodeScanningAlert, place="repository"),
    Kind.VENDOR_REPORT: RecordTable(
        VendorReportDraft,
        VendorReport,
        parts=(
            PartTable(
                "usage",
                VendorUsageDraft,
                VendorUsage,
                "report_id",
                key=("person", "name", "product", "model"),
            ),
        ),
    ),
}


def dump_draft(draft: Draft) -> dict[str, Any]:
    provided = set(draft.provided())
    everything: dict[str, Any] = _adapter(draft.kind).dump_python(draft, mode="json")
    return {name: value for name, value in everything.items() if name in provided}


def load_draft(kind: Kind, document: dict[str, Any]) -> Draft:
    draft: Draft = _adapter(kind).validate_python(document)
    return draft


@cache
def _adapter(kind: Kind) -> TypeAdapter[Any]:
    return TypeAdapter(CommitDraft if kind == Kind.COMMIT else TABLES[kind].draft)
