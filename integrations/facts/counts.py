"""Numbers of facts by kind and state, for checking an import, and the kinds of data that the installation receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from core import sql
from integrations.enums import Kind
from integrations.models import (
    AgentSession,
    CodeScanningAlert,
    Commit,
    CommitInRepository,
    Connection,
    ContextFile,
    CoverageReport,
    Deployment,
    Incident,
    PipelineRun,
    ProviderFact,
    PullRequest,
    PullRequestReview,
    QuarantinedPayload,
    QuarantinedRecord,
    Release,
    Repository,
    Sprint,
    TestReport,
    VendorReport,
    WorkItem,
)

# The state of each kind of record; deleted records do not count.
_STATES: Mapping[Kind, tuple[type[ProviderFact], Combinable]] = {
    Kind.PULL_REQUEST: (PullRequest, F("state")),
    Kind.WORK_ITEM: (WorkItem, F("status_category")),
    Kind.SPRINT: (Sprint, F("state")),
    Kind.PIPELINE_RUN: (PipelineRun, F("status")),
    Kind.DEPLOYMENT: (Deployment, F("status")),
    Kind.INCIDENT: (Incident, Case(When(resolved_at=None, then=Value("open")), default=Value("resolved"))),
    Kind.RELEASE: (
        Release,
        Case(
            When(is_draft=True, then=Value("draft")),
            When(is_prerelease=True, then=Value("prerelease")),
            default=Value("published"),
        ),
    ),
    Kind.TEST_REPORT: (TestReport, Value("received")),
    Kind.COVERAGE_REPORT: (CoverageReport, Value("received")),
    Kind.CODE_SCANNING_ALERT: (CodeScanningAlert, F("state")),
    Kind.VENDOR_REPORT: (VendorReport, F("content")),
}


def count_facts(connection: Connection | None = None) -> dict[str, Any]:
    """Kind of fact → {"total", "by_state"}, and the records in quarantine, for one connection or all.

    A commit's state is its exclusion reason or "counted"; "lines_unknown" are commits whose objects git lacks.
    """
    repositories = Repository.objects.counted()
    commits = Commit.objects.all()
    if connection is not None:
        of_connection = Q(sources__connection=connection) | Q(resources__connection=connection)
        own = Repository.objects.filter(of_connection)
        repositories = repositories.filter(pk__in=own.values(counted=Coalesce("joined_into", "pk")))
        commits = commits.filter(pk__in=_held_by(repositories))
    facts: dict[str, Any] = {
        "repository": {"total": repositories.count()},
        "commit": _commits(commits),
        "context_file": _context_files(ContextFile.objects.filter(repository__in=repositories)),
        **_records(connection),
    }
    payloads = QuarantinedPayload.objects.filter(replayed_at=None)
    if connection is None:  # telemetry arrives by token, not by connection
        sessions = _by("agent", AgentSession.objects.all())
        facts["session"] = {"total": sum(sessions.values()), "by_agent": sessions}
        facts["quarantined"] = QuarantinedRecord.objects.filter(replayed_at=None).count() + payloads.count()
    else:
        facts["quarantined"] = payloads.filter(connection=connection).count()
    return facts


def _records(connection: Connection | None) -> dict[str, Any]:
    """Records from providers; deployments also by environment."""
    facts: dict[str, Any] = {}
    for kind, (model, state) in _STATES.items():
        records = model._default_manager.filter(deleted_at=None)
        if connection is not None:
            records = records.filter(connection=connection)
        by_state = _by("told_state", records.annotate(told_state=state))
        facts[kind.value] = {"total": sum(by_state.values()), "by_state": by_state}
        if kind == Kind.PULL_REQUEST:
            reviews = _by("state", PullRequestReview.objects.filter(pull_request__in=records))
            facts["review"] = {"total": sum(reviews.values()), "by_state": reviews}
        if kind == Kind.DEPLOYMENT:
            facts[kind.value]["by_environment"] = _by("environment", records)
    return facts


def _by(column: str, rows: QuerySet[Any]) -> dict[str, int]:
    return dict(rows.order_by(column).values_list(column).annotate(number=Count("pk")))


def _commits(commits: QuerySet[Commit]) -> dict[str, Any]:
    by_state = {state or "counted": number for state, number in _by("exclusion_reason", commits).items()}
    return {
        "total": sum(by_state.values()),
        "by_state": by_state,
        "lines_unknown": commits.filter(lines_known=False).count(),
    }


def _context_files(files: QuerySet[ContextFile]) -> dict[str, Any]:
    numbers = files.aggregate(present=Count("pk", Q(present_to=None)), removed=Count("pk", ~Q(present_to=None)))
    return {"total": sum(numbers.values()), "by_state": {state: n for state, n in numbers.items() if n}}


def _held_by(repositories: QuerySet[Repository]) -> QuerySet[Any]:
    return CommitInRepository.objects.filter(repository__in=repositories).values("commit")


class AvailableSources(NamedTuple):
    """Whether any session was received, any seat plan exists, any repository is connected, synced or not, any work item
    is stored, and any vendor reports use."""

    sessions: bool
    seats: bool
    repositories: bool
    work_items: bool
    vendors: bool


def available_sources() -> AvailableSources:
    """Reads the available sources in one query."""
    (row,) = sql.rows(
        """
        SELECT EXISTS (SELECT FROM integrations_agentsession), EXISTS (SELECT FROM integrations_seatplan),
               EXISTS (SELECT FROM integrations_repositorysource), EXISTS (SELECT FROM integrations_workitem),
               EXISTS (SELECT FROM integrations_vendorreport)
        """
    )
    return AvailableSources(*row)
