"""Code scanning alerts as GitHub lists them, where the connection reads them and the repository has them."""

from __future__ import annotations

from typing import Any

import pytest

from demo.providers.faults import Answer, Fault, forbidden, instead
from demo.providers.github_server import GitHubServer
from integrations.connectors.drafts import CodeScanningAlertDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.github.code_scanning import normalise_alert
from integrations.connectors.github.connector import GitHub
from integrations.enums import AlertState, Kind, ResourceKind, Severity
from tests.connectors.github.reading import connector, read
from tests.connectors.github.test_check import checks
from tests.demo.small_history import BEGIN, DAY


def alerts(github: GitHubServer) -> dict[str, CodeScanningAlertDraft]:
    reading = read(github, Kind.CODE_SCANNING_ALERT, read_code_scanning="true")
    assert reading.refused == []
    return {draft.rule: draft for draft in reading.drafts if isinstance(draft, CodeScanningAlertDraft)}


def test_alerts_are_read_with_their_states(github: GitHubServer) -> None:
    by_rule = alerts(github)
    fixed, left_open, dismissed = (by_rule[rule] for rule in ("py/sql-injection", "py/unused-import", "py/todo"))
    assert (fixed.state, fixed.created_at, fixed.fixed_at) == (AlertState.FIXED, BEGIN, BEGIN + 3 * DAY)
    assert (fixed.tool, fixed.path, fixed.severity) == ("CodeQL", "cart.py", Severity.CRITICAL)
    assert (left_open.state, left_open.fixed_at, left_open.severity) == (AlertState.OPEN, None, Severity.LOW)
    assert (dismissed.state, dismissed.fixed_at) == (AlertState.DISMISSED, None)
    assert (dismissed.dismissed_at, dismissed.severity) == (BEGIN + 2 * DAY, Severity.MEDIUM)
    assert fixed.external_id.endswith("/1"), "numbers are those of a repository"
    assert "hunter2" not in repr([fixed, left_open, dismissed])


def test_a_second_reading_finds_nothing_new(github: GitHubServer) -> None:
    cursor = read(github, Kind.CODE_SCANNING_ALERT, read_code_scanning="true").cursor
    assert read(github, Kind.CODE_SCANNING_ALERT, cursor, read_code_scanning="true").drafts == []


def test_nothing_is_requested_without_the_opt_in(github: GitHubServer) -> None:
    reading = read(github, Kind.CODE_SCANNING_ALERT)
    assert reading.drafts == []
    assert not [request for request in github.requests if "code-scanning" in request.path]
    streams = [
        connector(github, **settings).streams_of(ResourceKind.REPOSITORY)
        for settings in ({}, {"read_code_scanning": "true"})
    ]
    assert [Kind.CODE_SCANNING_ALERT in kinds for kinds in streams] == [False, True]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "no analysis found"),
        (403, "Code scanning is not enabled for this repository. Please enable code scanning in its settings."),
        (403, "Advanced Security must be enabled for this repository to use code scanning."),
    ],
)
def test_a_repository_without_code_scanning_is_no_failure(github: GitHubServer, status: int, message: str) -> None:
    """It is asked again: the position stays empty, which says that nothing is known of its alerts."""
    headers = {"X-Accepted-GitHub-Permissions": "security_events=read"}
    answer = Answer.of({"message": message, "status": str(status)}, status=status, headers=headers)
    github.faults = [Fault(instead(answer), path="/code-scanning/", times=None)]
    reading = read(github, Kind.CODE_SCANNING_ALERT, read_code_scanning="true")
    assert (reading.drafts, reading.cursor) == ([], {})
    assert checks(github, read_code_scanning="true")["Code scanning alerts"].works


def test_a_missing_permission_is_named(github: GitHubServer) -> None:
    github.faults = [Fault(forbidden("security_events=read"), path="/code-scanning/", times=None)]
    with pytest.raises(PermanentError, match="lacks Code scanning alerts: read"):
        read(github, Kind.CODE_SCANNING_ALERT, read_code_scanning="true")
    answer = checks(github, read_code_scanning="true")["Code scanning alerts"]
    assert not answer.works
    assert "“Code scanning alerts: read”" in answer.remedy
    assert "Code scanning alerts" not in checks(github)


def test_the_form_says_what_it_takes() -> None:
    (field,) = (field for field in GitHub.fields if field.name == "read_code_scanning")
    assert "“Code scanning alerts: read”" in field.help
    assert field.default == "false"


def alert(**more: Any) -> dict[str, Any]:
    return {"number": 4, "created_at": "2026-03-02T09:00:00Z", "state": "open", **more}


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({"rule": {"severity": "error", "security_severity_level": "medium"}}, Severity.MEDIUM),
        ({"rule": {"severity": "error", "security_severity_level": None}}, Severity.HIGH),
        ({"rule": {"severity": "none"}}, Severity.LOW),
        ({"rule": {"severity": "sky-high"}}, Severity.UNKNOWN),
        ({}, Severity.UNKNOWN),
    ],
)
def test_severity(more: dict[str, Any], severity: Severity) -> None:
    (draft,) = normalise_alert({"code_scanning_alert": alert(**more), "repository": {"id": 7}})
    assert draft.severity == severity


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, AlertState.OPEN),
        ({"fixed_at": "2026-03-05T09:00:00Z"}, AlertState.FIXED),
        ({"dismissed_at": "2026-03-05T09:00:00Z"}, AlertState.DISMISSED),
        ({"fixed_at": "2026-03-05T09:00:00Z", "dismissed_at": "2026-03-04T09:00:00Z"}, AlertState.FIXED),
        ({"state": "open", "fixed_at": "2026-03-05T09:00:00Z"}, AlertState.OPEN),  # it came back
        ({"state": "auto_dismissed", "dismissed_at": "2026-03-05T09:00:00Z"}, AlertState.OPEN),
    ],
)
def test_an_alert_without_a_state_has_that_of_its_times(more: dict[str, str], state: AlertState) -> None:
    """An older Enterprise Server may leave the state out."""
    entry = {"number": 4, "created_at": "2026-03-02T09:00:00Z", **more}
    (draft,) = normalise_alert({"code_scanning_alert": entry, "repository": {"id": 7}})
    assert draft.state == state
    assert (draft.fixed_at is not None) == (state == AlertState.FIXED)
    assert (draft.dismissed_at is not None) == (state == AlertState.DISMISSED)
