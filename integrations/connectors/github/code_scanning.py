"""Code scanning alerts of a repository's default branch, where the connection reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import CodeScanningAlertDraft
from integrations.connectors.github.newest_first import NewestFirst
from integrations.connectors.github.refusal import NoCodeScanningError
from integrations.connectors.github.stream_repository import Place, record_of
from integrations.connectors.quality_reports.sarif import LEVELS
from integrations.connectors.reader import Reader
from integrations.enums import AlertState, Severity

SOURCE = "code_scanning_alert"


def normalise_alert(payload: Json) -> list[CodeScanningAlertDraft]:
    """`code_scanning_alert` and `repository` (its id).  An alert's number is unique in its repository."""
    reader = Reader(payload)
    alert = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    repository = reader.identifier("repository.id")
    created_at, fixed_at, dismissed_at = (
        alert.time("created_at"),
        alert.part_time("fixed_at"),
        alert.part_time("dismissed_at"),
    )
    native_state = alert.text("state", default="")
    severity = alert.text("rule.security_severity_level", default="")
    level = alert.text("rule.severity", default="")
    state = _state(native_state, fixed_at, dismissed_at)
    return [
        CodeScanningAlertDraft(
            external_id=f"{repository}/{alert.identifier('number')}",
            updated_at=alert.part_time("updated_at") or max(filter(None, (created_at, fixed_at, dismissed_at))),
            repository=repository,
            tool=alert.text("tool.name", default="")[:200],
            rule=alert.text("rule.id", default="")[:300],
            path=alert.text("most_recent_instance.location.path", default="")[:500],
            url=alert.text("html_url", default=""),
            state=state,
            native_state=native_state,
            severity=Severity(severity) if severity in list(Severity) else LEVELS.get(level, Severity.UNKNOWN),
            native_severity=severity or level,
            created_at=created_at,
            fixed_at=fixed_at if state == AlertState.FIXED else None,
            dismissed_at=dismissed_at if state == AlertState.DISMISSED else None,
            left_out=tuple(reader.left_out),
        )
    ]


def _state(native: str, fixed_at: datetime | None, dismissed_at: datetime | None) -> AlertState:
    """The state; if an older Enterprise Server gives none, it follows from the times."""
    if native in list(AlertState):
        return AlertState(native)
    if native:
        return AlertState.OPEN
    return AlertState.FIXED if fixed_at else AlertState.DISMISSED if dismissed_at else AlertState.OPEN


def fetch_alerts(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read alerts; nothing if code scanning is not set up, because the repository has no alerts but may have some
    later.
    """

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        return [
            record_of(SOURCE, normalise_alert, entry, id_field="number", repository=place.repository)
            for entry in entries
        ]

    alerts = NewestFirst(
        path=place.path("code-scanning/alerts"),
        params={"sort": "updated", "direction": "desc"},
        sorted_by="updated_at",
        read=read,
        id_field="number",
    )
    try:
        yield from alerts.pages(http, cursor, now=now)
    except NoCodeScanningError:
        yield Page((), {})
