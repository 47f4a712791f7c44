"""The reports that the demo's pipelines push are such files, and tell its stories."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from demo.plan.quality_reports import QualityReport, quality_reports
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from integrations.connectors.quality_reports.cobertura import read_cobertura
from integrations.connectors.quality_reports.junit import digests_in, read_junit
from integrations.connectors.quality_reports.sarif import read_sarif

ANCHOR = datetime(2026, 11, 26, 12, tzinfo=UTC)


def reports_of(flavour: Flavour, kind: str, repository: str) -> list[QualityReport]:
    reports = quality_reports(DemoYear(seed=1, flavour=flavour, anchor=ANCHOR))
    return [report for report in reports if (report.kind, report.repository.name) == (kind, repository)]


def flaky_commits(flavour: Flavour) -> int:
    """The commits of Mobile on which a test both failed and passed."""
    failed: dict[str, set[str]] = {}
    passed: dict[str, set[str]] = {}
    for report in reports_of(flavour, "junit", "storefront-app"):
        read = read_junit(report.file)
        failed.setdefault(report.sha, set()).update(digests_in(read.failed_tests))
        passed.setdefault(report.sha, set()).update(digests_in(read.passed_tests))
    return sum(bool(names & passed[sha]) for sha, names in failed.items())


def test_mobiles_tests_are_flaky() -> None:
    assert flaky_commits(Flavour.STORIES) >= 10
    assert flaky_commits(Flavour.QUIET) == 0


def test_search_covers_more() -> None:
    shares = [
        read.lines_covered / read.lines_valid
        for read in (
            read_cobertura(report.file) for report in reports_of(Flavour.STORIES, "cobertura", "search-service")
        )
    ]
    assert shares == sorted(shares)
    assert shares[-1] - shares[0] > 0.1


@pytest.mark.parametrize(
    ("flavour", "repository", "left"),
    [
        (Flavour.STORIES, "warehouse-models", 12),
        (Flavour.STORIES, "checkout-api", 1),
        (Flavour.QUIET, "warehouse-models", 1),
    ],
)
def test_the_warehouse_leaves_alerts_open(flavour: Flavour, repository: str, left: int) -> None:
    [run] = read_sarif(reports_of(flavour, "sarif", repository)[-1].file)
    assert len(run.alerts) == left
