"""Finds flaky tests: those that both failed and passed on the same commit."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Max

from integrations.connectors.quality_reports.junit import digest_of, digests_in
from integrations.models import TestReport

COMPARED = timedelta(days=30)  # the newest report of a series and those within this time before it are compared
MOST_REPORTS = 100  # of one commit

Commit = tuple[int, str, str]


def recompute_flaky_tests(ids: Collection[int]) -> set[int]:
    """Recompute the flaky tests of these reports and of others of their commits; return the reports that changed."""
    changed: set[int] = set()
    commits: set[Commit] = set(
        TestReport.objects.filter(pk__in=ids).order_by().values_list("repository_id", "name", "sha").distinct()
    )
    for repository, name, sha in sorted(commits):
        of_commit = TestReport.objects.filter(repository=repository, name=name, sha=sha, deleted_at=None)
        # Reports that name no commit are compared with none but themselves.
        reports = of_commit.filter(pk__in=ids) if not sha else of_commit.order_by("-finished_at")[:MOST_REPORTS]
        changed |= _recompute(list(reports), alone=not sha)
    _forget_digests(commits)
    return changed


def _recompute(reports: list[TestReport], *, alone: bool) -> set[int]:
    compared = [report for report in reports if report.failed_tests or report.passed_tests]
    failed = {report.pk: digests_in(report.failed_tests) for report in compared}
    passed = {report.pk: digests_in(report.passed_tests) for report in compared}
    ever_failed: set[str] = set().union(*failed.values())
    flaky_anywhere: set[str] = ever_failed.intersection(set().union(*passed.values()))
    names = {digest_of(name): name for report in compared for name in report.failed_names}
    changed = []
    for report in compared:
        own = failed[report.pk] & passed[report.pk] if alone else flaky_anywhere
        flaky = own & (failed[report.pk] | passed[report.pk])
        flaky_names = sorted(names[digest] for digest in flaky if digest in names)
        if (report.flaky, report.flaky_names) != (len(flaky), flaky_names):
            report.flaky, report.flaky_names = len(flaky), flaky_names
            changed.append(report)
    TestReport.objects.bulk_update(changed, ["flaky", "flaky_names"])
    return {report.pk for report in changed}


def _forget_digests(commits: Collection[Commit]) -> None:
    """Empty the digests of older reports, which nothing is compared with any more: they make up most of a report."""
    for repository, name in sorted({(repository, name) for repository, name, _ in commits}):
        of_series = TestReport.objects.filter(repository=repository, name=name)
        newest = of_series.filter(deleted_at=None).aggregate(newest=Max("finished_at"))["newest"]
        if newest is not None:
            older = of_series.filter(finished_at__lt=newest - COMPARED)
            older.exclude(failed_tests="", passed_tests="").update(failed_tests="", passed_tests="")
