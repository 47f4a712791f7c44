"""Test reports, coverage and code scanning alerts, as relations for the metric engine.

They count for the owner of their repository.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import STOCK_DAY, Relation, Stock
from integrations.models import FactFamily
from integrations.models.connections import USUAL_DEFAULT_BRANCHES

_PLACE: LiteralString = """
        JOIN integrations_repository repository ON repository.id = fact.repository_id
        LEFT JOIN integrations_owned owned ON owned.repository_id = fact.repository_id
"""

TEST_REPORTS = Relation(
    name="test_reports",
    family=FactFamily.TEST,
    open_as_in_tools=True,
    owner="owned_id",
    fact="report_id",
    fact_is_row=True,
    sql=f"""
        SELECT fact.id AS report_id,
               NULL::bigint AS person_id,
               owned.id AS owned_id,
               fact.finished_at::date AS day,
               left(fact.sha, 10) AS reference,
               concat_ws(' · ', nullif(fact.name, ''),
                         'flaky: ' || nullif(array_to_string(fact.flaky_names[1:3], ', '), '')) AS title,
               fact.url,
               repository.name AS repository,
               fact.tests - fact.skipped AS tests_run,
               greatest(fact.tests - fact.skipped - fact.failures - fact.errors, 0) AS tests_passed,
               fact.flaky AS flaky_tests,
               fact.duration_seconds
        FROM integrations_testreport fact {_PLACE}
        WHERE fact.deleted_at IS NULL
    """,  # noqa: S608  # constants
)
"""One row per report of tests, on the day on which it finished.

tests_run are the tests that were not skipped.  flaky_tests both failed and passed on the report's commit, in this or in
another report of the same name.  duration_seconds is null where the report does not say it.
"""

COVERAGE_DAYS = 90
_USUAL_BRANCHES: LiteralString = ", ".join(f"'{name}'" for name in sorted(USUAL_DEFAULT_BRANCHES))

# The rows of the latest report of each name of a repository's default branch: where, and on which days it counts.
_LATEST: LiteralString = f"""
               fact.id AS report_id,
               NULL::bigint AS person_id,
               owned.id AS owned_id,
               left(fact.sha, 10) AS reference,
               fact.name AS title,
               fact.url,
               repository.name AS repository,
               datemultirange(daterange(
                   fact.measured_at::date,
                   least(lead(fact.measured_at::date) OVER (
                             PARTITION BY fact.repository_id, fact.name ORDER BY fact.measured_at, fact.id
                         ), fact.measured_at::date + {COVERAGE_DAYS})
               )) AS days
"""
_OF_DEFAULT_BRANCH: LiteralString = f"""
        FROM integrations_coveragereport fact {_PLACE}
        WHERE fact.deleted_at IS NULL
          AND (fact.branch IN ('', repository.default_branch)
               OR repository.default_branch = '' AND fact.branch IN ({_USUAL_BRANCHES}))
"""

COVERAGE = Relation(
    name="coverage",
    family=FactFamily.COVERAGE,
    open_as_in_tools=True,
    owner="owned_id",
    day=STOCK_DAY,
    stock=Stock("days"),
    fact="report_id",
    fact_is_row=True,
    sql=f"""
        SELECT {_LATEST}, fact.lines_valid, fact.lines_covered
        {_OF_DEFAULT_BRANCH} AND fact.lines_valid IS NOT NULL
    """,  # constants
)
"""A stock: the latest coverage report of each name of a repository's default branch, for 90 days at most."""

CODE_ANALYSES = Relation(
    name="code_analyses",
    family=FactFamily.COVERAGE,
    open_as_in_tools=True,
    owner="owned_id",
    day=STOCK_DAY,
    stock=Stock("days"),
    fact="report_id",
    fact_is_row=True,
    sql=f"""
        SELECT {_LATEST},
               CASE WHEN fact.duplicated_lines IS NULL THEN 0 ELSE coalesce(fact.lines, 0) END AS lines,
               CASE WHEN fact.lines IS NULL THEN 0 ELSE coalesce(fact.duplicated_lines, 0) END AS duplicated_lines,
               (fact.passes_gate IS NOT NULL)::int AS gates,
               coalesce(fact.passes_gate, false)::int AS gates_passed,
               num_nonnulls(fact.reliability, fact.security, fact.maintainability) AS ratings,
               (coalesce(fact.reliability, 0) = 1)::int + (coalesce(fact.security, 0) = 1)::int
                   + (coalesce(fact.maintainability, 0) = 1)::int AS best_ratings
        {_OF_DEFAULT_BRANCH}
          AND num_nonnulls(fact.duplicated_lines, fact.passes_gate, fact.reliability, fact.security,
                           fact.maintainability) > 0
    """,  # constants
)
"""A stock: the latest analysis of each project of a repository's default branch, for 90 days at most.

lines and duplicated_lines are those of analyses that measured both; best_ratings are the ratings that are A.
"""

_ALERT: LiteralString = """
               fact.id AS alert_id,
               NULL::bigint AS person_id,
               owned.id AS owned_id,
               fact.tool AS reference,
               concat_ws(' in ', fact.rule, nullif(fact.path, '')) AS title,
               fact.url,
               repository.name AS repository,
               fact.severity
"""
# A tool whose alerts a connection reads is not counted a second time where a pipeline pushes its reports, too.
_COUNTED: LiteralString = """
        WHERE fact.deleted_at IS NULL AND NOT EXISTS (
            SELECT FROM integrations_connection connection
            JOIN integrations_codescanningalert beside
              ON beside.repository_id = fact.repository_id AND lower(beside.tool) = lower(fact.tool)
             AND beside.connection_id <> fact.connection_id AND beside.deleted_at IS NULL
            WHERE connection.id = fact.connection_id AND connection.provider = 'push'
        )
"""

OPEN_ALERTS = Relation(
    name="open_code_scanning_alerts",
    family=FactFamily.CODE_SCANNING,
    open_as_in_tools=True,
    owner="owned_id",
    day=STOCK_DAY,
    stock=Stock("days", (("age_seconds", "(standing.day - source.since) * 86400.0"),)),
    fact="alert_id",
    fact_is_row=True,
    sql=f"""
        SELECT {_ALERT},
               fact.created_at::date AS since,
               datemultirange(daterange(
                   fact.created_at::date,
                   CASE WHEN coalesce(fact.fixed_at, fact.dismissed_at) IS NOT NULL
                        THEN greatest(fact.created_at, coalesce(fact.fixed_at, fact.dismissed_at))::date END
               )) AS days
        FROM integrations_codescanningalert fact {_PLACE} {_COUNTED}
    """,  # noqa: S608  # constants
)
"""A stock of code scanning alerts that are neither fixed nor dismissed.

age_seconds are the local days since creation.
"""

FIXED_ALERTS = Relation(
    name="fixed_code_scanning_alerts",
    family=FactFamily.CODE_SCANNING,
    open_as_in_tools=True,
    owner="owned_id",
    fact="alert_id",
    fact_is_row=True,
    sql=f"""
        SELECT {_ALERT},
               fact.fixed_at::date AS day,
               CASE WHEN fact.fixed_at >= fact.created_at
                    THEN extract(epoch FROM fact.fixed_at - fact.created_at)::float8 END AS fix_seconds
        FROM integrations_codescanningalert fact {_PLACE} {_COUNTED} AND fact.fixed_at IS NOT NULL
    """,  # noqa: S608  # constants
)
"""One row per fixed code scanning alert, on the local day of its fix.  fix_seconds is created → fixed."""
