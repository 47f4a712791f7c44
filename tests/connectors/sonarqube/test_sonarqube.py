"""SonarQube's analyses as coverage, and its issues as alerts.

https://next.sonarqube.com/sonarqube/web_api: api/components/search, api/project_analyses/search (`date` as
2016-12-11T17:12:45+0100, `revision`), api/measures/search_history (values as text, without one where nothing was
measured), api/issues/search (`resolution` once it is resolved).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.providers import faults
from demo.providers.faults import Answer, Fault, Request
from demo.providers.sonarqube_server import SonarQubeServer
from integrations.connectors.base import CheckedPermission, Page, Settings
from integrations.connectors.drafts import CodeScanningAlertDraft, CoverageReportDraft
from integrations.connectors.errors import CredentialRefusedError, SchemaError
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.sonarqube import lists
from integrations.connectors.sonarqube.connector import SonarQube
from integrations.connectors.sonarqube.coverage import normalise_analysis
from integrations.connectors.sonarqube.issues import normalise_issue
from integrations.enums import AlertState, Kind, ResourceKind, Severity
from tests.connectors.reading import (
    QUICK,
    TOKEN,
    by_id,
    drafts_of,
    faults_that_change,
    only_resource,
    read_despite_faults,
    read_pages,
)
from tests.demo.small_history import BEGIN, DAY, HOUR, commit, small_history

LONG_AFTER = datetime(2026, 6, 1, tzinfo=UTC)
STREAMS = SonarQube.kinds[ResourceKind.PIPELINE]


@pytest.fixture
def server() -> Iterator[SonarQubeServer]:
    """Twenty-five analyses, the third of which measured nothing, and three issues."""
    commits = tuple(
        commit(f"{'Docs' if number == 2 else 'Step'} {number}", BEGIN + number * HOUR) for number in range(25)
    )
    with SonarQubeServer(replace(small_history(), commits={"shop": commits}), token=TOKEN) as sonarqube:
        yield sonarqube


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PER_PAGE", 10)


def connector(server: SonarQubeServer, **values: str) -> SonarQube:
    return SonarQube(Settings({"base_url": server.url, **values}, {"token": TOKEN}))


def read(server: SonarQubeServer, kind: Kind, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = connector(server)
    return read_pages(of, only_resource(of, ResourceKind.PIPELINE), kind, cursor, now=LONG_AFTER)


def test_a_project_knows_its_repository_and_branch(server: SonarQubeServer) -> None:
    project = only_resource(connector(server), ResourceKind.PIPELINE)
    assert (project.external_id, project.name) == ("acme_shop", "shop")
    assert project.details == {"repository": "github.com/acme/shop", "branch": "main"}


def test_a_project_without_links_is_named_by_its_key(server: SonarQubeServer) -> None:
    server.hidden |= {"/api/project_links/search", "/api/project_branches/list"}
    assert only_resource(connector(server), ResourceKind.PIPELINE).details == {}
    (draft, *_) = drafts_of(read(server, Kind.COVERAGE_REPORT))
    assert isinstance(draft, CoverageReportDraft)
    assert draft.repository == "acme_shop", "an admin's rule may place it"


def test_analyses_are_coverage_newest_first(server: SonarQubeServer) -> None:
    pages = read(server, Kind.COVERAGE_REPORT)
    drafts = [draft for draft in drafts_of(pages) if isinstance(draft, CoverageReportDraft)]
    assert [len(page.records) for page in pages] == [10, 10, 4]
    assert len(drafts) == 24, "one measured nothing"
    newest = drafts[0]
    assert (newest.measured_at, newest.branch) == (BEGIN + 24 * HOUR, "main")
    assert newest.sha == commit("Step 24", BEGIN + 24 * HOUR).sha
    assert (newest.lines_valid, newest.lines_covered) == (1000, 1000 - int(newest.sha[:2], 16))
    uncovered = int(newest.sha[:2], 16)
    assert (newest.lines, newest.duplicated_lines, newest.passes_gate) == (2000, 2 * uncovered, uncovered < 200)
    assert (newest.reliability, newest.security, newest.maintainability) == (1, 2, 1 + uncovered % 5)
    assert newest.url == f"{server.url}/dashboard?id=acme_shop"
    assert [page.complete for page in pages] == [False, False, True]


def test_issues_are_alerts_with_their_states(server: SonarQubeServer) -> None:
    drafts = drafts_of(read(server, Kind.CODE_SCANNING_ALERT))
    by_rule = {draft.rule: draft for draft in drafts if isinstance(draft, CodeScanningAlertDraft)}
    fixed, left_open, dismissed = (by_rule[rule] for rule in ("py/sql-injection", "py/unused-import", "py/todo"))
    assert (fixed.state, fixed.created_at, fixed.fixed_at) == (AlertState.FIXED, BEGIN, BEGIN + 3 * DAY)
    assert (fixed.tool, fixed.path, fixed.severity) == ("SonarQube", "cart.py", Severity.CRITICAL)
    assert (left_open.state, left_open.fixed_at) == (AlertState.OPEN, None)
    assert (dismissed.state, dismissed.dismissed_at) == (AlertState.DISMISSED, BEGIN + 2 * DAY)
    assert "hunter2" not in repr(read(server, Kind.CODE_SCANNING_ALERT)), "a message may quote code"


@pytest.mark.parametrize("kind", STREAMS)
def test_nothing_new_costs_three_requests_at_most(server: SonarQubeServer, kind: Kind) -> None:
    cursor = read(server, kind)[-1].cursor
    of = connector(server)
    project = only_resource(of, ResourceKind.PIPELINE)
    with ConnectionHttp(of, patience=QUICK) as http:
        pages = list(of.fetch(http, project, kind, cursor, now=LONG_AFTER))
        assert http.requests <= 3
    assert not pages[-1].complete
    assert pages[-1].cursor == cursor


def test_later_readings_have_what_is_new(server: SonarQubeServer) -> None:
    server.advance(BEGIN + 10 * HOUR)
    cursor = read(server, Kind.COVERAGE_REPORT)[-1].cursor
    server.advance(BEGIN + 12 * HOUR)
    times = {draft.measured_at for draft in drafts_of(read(server, Kind.COVERAGE_REPORT, cursor))}  # type: ignore[union-attr]
    assert {BEGIN + 11 * HOUR, BEGIN + 12 * HOUR} <= times
    assert min(times) >= BEGIN + 9 * HOUR, "with an overlap of an hour"


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("pages", [1, 2])
def test_a_reading_goes_on_from_any_page(server: SonarQubeServer, kind: Kind, pages: int) -> None:
    usual = by_id(drafts_of(read(server, kind)))
    of = connector(server)
    project = only_resource(of, ResourceKind.PIPELINE)
    first = read_pages(of, project, kind, now=LONG_AFTER, most=pages)
    rest = read_pages(of, project, kind, first[-1].cursor, now=LONG_AFTER)
    assert by_id(drafts_of([*first, *rest])) == usual


FAULTS: Mapping[str, Callable[[], Fault]] = {
    "429": lambda: Fault(faults.too_many_requests(retry_after=0), path="/api/", times=2),
    "429 that names no time": lambda: Fault(faults.too_many_requests(), path="/api/", nth=2),
    "401 in the middle": lambda: Fault(faults.unauthorised(), path="/api/", nth=2, times=2),
    "500": lambda: Fault(faults.server_error(), path="/api/", times=3),
    "502": lambda: Fault(faults.bad_gateway(), path="/api/", times=5),
    "cut connection": lambda: Fault(faults.cut_short(), path="/api/", times=2),
    "half an answer": lambda: Fault(faults.truncated(), path="/api/", nth=2, times=2),
    "a page for people": lambda: Fault(faults.html_page(), path="/api/", times=2),
    "a page repeated": lambda: Fault(faults.repeated_page(), path="/search", nth=3),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_under_every_fault_the_drafts_are_the_same(server: SonarQubeServer, kind: Kind) -> None:
    of = connector(server)
    project = only_resource(of, ResourceKind.PIPELINE)
    usual = by_id(drafts_of(read(server, kind)))
    faults = {name: fault() for name, fault in FAULTS.items()}
    changed = faults_that_change(usual, server, faults, lambda: read_despite_faults(of, project, kind, now=LONG_AFTER))
    assert changed == []


def checks(server: SonarQubeServer, **values: str) -> dict[str, CheckedPermission]:
    of = connector(server, **values)
    with ConnectionHttp(of, patience=QUICK) as http:
        return {answer.what: answer for answer in of.check(http)}


# Parameters of the Web API, as https://sonarcloud.io/api/webservices/list and, of servers, /web_api of each name them.
# https://sonarcloud.io/web_api/api/measures: `from` and `to` are inclusive, and `ps` is at most 1000; elsewhere 500.
PAGING = {"p", "ps"}
DOCUMENTED: Mapping[str, set[str]] = {
    "/api/components/search": {
        "organization",
        "qualifiers",
        "q",
        *PAGING,
    },  # Cloud has no qualifiers, servers need them
    "/api/project_analyses/search": {"project", "branch", "category", "from", "to", *PAGING},
    "/api/measures/search_history": {"component", "branch", "pullRequest", "metrics", "from", "to", *PAGING},
    "/api/issues/search": {"componentKeys", "types", "s", "asc", "issueStatuses", "branch", *PAGING},
    "/api/project_branches/list": {"project", "branchIds"},
    "/api/project_links/search": {"projectId", "projectKey"},
}


@pytest.mark.parametrize("organization", ["", "acme"])
def test_only_documented_parameters_are_sent(organization: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, set[str]] = {}
    with SonarQubeServer(small_history(), token=TOKEN, organization=organization) as sonarqube:
        answer = sonarqube.answer_of

        def noting(request: Request) -> Answer:
            sent.setdefault(request.path, set()).update(request.query)
            assert int(request.query.get("ps", 1)) <= (1000 if "measures" in request.path else 500)
            return answer(request)

        monkeypatch.setattr(sonarqube, "answer_of", noting)
        of = connector(sonarqube, organization=organization)
        checks(sonarqube, organization=organization)
        project = only_resource(of, ResourceKind.PIPELINE)
        for kind in STREAMS:
            cursor = read_pages(of, project, kind, now=LONG_AFTER)[-1].cursor
            read_pages(of, project, kind, cursor, now=LONG_AFTER)
    assert sent.keys() == DOCUMENTED.keys()
    assert {path: names - DOCUMENTED[path] for path, names in sent.items() if names - DOCUMENTED[path]} == {}
    listed = sent["/api/components/search"]
    assert ("qualifiers" in listed, "organization" in listed) == (not organization, bool(organization))


def test_the_test_of_the_connection_names_what_is_missing(server: SonarQubeServer) -> None:
    assert all(answer.works for answer in checks(server).values())
    server.hidden.add("/api/issues/search")
    issues = checks(server)["Issues"]
    assert not issues.works
    assert "“Browse”" in issues.remedy
    of = SonarQube(Settings({"base_url": server.url}, {"token": "wrong"}))
    with ConnectionHttp(of, patience=QUICK) as http, pytest.raises(CredentialRefusedError):
        of.check(http)


def test_cloud_lists_projects_by_organization() -> None:
    with SonarQubeServer(small_history(), token=TOKEN, organization="acme") as cloud:
        assert checks(cloud, organization="acme")["Projects"].works
        assert only_resource(connector(cloud, organization="acme"), ResourceKind.PIPELINE).external_id == "acme_shop"
    assert SonarQube.mistakes({"base_url": "https://sonarcloud.io"}).keys() == {"organization"}
    assert SonarQube.mistakes({"base_url": "https://sonarcloud.io", "organization": "acme"}) == {}
    assert SonarQube.mistakes({"base_url": "https://sonar.example.com"}) == {}


@pytest.fixture
def issue() -> dict[str, Any]:
    """The example of the documentation, as far as it is read."""
    return {
        "key": "AVibidgRyuVMKlO5wVkR",
        "rule": "java:S1172",
        "severity": "MINOR",
        "component": "com.acme:shop:src/main/Cart.java",
        "status": "RESOLVED",
        "resolution": "FALSE-POSITIVE",
        "creationDate": "2013-05-13T17:55:39+0200",
        "updateDate": "2013-05-14T17:55:39+0200",
    }


def alert_of(issue: dict[str, Any]) -> CodeScanningAlertDraft:
    about = {
        "project": "com.acme:shop",
        "repository": "github.com/acme/shop",
        "page": "https://sonar.example.com/i?id=1",
    }
    (draft,) = normalise_issue({"quality_issue": issue, **about})
    return draft


def test_an_issue_as_documented(issue: dict[str, Any]) -> None:
    draft = alert_of(issue)
    assert (draft.state, draft.native_state, draft.severity) == (AlertState.DISMISSED, "FALSE-POSITIVE", Severity.LOW)
    assert draft.created_at == datetime(2013, 5, 13, 15, 55, 39, tzinfo=UTC)
    assert draft.path == "src/main/Cart.java"
    assert draft.url == "https://sonar.example.com/i?id=1&open=AVibidgRyuVMKlO5wVkR"


@pytest.mark.parametrize(
    ("status", "resolution", "state"),
    [
        ("OPEN", None, AlertState.OPEN),
        ("CONFIRMED", None, AlertState.OPEN),
        ("REOPENED", None, AlertState.OPEN),
        ("RESOLVED", "FIXED", AlertState.FIXED),
        ("CLOSED", "FIXED", AlertState.FIXED),
        ("CLOSED", "REMOVED", AlertState.FIXED),
        ("CLOSED", None, AlertState.FIXED),
        ("RESOLVED", "WONTFIX", AlertState.DISMISSED),
        (None, None, AlertState.OPEN),
    ],
)
def test_states(issue: dict[str, Any], status: str | None, resolution: str | None, state: AlertState) -> None:
    assert alert_of({**issue, "status": status, "resolution": resolution}).state == state


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *(("OPEN", AlertState.OPEN), ("CONFIRMED", AlertState.OPEN), ("FIXED", AlertState.FIXED)),
        *(("FALSE_POSITIVE", AlertState.DISMISSED), ("ACCEPTED", AlertState.DISMISSED)),
    ],
)
def test_a_state_in_one_word(issue: dict[str, Any], word: str, state: AlertState) -> None:
    """The values of `issueStatuses`, which replaces status and resolution."""
    alert = alert_of({**issue, "status": None, "resolution": None, "issueStatus": word})
    assert (alert.state, alert.native_state) == (state, word)


def test_an_issue_with_impacts_alone_has_their_worst_severity(issue: dict[str, Any]) -> None:
    impacts = [{"softwareQuality": "SECURITY", "severity": quality} for quality in ("LOW", "HIGH", "MEDIUM")]
    draft = alert_of({**issue, "severity": None, "impacts": impacts})
    assert (draft.severity, draft.native_severity) == (Severity.HIGH, "HIGH")


def test_a_renamed_field_is_named_in_the_error(issue: dict[str, Any]) -> None:
    del issue["creationDate"]
    with pytest.raises(SchemaError, match="creationDate"):
        alert_of(issue)


@pytest.mark.parametrize(
    ("measures", "field"),
    [
        ({"lines_to_cover": "10", "uncovered_lines": "11"}, "measures.uncovered_lines"),
        ({"lines_to_cover": "ten", "uncovered_lines": "1"}, "measures.lines_to_cover"),
    ],
)
def test_coverage_that_cannot_be_is_named(measures: dict[str, str], field: str) -> None:
    analysis = {"key": "A1CoverageOfNothing", "date": "2016-12-11T17:12:45+0100", "revision": "cfb82f55"}
    with pytest.raises(SchemaError, match=field):
        normalise_analysis({"analysis": analysis, "measures": measures, "project": "shop"})


@pytest.mark.parametrize(
    ("measures", "left_out"),
    [
        ({"lines": "10", "duplicated_lines": "11"}, "measures.duplicated_lines"),
        ({"lines": "ten", "duplicated_lines": "1"}, "measures.lines"),
        ({"sqale_rating": "6.0"}, "measures.sqale_rating"),
        ({"security_rating": "A"}, "measures.security_rating"),
    ],
)
def test_one_odd_measure_leaves_the_others(measures: dict[str, str], left_out: str) -> None:
    analysis = {"key": "A1CoverageOfOdd", "date": "2016-12-11T17:12:45+0100", "revision": "cfb82f55"}
    covered = {"lines_to_cover": "10", "uncovered_lines": "1", "reliability_rating": "2.0"}
    [report] = normalise_analysis({"analysis": analysis, "measures": {**covered, **measures}, "project": "shop"})
    assert (report.lines_valid, report.lines_covered, report.reliability) == (10, 9, 2)
    assert report.left_out == (left_out,)


def test_what_was_not_measured_is_null() -> None:
    analysis = {"key": "A1CoverageOfHalf", "date": "2016-12-11T17:12:45+0100", "revision": "cfb82f55"}
    measures = {"lines_to_cover": "10", "lines": "40", "alert_status": "NONE"}
    [draft] = normalise_analysis({"analysis": analysis, "measures": measures, "project": "shop"})
    assert (draft.lines_valid, draft.lines_covered, draft.lines, draft.duplicated_lines) == (None, None, 40, None)
    assert (draft.passes_gate, draft.reliability, draft.maintainability) == (None, None, None)
