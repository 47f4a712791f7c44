"""Reports of tests, coverage and code scanning: POST /ingest/v1/junit/?repository=…&sha=… with the file as the body.

The query string says what a report is about, so that a pipeline can send the file as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from integrations.connectors.drafts import CodeScanningAlertDraft, CoverageReportDraft, TestReportDraft
from integrations.connectors.quality_reports.cobertura import read_cobertura
from integrations.connectors.quality_reports.junit import read_junit
from integrations.connectors.quality_reports.sarif import SarifAlert, SarifRun, read_sarif
from integrations.connectors.quality_reports.xml_events import UnreadableReportError
from integrations.enums import AlertState, Kind, Severity
from integrations.intake.names import folded, spelled
from integrations.intake.placing import find_places
from integrations.intake.resolve import Named
from integrations.intake.tables import TABLES
from integrations.models import CodeScan, CodeScanningAlert, Repository
from integrations.outbox.write_lock import lock_for_write
from integrations.push.serializers import LONGEST_NAME, LONGEST_URL, Branch, Sha, StrictSerializer, Text, Time, in_words
from integrations.push.store import push_connection, store_claimed
from integrations.telemetry.otlp.ingest_tokens import Sender

REPORTS = {"junit": Kind.TEST_REPORT, "cobertura": Kind.COVERAGE_REPORT, "sarif": Kind.CODE_SCANNING_ALERT}
"""The kind of records that each format holds; given by the URL."""
_ANOTHER_BRANCH = (
    "branch: Alerts are counted on the default branch. Those of {branch!r} would mix what is merged with what is not, "
    "so they are not stored."
)


class ReportParams(StrictSerializer):
    repository = Text(longest=LONGEST_NAME)
    sha = Sha(required=False)
    branch = Branch()
    name = Text(required=False)
    run = Text(required=False)
    id = Text(required=False)
    at = Time(required=False)
    url = Text(required=False, longest=LONGEST_URL)


@dataclass(frozen=True, slots=True)
class _Report:
    """The values of the query string, and an id: the given one, else one by which the same file is recognised."""

    repository: str
    sha: str
    branch: str
    name: str
    run: str
    id: str
    at: datetime | None
    url: str

    @property
    def common(self) -> dict[str, Any]:
        """The fields that test and coverage reports share."""
        named = {name: getattr(self, name) for name in ("repository", "name", "sha", "branch", "run", "url")}
        return named | {"external_id": self.id}


def store_report(kind: str, params: Mapping[str, Any], body: bytes, sender: Sender) -> list[dict[str, Any]]:
    """Store a report; return the outcome of each of its records.  Raises UnreadableReportError."""
    report = _report_of(kind, params, body)
    if kind == "sarif":
        runs = read_sarif(body)
        with transaction.atomic():
            return [_stored_run(report, run, sender) for run in runs]
    with transaction.atomic():
        at = report.at or _stored_at(REPORTS[kind], report.id) or timezone.now()
        draft = _test_report(report, body, at) if kind == "junit" else _coverage_report(report, body, at)
        ((status, problem),) = store_claimed(sender, draft.kind, [draft])
    return [{"id": report.id, "status": status or "rejected", "error": problem or None, **_numbers(draft)}]


def _report_of(kind: str, params: Mapping[str, Any], body: bytes) -> _Report:
    if not body.strip():
        raise UnreadableReportError("The body is empty. Send the report's file as it is.")
    left_out: dict[str, str] = {}
    try:
        values = ReportParams(context={"left_out": left_out}).run_validation({**_single(params)})
    except ValidationError as refusal:
        raise UnreadableReportError(f"In the address: {in_words(refusal.detail)}") from None
    if left_out:  # a report without its commit or time would count elsewhere
        raise UnreadableReportError(f"In the address: {' '.join(left_out.values())}")
    parts = "\0".join((kind, folded(spelled(values["repository"])), values["sha"], values["name"], values["run"]))
    id_ = values["id"] or blake2b(parts.encode() + b"\0" + body, digest_size=16).hexdigest()
    return _Report(
        values["repository"],
        **{name: values[name] for name in ("sha", "branch", "name", "run", "at", "url")},
        id=id_,
    )


def _single(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as one value each; Django's query strings give the last."""
    return {name: params[name] for name in params}


def _stored_at(kind: Kind, id_: str) -> datetime | None:
    """The time of the report as stored: the same file sent again is the same report."""
    stored = TABLES[kind].model._default_manager.filter(connection=push_connection(), external_id=id_)
    at: datetime | None = stored.values_list("updated_at", flat=True).first()
    return at


def _test_report(report: _Report, body: bytes, at: datetime) -> TestReportDraft:
    read = read_junit(body)
    return TestReportDraft(
        **report.common,
        updated_at=at,
        tests=read.tests,
        failures=read.failures,
        errors=read.errors,
        skipped=read.skipped,
        duration_seconds=read.duration_seconds,
        failed_names=read.failed_names,
        failed_tests=read.failed_tests,
        passed_tests=read.passed_tests,
        finished_at=at,
    )


def _coverage_report(report: _Report, body: bytes, at: datetime) -> CoverageReportDraft:
    read = read_cobertura(body)
    return CoverageReportDraft(
        **report.common,
        updated_at=at,
        lines_valid=read.lines_valid,
        lines_covered=read.lines_covered,
        measured_at=at,
    )


def _numbers(draft: TestReportDraft | CoverageReportDraft) -> dict[str, int | None]:
    """The figures that were read, so that a pipeline's log shows them."""
    if isinstance(draft, TestReportDraft):
        return {name: getattr(draft, name) for name in ("tests", "failures", "errors", "skipped")}
    return {"lines_valid": draft.lines_valid, "lines_covered": draft.lines_covered}


def _stored_run(report: _Report, run: SarifRun, sender: Sender) -> dict[str, Any]:
    """Store the alerts of a run: an open alert that the run does not name is fixed."""
    category = report.name or run.category
    result: dict[str, Any] = {"id": run.tool, "category": category, "status": "unchanged", "error": None}
    connection = push_connection()
    lock_for_write(connection, {Kind.CODE_SCANNING_ALERT})
    if not _is_counted_branch(report):
        return result | {"status": "rejected", "error": _ANOTHER_BRANCH.format(branch=report.branch[:60])}
    parts = "\0".join((folded(spelled(report.repository)), folded(run.tool), category))
    key = blake2b(parts.encode(), digest_size=12).hexdigest()
    at = report.at or timezone.now()
    scan, created = CodeScan.objects.get_or_create(
        connection=connection, key=key, defaults={"first_at": at, "last_at": at}
    )
    if not created and at < scan.last_at:
        return result | {"error": f"at: A report of {scan.last_at.isoformat()} is stored, so this one changes nothing."}
    stored = {
        alert.external_id: alert
        for alert in CodeScanningAlert.objects.filter(
            connection=connection, external_id__startswith=f"{key}:", deleted_at=None
        )
    }
    drafts = [
        _alert(report, run, alert, external_id=external_id, known=stored.get(external_id), at=at)
        for alert in run.alerts
        if (external_id := f"{key}:{alert.fingerprint}") in stored or alert.state != AlertState.FIXED
    ]
    present = {draft.external_id for draft in drafts}
    drafts += [
        _fixed(report, alert, at)
        for external_id, alert in stored.items()
        if external_id not in present and alert.state != AlertState.FIXED
    ]
    outcomes = store_claimed(sender, Kind.CODE_SCANNING_ALERT, drafts)
    scan.last_at = at
    scan.save(update_fields=["last_at"])
    statuses = [status for status, _ in outcomes]
    problems = list(dict.fromkeys(problem for _, problem in outcomes if problem))
    if statuses:
        result["status"] = next(
            (word for word in ("waiting", "created", "updated", "unchanged") if word in statuses), "rejected"
        )
    states = [draft.state for draft in drafts]
    numbers = {state.value: states.count(state) for state in AlertState}
    return result | {"error": " ".join(problems) or None, **numbers}


def _is_counted_branch(report: _Report) -> bool:
    if not report.branch:
        return True
    named = Named(spelled(report.repository))
    place = find_places(push_connection(), Kind.CODE_SCANNING_ALERT, {named})[named]
    repository = None if place.id is None else Repository.objects.get(pk=place.id)
    return (repository or Repository()).is_default(report.branch)


def _alert(
    report: _Report,
    run: SarifRun,
    alert: SarifAlert,
    *,
    external_id: str,
    known: CodeScanningAlert | None,
    at: datetime,
) -> CodeScanningAlertDraft:
    was_so = known is not None and known.state == alert.state
    return CodeScanningAlertDraft(
        external_id=external_id,
        updated_at=at,
        repository=report.repository,
        tool=run.tool,
        rule=alert.rule,
        path=alert.path,
        url=report.url,
        state=alert.state,
        native_state=alert.native_state,
        severity=alert.severity,
        native_severity=alert.native_severity,
        created_at=known.created_at if known else at,
        fixed_at=(known.fixed_at if known and was_so else at) if alert.state == AlertState.FIXED else None,
        dismissed_at=(known.dismissed_at if known and was_so else at) if alert.state == AlertState.DISMISSED else None,
    )


def _fixed(report: _Report, alert: CodeScanningAlert, at: datetime) -> CodeScanningAlertDraft:
    """The stored alert as fixed: the report no longer contains it."""
    return CodeScanningAlertDraft(
        external_id=alert.external_id,
        updated_at=at,
        repository=report.repository,
        tool=alert.tool,
        rule=alert.rule,
        path=alert.path,
        url=alert.url,
        state=AlertState.FIXED,
        native_state="absent",
        severity=Severity(alert.severity),
        native_severity=alert.native_severity,
        created_at=alert.created_at,
        fixed_at=at,
        dismissed_at=None,
    )
