"""Bugs and vulnerabilities of a project's main branch, as alerts: rule, file and state, no code.

https://next.sonarqube.com/sonarqube/web_api/api/issues/search
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page
from integrations.connectors.drafts import CodeScanningAlertDraft
from integrations.connectors.reader import Reader
from integrations.connectors.sonarqube.lists import list_page
from integrations.connectors.unchecked import fields_of, record_of, text_of, time_of
from integrations.enums import AlertState, Severity

SOURCE = "quality_issue"
TYPES = "BUG,VULNERABILITY"
FIELDS = (  # without the message, which may quote code
    *("key", "rule", "severity", "type", "component", "status", "resolution", "issueStatus", "impacts"),
    *("creationDate", "updateDate", "closeDate"),
)
_SEVERITIES = {
    **{"BLOCKER": Severity.CRITICAL, "CRITICAL": Severity.HIGH, "MAJOR": Severity.MEDIUM},
    **{"MINOR": Severity.LOW, "INFO": Severity.LOW},
    **{"HIGH": Severity.HIGH, "MEDIUM": Severity.MEDIUM, "LOW": Severity.LOW},  # of impacts
}
_OPEN = frozenset({"OPEN", "CONFIRMED", "REOPENED", "IN_SANDBOX"})
_FIXED = frozenset({"FIXED", "REMOVED"})
_IN_ONE = {"FIXED": AlertState.FIXED, "FALSE_POSITIVE": AlertState.DISMISSED, "ACCEPTED": AlertState.DISMISSED}
_OVERLAP = timedelta(minutes=10)  # the index is updated after the issue


def normalise_issue(payload: Json) -> list[CodeScanningAlertDraft]:
    """`quality_issue`, and the project with its `repository`."""
    reader = Reader(payload)
    issue = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    created_at, updated_at = issue.time("creationDate"), issue.part_time("updateDate")
    ended_at = issue.part_time("closeDate") or updated_at
    in_one = issue.text("issueStatus", default="")
    native_state = issue.text("resolution", default="") or issue.text("status", default="") or in_one
    native_severity = issue.text("severity", default="") or _of_impacts(issue)
    state = _state(issue.text("status", default=""), issue.text("resolution", default=""), in_one)
    component = issue.text("component", default="")
    return [
        CodeScanningAlertDraft(
            external_id=issue.text("key"),
            updated_at=updated_at or created_at,
            repository=reader.text("repository", default=""),
            tool="SonarQube",
            rule=issue.text("rule", default="")[:300],
            path=component.removeprefix(f"{reader.text('project', default='')}:")[:500],
            url=f"{reader.text('page', default='')}&open={issue.identifier('key')}",
            state=state,
            native_state=native_state,
            severity=_SEVERITIES.get(native_severity, Severity.UNKNOWN),
            native_severity=native_severity,
            created_at=created_at,
            fixed_at=ended_at if state == AlertState.FIXED else None,
            dismissed_at=ended_at if state == AlertState.DISMISSED else None,
            left_out=tuple(reader.left_out),
        )
    ]


def _of_impacts(issue: Reader) -> str:
    """The worst severity of an issue that has one for each quality of software."""
    order = list(_SEVERITIES)
    found = [impact.text("severity", default="") for impact in issue.objects("impacts")]
    return min((severity for severity in found if severity in order), key=order.index, default="")


def _state(status: str, resolution: str, in_one: str) -> AlertState:
    """The state by `status` and `resolution`, deprecated since 10.4; without them, by `issueStatus`."""
    if not status:
        return _IN_ONE.get(in_one, AlertState.OPEN)
    if status in _OPEN:
        return AlertState.OPEN
    return AlertState.FIXED if resolution in _FIXED or not resolution else AlertState.DISMISSED


def fetch_issues(
    http: Http, resource: FetchedResource, about: Mapping[str, str], cursor: Cursor, *, now: datetime
) -> Iterator[Page]:
    """Read issues by last change, newest first; later back to the last change that is known."""
    since = time_of(cursor, "since")
    number, newest = int(cursor.get("page", 1)), str(cursor.get("newest", ""))
    params = {"componentKeys": resource.external_id, "types": TYPES, "s": "UPDATE_DATE", "asc": "false"}
    while True:
        page = list_page(http, "api/issues/search", "issues", params, number)
        times = [at for entry in page.entries if (at := time_of(entry, "updateDate"))]
        newest = newest or (text_of(page.entries[0], "updateDate") if page.entries else str(cursor.get("since", "")))
        records = [
            record_of(SOURCE, normalise_issue, fields_of(entry, FIELDS), id_field="key", **about)
            for entry in page.entries
        ]
        is_known = since is not None and bool(times) and min(times) < since - _OVERLAP
        if is_known or not page.left:
            yield Page(records, {"since": newest}, left=0)
            return
        number += 1
        way = {"page": number, "newest": newest}
        yield Page(records, {**way, "since": cursor["since"]} if since is not None else way, left=page.left)
