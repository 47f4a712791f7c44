"""Test reports, coverage reports and code scanning alerts.  Names of tests, rules and files are stored, but no code."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from integrations.enums import AlertState, Severity
from integrations.models.connections import Connection, Repository
from integrations.models.provider_fact import ProviderFact, enum_field, native_field, text_field


class TestReport(ProviderFact):
    """The results of one test run; runs of one (repository, name, sha) tested the same code.

    The digests are emptied after integrations/delivery/flaky_tests.py has had time to compare them.
    """

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)
    name = text_field()
    sha = text_field(64)
    branch = text_field(500)
    run = text_field()
    tests = models.IntegerField()
    failures = models.IntegerField()
    errors = models.IntegerField()
    skipped = models.IntegerField()
    flaky = models.IntegerField(
        default=0,
        db_default=0,
        help_text="Tests that both failed and passed on this commit, in this or another report.",
    )
    duration_seconds = models.FloatField(null=True)
    failed_names = ArrayField(models.TextField(), default=list, db_default=[])
    flaky_names = ArrayField(models.TextField(), default=list, db_default=[])
    failed_tests = models.TextField(blank=True, default="", db_default="", help_text="Digests of the tests' names.")
    passed_tests = models.TextField(blank=True, default="", db_default="", help_text="Digests of the tests' names.")
    finished_at = models.DateTimeField()

    class Meta(ProviderFact.Meta):
        indexes = [
            models.Index(fields=["finished_at"], name="test_report_by_finish"),
            models.Index(fields=["repository", "name", "sha"], name="test_report_by_commit"),
        ]


class CoverageReport(ProviderFact):
    """Lines of code of a commit, the number that its tests executed, and the ratings of an analysis tool.

    Null means not measured.  Ratings go from 1 (A) to 5 (E).
    """

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)
    name = text_field()
    sha = text_field(64)
    branch = text_field(500)
    run = text_field()
    lines_valid = models.IntegerField(null=True)
    lines_covered = models.IntegerField(null=True)
    lines = models.IntegerField(null=True)
    duplicated_lines = models.IntegerField(null=True)
    passes_gate = models.BooleanField(null=True)
    reliability = models.SmallIntegerField(null=True)
    security = models.SmallIntegerField(null=True)
    maintainability = models.SmallIntegerField(null=True)
    measured_at = models.DateTimeField()

    class Meta(ProviderFact.Meta):
        indexes = [models.Index(fields=["repository", "name", "measured_at"], name="coverage_report_by_repository")]


class CodeScanningAlert(ProviderFact):
    """An alert of a code scanning tool on the default branch."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)
    tool = text_field()
    rule = text_field(300)
    path = text_field(500)
    state = enum_field(AlertState)
    native_state = native_field()
    severity = enum_field(Severity, default=Severity.UNKNOWN, db_default=Severity.UNKNOWN)
    native_severity = native_field()
    created_at = models.DateTimeField()
    fixed_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)

    class Meta(ProviderFact.Meta):
        indexes = [
            models.Index(fields=["created_at"], name="alert_by_creation"),
            models.Index(fields=["fixed_at"], name="alert_by_fix"),
            models.Index(fields=["repository", "tool"], name="alert_by_repository"),
        ]


class CodeScan(models.Model):
    """A series of pushed SARIF reports: one tool with one category on one repository.

    A report without alerts still proves that the code was scanned.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=40, help_text="The prefix of its alerts' external ids.")
    first_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="code_scan_is_unique")]

    def __str__(self) -> str:
        return self.key
