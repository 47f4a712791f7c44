"""Tests, their coverage, code analyses, and code scanning alerts."""

from __future__ import annotations

from insights.catalogue.declarations import Count, Duration, Ratio
from insights.catalogue.references import CODE_SCANNING, QUALITY_GATES, TEST_AUTOMATION
from insights.catalogue.rules import Rule, base, rows, value
from insights.query.enums import Better, Category, SpaceDimension
from insights.query.measures import Distribution, Facts, Total
from insights.query.query import Dimension
from integrations.facts.quality import CODE_ANALYSES, COVERAGE, FIXED_ALERTS, OPEN_ALERTS, TEST_REPORTS

REPORTS = "Test reports (JUnit XML), pushed by pipelines"
OF_REPORT = (
    "A report counts on the day on which it finished, for the unit that owned its repository then, whatever the branch."
)
ALERTS = "Code scanning alerts of a code host, and SARIF reports, pushed by pipelines"
OF_ALERT = "Alerts are those of the default branch, and count for the unit that owned their repository then."
TESTS_RUN = Total(TEST_REPORTS, column="tests_run")
WHERE = (Dimension.REPOSITORY,)
ALERT_DIMENSIONS = (Dimension.REPOSITORY, Dimension.SEVERITY)

TEST_PASS_RATE = Ratio(
    key="test.pass_rate",
    name="Test pass rate",
    fact="report",
    sample="{facts:report}",
    meaning="Share of the tests run that pass.",
    formula=f"tests that passed ÷ tests that were not skipped × 100, of all test reports. {OF_REPORT} A test that was "
    "tried again within a report has the result of its last attempt.",
    numerator=Total(TEST_REPORTS, column="tests_passed"),
    denominator=TESTS_RUN,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=WHERE,
    positive_indicators=("test.flaky_rate", "test.coverage", "ci.success_rate"),
    negative_indicators=("test.duration",),
    source=REPORTS,
    reference=TEST_AUTOMATION,
)

TEST_FLAKY_RATE = Ratio(
    key="test.flaky_rate",
    name="Flaky test rate",
    fact="report",
    sample="{facts:report}",
    meaning="Share of the tests run whose result changes while the code does not.",
    formula="results of tests that both failed and passed on the same commit, within a report or in reports with one "
    f"name, ÷ tests that were not skipped × 100. {OF_REPORT} Reports that name no commit are compared with no other.",
    numerator=Total(TEST_REPORTS, column="flaky_tests"),
    denominator=TESTS_RUN,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.QUALITY, Category.EFFICIENCY),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    segments=WHERE,
    positive_indicators=("ci.flaky_rate", "ci.success_rate"),
    negative_indicators=("test.duration",),
    source=REPORTS,
    reference=TEST_AUTOMATION,
    look_for=(
        Rule(
            when=(base("test.flaky_rate", "tests").at_least(1000), value("test.flaky_rate").at_least(0.5)),
            says="{test.flaky_rate} of the test results come from tests that both failed and passed on one commit. "
            "People learn to ignore such failures, real ones included.",
            check=rows("See the reports", "test.flaky_rate"),
        ),
    ),
)

TEST_DURATION = Duration(
    key="test.duration",
    name="Test execution time",
    fact="report",
    meaning="How long a run of tests takes.",
    formula=f"the time that a test report states, of its suites, else the sum of its tests' times. {OF_REPORT}",
    of=Distribution(TEST_REPORTS, column="duration_seconds"),
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=WHERE,
    positive_indicators=("ci.duration",),
    negative_indicators=("test.coverage",),
    source=REPORTS,
    reference=TEST_AUTOMATION,
)

TEST_COVERAGE = Ratio(
    key="test.coverage",
    name="Test coverage",
    fact="report",
    sample="{facts:report}",
    meaning="Share of the lines of code that automated tests execute.",
    formula="covered lines ÷ lines that can be covered × 100, of the latest coverage report of each name of each "
    "repository's default branch, at the end of the window's last day, or today; a report older than 90 days is left "
    "out. It counts for the unit that owned the repository then",
    numerator=Total(COVERAGE, column="lines_covered"),
    denominator=Total(COVERAGE, column="lines_valid"),
    better=Better.HIGHER,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=WHERE,
    positive_indicators=("bug.escaped", "dora.change_failure_rate", "test.pass_rate"),
    negative_indicators=("test.duration",),
    source="Coverage reports (Cobertura XML), pushed by pipelines, and analyses of SonarQube",
    reference=TEST_AUTOMATION,
)

ANALYSES = "Analyses of SonarQube"
OF_ANALYSIS = (
    "Of the latest analysis of each project's main branch, at the end of the window's last day, or today; an analysis "
    "older than 90 days is left out. It counts for the unit that owned the repository then."
)

QUALITY_GATE_RATE = Ratio(
    key="code.quality_gate_rate",
    name="Quality gates passed",
    fact="report",
    sample="{facts:report}",
    meaning="Share of the projects that pass their quality gate.",
    formula=f"quality gates that passed ÷ quality gates × 100. {OF_ANALYSIS}",
    numerator=Total(CODE_ANALYSES, column="gates_passed"),
    denominator=Total(CODE_ANALYSES, column="gates"),
    better=Better.HIGHER,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=WHERE,
    positive_indicators=("code.best_ratings_rate", "test.coverage", "dora.change_failure_rate"),
    negative_indicators=("pr.throughput",),
    source=ANALYSES,
    reference=QUALITY_GATES,
)

BEST_RATINGS_RATE = Ratio(
    key="code.best_ratings_rate",
    name="Ratings of A",
    fact="report",
    sample="{facts:report}",
    meaning="Share of the ratings of reliability, security and maintainability that are A, the best of five.",
    formula=f"ratings that are A ÷ ratings × 100, three of each project. {OF_ANALYSIS}",
    numerator=Total(CODE_ANALYSES, column="best_ratings"),
    denominator=Total(CODE_ANALYSES, column="ratings"),
    better=Better.HIGHER,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=WHERE,
    positive_indicators=("code.quality_gate_rate", "code_scanning.open_alerts", "bug.escaped"),
    source=ANALYSES,
    reference=QUALITY_GATES,
)

DUPLICATION_RATE = Ratio(
    key="code.duplication_rate",
    name="Duplicated code",
    fact="report",
    sample="{facts:report}",
    meaning="Share of the lines that are copies of others.",
    formula=f"duplicated lines ÷ lines × 100. {OF_ANALYSIS}",
    numerator=Total(CODE_ANALYSES, column="duplicated_lines"),
    denominator=Total(CODE_ANALYSES, column="lines"),
    better=Better.LOWER,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=WHERE,
    positive_indicators=("code.refactor_rate", "code.best_ratings_rate"),
    source=ANALYSES,
    reference=QUALITY_GATES,
)

OPEN_CODE_SCANNING_ALERTS = Count(
    key="code_scanning.open_alerts",
    name="Open code scanning alerts",
    short="Open alerts",
    fact="alert",
    meaning="How many alerts of code scanning tools are neither fixed nor dismissed.",
    formula=f"open code scanning alerts at the end of the window's last day, or today. {OF_ALERT}",
    of=Facts(OPEN_ALERTS),
    better=Better.LOWER,
    categories=(Category.QUALITY, Category.HYGIENE),
    space=(SpaceDimension.PERFORMANCE,),
    segments=ALERT_DIMENSIONS,
    positive_indicators=("code_scanning.alert_age", "code_scanning.fix_time"),
    negative_indicators=("pr.throughput",),
    source=ALERTS,
    reference=CODE_SCANNING,
)

CODE_SCANNING_ALERT_AGE = Duration(
    key="code_scanning.alert_age",
    name="Age of open code scanning alerts",
    short="Age of alerts",
    fact="alert",
    meaning="How long the open alerts of code scanning tools have been open.",
    formula="creation → end of the window, of the alerts that are open at the end of the window's last day, or today; "
    f"in whole local days. {OF_ALERT}",
    of=Distribution(OPEN_ALERTS, column="age_seconds"),
    categories=(Category.QUALITY, Category.HYGIENE),
    space=(SpaceDimension.EFFICIENCY,),
    segments=ALERT_DIMENSIONS,
    positive_indicators=("code_scanning.open_alerts", "code_scanning.fix_time"),
    source=ALERTS,
    reference=CODE_SCANNING,
)

CODE_SCANNING_FIX_TIME = Duration(
    key="code_scanning.fix_time",
    name="Time to fix code scanning alerts",
    short="Time to fix alerts",
    fact="alert",
    meaning="How long an alert of a code scanning tool is open before it is fixed.",
    formula=f"created → fixed, on the day of the fix; dismissed alerts are left out. {OF_ALERT}",
    of=Distribution(FIXED_ALERTS, column="fix_seconds"),
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    segments=ALERT_DIMENSIONS,
    positive_indicators=("code_scanning.open_alerts", "dora.lead_time"),
    negative_indicators=("pr.throughput",),
    source=ALERTS,
    reference=CODE_SCANNING,
)
