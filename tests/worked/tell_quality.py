"""Sentences about reports of tests and coverage, and about code scanning alerts."""

from __future__ import annotations

from dataclasses import replace
from xml.sax.saxutils import quoteattr

from integrations.connectors.drafts import CodeScanningAlertDraft, CoverageReportDraft, TestReportDraft
from integrations.connectors.quality_reports.junit import read_junit
from integrations.enums import AlertState, Severity
from tests.delivery.pull_requests.histories import sha_of
from tests.intake.conftest import SHOP
from tests.worked.sentences import Line, sentence


def _case(name: str, outcome: str) -> str:
    """The test as Surefire writes it; one that was tried again is a case with its earlier attempt."""
    inner = {"fails": "<failure/>", "is skipped": "<skipped/>", "fails and then passes": "<flakyFailure/>"}
    return f"<testcase classname='shop' name={quoteattr(name)}>{inner.get(outcome, '')}</testcase>"


@sentence(r"the (?P<name>\w+) tests run on (?P<commit>\S+)")
def tests_run(line: Line, name: str, commit: str) -> None:
    number = int(line.text(r"(\d+) of them", "1"))
    minutes = line.text(r"taking (\d+) min")
    found = line.texts(r"(t\d+) (fails|is skipped|fails and then passes)")
    outcomes = {test: outcome for test, outcome in found}  # noqa: C416  # mypy knows no length of the groups
    cases = "".join(_case(test, outcomes.pop(test, "passes")) for test in (f"t{n + 1}" for n in range(number)))
    assert not outcomes, f"there are not so many tests: {outcomes}"
    taken = f" time='{int(minutes) * 60}'" if minutes else ""
    read = read_junit(f"<testsuite name='shop'{taken}>{cases}</testsuite>".encode())
    line.story.reports.append(
        TestReportDraft(
            external_id=f"{name} {commit} {len(line.story.reports)}",
            updated_at=line.at,
            repository=SHOP,
            name=name,
            sha="" if commit == "something" else sha_of(commit),
            branch=line.text("on the branch (.+)", "main"),
            run="",
            url="",
            tests=read.tests,
            failures=read.failures,
            errors=read.errors,
            skipped=read.skipped,
            duration_seconds=read.duration_seconds,
            failed_names=read.failed_names,
            failed_tests=read.failed_tests,
            passed_tests=read.passed_tests,
            finished_at=line.at,
        )
    )


@sentence(r"the (?P<name>\w+) tests cover (?P<covered>\d+) of (?P<valid>\d+) lines")
def tests_cover(line: Line, name: str, covered: str, valid: str) -> None:
    line.story.reports.append(
        CoverageReportDraft(
            external_id=f"{name} {len(line.story.reports)}",
            updated_at=line.at,
            repository=SHOP,
            name=name,
            sha="",
            branch=line.text("on the branch (.+)", "main"),
            run="",
            url="",
            lines_valid=int(valid),
            lines_covered=int(covered),
            measured_at=line.at,
        )
    )


@sentence(r"the (?P<name>\w+) analysis measures (?P<lines>\d+) lines")
def analysis_measures(line: Line, name: str, lines: str) -> None:
    duplicated, ratings = line.text(r"(\d+) of them duplicated"), line.text("rated ([A-E]{3})")
    gate = line.text("the gate (passes|fails)")
    rated: list[int | None] = ["ABCDE".index(rating) + 1 for rating in ratings] or [None, None, None]
    reliability, security, maintainability = rated
    line.story.reports.append(
        CoverageReportDraft(
            external_id=f"{name} {len(line.story.reports)}",
            updated_at=line.at,
            repository=SHOP,
            name=name,
            sha="",
            branch=line.text("on the branch (.+)", "main"),
            run="",
            url="",
            measured_at=line.at,
            lines=int(lines),
            duplicated_lines=int(duplicated) if duplicated else None,
            passes_gate=gate == "passes" if gate else None,
            reliability=reliability,
            security=security,
            maintainability=maintainability,
        )
    )


@sentence(r"alert (?P<name>\S+) is raised")
def alert_is_raised(line: Line, name: str) -> None:
    line.story.alerts[name] = CodeScanningAlertDraft(
        external_id=name,
        updated_at=line.at,
        repository=SHOP,
        tool="CodeQL",
        rule=f"py/{name}",
        path="shop/cart.py",
        url="",
        state=AlertState.OPEN,
        native_state="open",
        severity=Severity(line.text("(critical|high|medium|low)", "medium")),
        native_severity="",
        created_at=line.at,
        fixed_at=None,
        dismissed_at=None,
    )


@sentence(r"alert (?P<name>\S+) is fixed")
def alert_is_fixed(line: Line, name: str) -> None:
    before = line.story.alerts[name]
    line.story.alerts[name] = replace(before, updated_at=line.at, state=AlertState.FIXED, fixed_at=line.at)


@sentence(r"alert (?P<name>\S+) is dismissed")
def alert_is_dismissed(line: Line, name: str) -> None:
    before = line.story.alerts[name]
    line.story.alerts[name] = replace(before, updated_at=line.at, state=AlertState.DISMISSED, dismissed_at=line.at)
