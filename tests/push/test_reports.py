"""Reports of tests, coverage and code scanning are pushed as files: read safely, counted once, without any code."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from integrations.models import (
    CodeScan,
    CodeScanningAlert,
    CoverageReport,
    IngestScope,
    Repository,
    UnplacedRecord,
)
from integrations.models import TestReport as StoredTestReport  # pytest would collect a class with its own name
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from tests.push.test_push import Pusher

pytestmark = pytest.mark.django_db

REPOSITORY = "acme/shop"
SHA = "a" * 40


class Pipeline(Pusher):
    """A build machine that sends files."""

    def send(self, kind: str, file: str | bytes, *, status: int = 200, gzipped: bool = False, **params: Any) -> Any:
        body = file.encode() if isinstance(file, str) else file
        answer = self.client.post(
            f"/ingest/v1/{kind}/?{urlencode({'repository': REPOSITORY, **params})}",
            gzip.compress(body) if gzipped else body,
            content_type="application/octet-stream",
            headers={"authorization": f"Bearer {self.secret}"} | ({"content-encoding": "gzip"} if gzipped else {}),
        )
        assert answer.status_code == status, answer.content
        return answer.json()["results"] if status == 200 else answer.json()["error"]


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def junit(*cases: str, suite: str = "shop") -> str:
    """Each case is name=outcome; outcomes are element names, separated by +."""
    written = []
    for case in cases:
        name, _, outcomes = case.partition("=")
        inner = "".join(
            f"<{outcome} message='x'>assert price == 3</{outcome}>" for outcome in outcomes.split("+") if outcome
        )
        written.append(f"<testcase classname='tests.Cart' name='{name}' time='0.5'>{inner}</testcase>")
    return f"<?xml version='1.0'?><testsuites><testsuite name='{suite}'>{''.join(written)}</testsuite></testsuites>"


def sarif(*results: dict[str, Any], tool: str = "Semgrep", **run: Any) -> str:
    rules = [
        {"id": "sql-injection", "properties": {"security-severity": "9.8"}},
        {"id": "unused", "defaultConfiguration": {"level": "note"}},
    ]
    log = {"tool": {"driver": {"name": tool, "rules": rules}}, "results": list(results), **run}
    return json.dumps({"version": "2.1.0", "runs": [log]})


def result(rule: str, path: str = "shop/cart.py", mark: str = "1", **more: Any) -> dict[str, Any]:
    place = {
        "physicalLocation": {"artifactLocation": {"uri": path}, "region": {"snippet": {"text": "password = 'hunter2'"}}}
    }
    return {
        "ruleId": rule,
        "message": {"text": "password = 'hunter2' is hard-coded"},
        "locations": [place],
        "partialFingerprints": {"primaryLocationLineHash": mark},
        **more,
    }


def at(day: int, hour: int = 10) -> str:
    return f"2026-03-{day:02}T{hour:02}:00:00Z"


def states() -> dict[str, str]:
    return dict(CodeScanningAlert.objects.order_by("rule", "path").values_list("rule", "state"))


def test_results_of_tests_are_counted_and_answered(pipeline: Pipeline) -> None:
    file = junit("pays", "refunds=failure", "ships=error", "wraps=skipped", "retries=failure", "retries")
    [answer] = pipeline.send("junit", file, sha=SHA.upper(), name="unit", branch="refs/heads/main", at=at(2))
    assert answer | {"id": ""} == {
        **{"id": "", "status": "created", "error": None},
        **{"tests": 5, "failures": 1, "errors": 1, "skipped": 1},
    }
    report = StoredTestReport.objects.get()
    assert (report.repository.name, report.sha, report.branch) == (REPOSITORY, SHA, "main")
    assert (report.duration_seconds, report.finished_at) == (3.0, datetime(2026, 3, 2, 10, tzinfo=UTC))
    assert report.failed_names == [f"shop › tests.Cart › {name}" for name in ("refunds", "ships", "retries")]
    assert (report.flaky, report.flaky_names) == (1, ["shop › tests.Cart › retries"])


def test_the_same_file_sent_again_is_the_same_report(pipeline: Pipeline) -> None:
    [first] = pipeline.send("junit", junit("pays"), sha=SHA)
    [again] = pipeline.send("junit", junit("pays"), sha=SHA, gzipped=True)
    assert (first["status"], again["status"], first["id"]) == ("created", "unchanged", again["id"])
    [other] = pipeline.send("junit", junit("pays"), sha="b" * 40)
    assert other["status"] == "created"
    assert pipeline.delete("junit", first["id"]) == 200
    assert StoredTestReport.objects.filter(deleted_at=None).count() == 1


def test_a_test_is_flaky_if_reports_of_one_commit_disagree(pipeline: Pipeline) -> None:
    """In either order; a report that is deleted no longer disagrees."""
    pipeline.send("junit", junit("pays", "ships"), sha=SHA, name="unit", at=at(2), id="one")
    pipeline.send("junit", junit("pays=failure", "ships"), sha=SHA, name="unit", at=at(3), id="two")
    pipeline.send("junit", junit("pays=failure"), sha=SHA, name="browser", at=at(3), id="other")
    pipeline.send("junit", junit("pays=failure"), sha="b" * 40, name="unit", at=at(4), id="later")
    flaky = dict(StoredTestReport.objects.values_list("external_id", "flaky"))
    assert flaky == {"one": 1, "two": 1, "other": 0, "later": 0}
    assert pipeline.delete("junit", "one") == 200
    assert StoredTestReport.objects.get(external_id="two").flaky == 0


def test_digests_are_stored_for_the_last_month_of_a_series(pipeline: Pipeline) -> None:
    pipeline.send("junit", junit("pays"), sha=SHA, at="2026-01-02T10:00:00Z", id="old")
    assert StoredTestReport.objects.get().passed_tests
    pipeline.send("junit", junit("pays"), sha="b" * 40, at=at(2), id="new")
    assert [bool(report.passed_tests) for report in StoredTestReport.objects.order_by("finished_at")] == [False, True]


@pytest.mark.parametrize(
    ("kind", "file", "problem"),
    [
        ("junit", "", "empty"),
        ("junit", "<testsuites><testsuite>", "line 1, column 24: no element found"),
        ("junit", "<coverage/>", "not JUnit XML: its root is 'coverage'"),
        ("junit", "<testsuites>" * 200, "nested more than 100 levels"),
        ("junit", "<?xml version='1.0' encoding='klingon'?><testsuites/>", "encoding"),
        ("junit", b"\xff\xfe\x00", "not XML"),
        ("cobertura", "<testsuites/>", "not Cobertura XML"),
        ("cobertura", "<coverage lines-valid='3' lines-covered='4'/>", "4 of 3 lines are covered"),
        ("sarif", "{", "not JSON"),
        ("sarif", "[" * 100_000, "not JSON"),
        ("sarif", '{"version": "2.0.0", "runs": []}', "not SARIF 2.1.0"),
        ("sarif", '{"version": "2.1.0", "runs": []}', "1 to 50 runs"),
        ("sarif", '{"version": "2.1.0", "runs": [{"results": []}]}', "does not name its tool"),
        ("sarif", '{"version": "2.1.0", "runs": [7]}', "does not name its tool"),
    ],
)
def test_files_that_are_none_are_refused_in_words(pipeline: Pipeline, kind: str, file: str, problem: str) -> None:
    assert problem in pipeline.send(kind, file, status=400)
    assert not StoredTestReport.objects.exists()
    assert not CoverageReport.objects.exists()
    assert not CodeScan.objects.exists()


@pytest.mark.parametrize("kind", ["junit", "cobertura"])
def test_a_billion_laughs_are_refused(pipeline: Pipeline, kind: str) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]><testsuites name="&l11;"/>'
    assert "declares entities" in pipeline.send(kind, bomb, status=400)


def test_files_on_the_machine_are_not_read(pipeline: Pipeline) -> None:
    """A document type may be named, as Cobertura's is; it is not loaded."""
    named = '<!DOCTYPE coverage SYSTEM "file:///etc/passwd"><coverage lines-valid="10" lines-covered="7"/>'
    [answer] = pipeline.send("cobertura", named)
    assert (answer["lines_valid"], answer["lines_covered"]) == (10, 7)
    external = '<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]><testsuites name="&file;"/>'
    assert "declares entities" in pipeline.send("junit", external, status=400)


def test_the_size_of_a_report_is_bounded(pipeline: Pipeline) -> None:
    large = b"<testsuites>" + b" " * (21 * 1024 * 1024) + b"</testsuites>"
    assert "20,971,520 bytes" in pipeline.send("junit", large, status=413, gzipped=True)
    many = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{}] * 10_001}]}
    assert "10,000 results" in pipeline.send("sarif", json.dumps(many), status=400)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"repository": ""}, "repository"),
        ({"at": "yesterday"}, "at: This is not a time"),
        ({"at": "2999-01-01T00:00:00Z"}, "at: The time lies in the future"),
        ({"comit": SHA}, "comit: There is no such field"),
    ],
)
def test_what_the_address_says_is_checked(pipeline: Pipeline, params: dict[str, Any], problem: str) -> None:
    assert problem in pipeline.send("junit", junit("pays"), status=400, **params)


def test_a_push_token_is_needed(pipeline: Pipeline) -> None:
    pipeline.secret = create_ingest_token("Agents", scope=IngestScope.TELEMETRY)[1]
    assert "push" in pipeline.send("junit", junit("pays"), status=403)


def test_a_token_changes_its_own_reports_only(pipeline: Pipeline) -> None:
    pipeline.send("cobertura", "<coverage lines-valid='10' lines-covered='7'/>", id="nightly", at=at(2))
    other = Pipeline()
    [answer] = other.send("cobertura", "<coverage lines-valid='10' lines-covered='9'/>", id="nightly", at=at(3))
    assert answer["status"] == "rejected"
    assert "own records only" in answer["error"]
    assert CoverageReport.objects.get().lines_covered == 7
    assert other.delete("cobertura", "nightly") == 403


def test_lines_are_counted_where_the_report_states_no_sums(pipeline: Pipeline) -> None:
    """A line that stands at a method and at its class is one."""
    lines = "".join(f"<line number='{n}' hits='{n % 2}'/>" for n in range(1, 11))
    methods = f"<methods><method name='pay'><lines>{lines}</lines></method></methods>"
    classes = "".join(f"<class filename='{name}.py'>{methods}<lines>{lines}</lines></class>" for name in "ab")
    report = f"<coverage><packages><package><classes>{classes}</classes></package></packages></coverage>"
    [answer] = pipeline.send("cobertura", report)
    assert (answer["lines_valid"], answer["lines_covered"]) == (20, 10)


def test_an_alert_that_a_report_no_longer_names_is_fixed(pipeline: Pipeline) -> None:
    [answer] = pipeline.send("sarif", sarif(result("sql-injection"), result("unused")), at=at(2))
    assert answer == {
        **{"id": "Semgrep", "category": "", "status": "created", "error": None},
        **{"open": 2, "fixed": 0, "dismissed": 0},
    }
    pipeline.send("sarif", sarif(result("unused")), at=at(4))
    assert states() == {"sql-injection": "fixed", "unused": "open"}
    alert = CodeScanningAlert.objects.get(rule="sql-injection")
    assert (alert.severity, alert.native_severity) == ("critical", "9.8")
    assert (alert.created_at, alert.fixed_at) == tuple(datetime(2026, 3, day, 10, tzinfo=UTC) for day in (2, 4))
    # Another tool, category or repository says nothing about these.
    pipeline.send("sarif", sarif(tool="CodeQL"), at=at(5))
    pipeline.send("sarif", sarif(automationDetails={"id": "web/2026-03-05"}), at=at(5))
    pipeline.send("sarif", sarif(), at=at(5), repository="acme/other")
    assert states()["unused"] == "open"
    # It comes back, and the rest is suppressed.
    suppressed = result("unused", suppressions=[{"kind": "inSource"}])
    pipeline.send("sarif", sarif(result("sql-injection"), suppressed), at=at(6))
    assert states() == {"sql-injection": "open", "unused": "dismissed"}
    alert.refresh_from_db()
    assert (alert.created_at.day, alert.fixed_at) == (2, None)


def test_a_report_that_arrives_late_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.send("sarif", sarif(result("unused")), at=at(4))
    [late] = pipeline.send("sarif", sarif(result("sql-injection")), at=at(3))
    assert (late["status"], "changes nothing" in late["error"]) == ("unchanged", True)
    assert states() == {"unused": "open"}
    [again] = pipeline.send("sarif", sarif(result("unused")), at=at(4))
    assert again["status"] == "unchanged"


def test_states_of_results_are_read(pipeline: Pipeline) -> None:
    pipeline.send("sarif", sarif(result("kept"), result("gone")), at=at(2))
    rejected = result("kept", suppressions=[{"kind": "external", "status": "rejected"}])
    results = [
        *(rejected, result("gone", baselineState="absent"), result("never seen", baselineState="absent")),
        *(result("passes", kind="pass"), {"message": {"text": "no rule"}}),
    ]
    pipeline.send("sarif", sarif(*results), at=at(3))
    assert states() == {"kept": "open", "gone": "fixed", "unnamed": "open"}


def test_equal_results_are_several_alerts(pipeline: Pipeline) -> None:
    pipeline.send("sarif", sarif(result("unused"), result("unused"), result("unused", mark="2")), at=at(2))
    assert CodeScanningAlert.objects.count() == 3
    pipeline.send("sarif", sarif(result("unused"), result("unused", mark="2")), at=at(3))
    assert CodeScanningAlert.objects.filter(state="open").count() == 2


def test_alerts_of_other_branches_are_not_stored(pipeline: Pipeline) -> None:
    Repository.objects.create(name=REPOSITORY, default_branch="develop")
    [answer] = pipeline.send("sarif", sarif(result("unused")), branch="feature/x")
    assert (answer["status"], "default branch" in answer["error"]) == ("rejected", True)
    [answer] = pipeline.send("sarif", sarif(result("unused")), branch="refs/heads/develop")
    assert answer["status"] == "created"
    assert CodeScanningAlert.objects.count() == 1


def test_reports_of_an_ambiguous_repository_wait(pipeline: Pipeline) -> None:
    for owner in ("acme", "other"):
        Repository.objects.create(name=f"{owner}/shop", remote=f"github.com/{owner}/shop")
    [answer] = pipeline.send("junit", junit("pays"), repository="shop", sha=SHA)
    assert answer["status"] == "waiting"
    assert UnplacedRecord.objects.get().kind == "test_report"


def test_no_code_is_stored(pipeline: Pipeline) -> None:
    """Neither messages and snippets of alerts nor what a test printed."""
    pipeline.send("sarif", sarif(result("secret")), at=at(2))
    pipeline.send("junit", junit("pays=failure"), sha=SHA)
    stored = [*CodeScanningAlert.objects.values(), *StoredTestReport.objects.values()]
    assert not [row for row in stored for word in ("hunter2", "assert price") if word in str(row)]
