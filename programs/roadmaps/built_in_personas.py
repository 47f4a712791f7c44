"""The method's persona roadmap: six personas, four quarters of metrics; an installation edits its copies in admin.

A key `hand.…` is that of a metric that no tool measures; its values are entered by hand once it is defined.
"""

from __future__ import annotations

from dataclasses import dataclass

EXECUTIVE, ENGINEERING_MANAGER, DEVELOPER = "executive", "engineering-manager", "developer"
PRODUCT_MANAGER = "product-manager"

Cell = tuple[tuple[str, str], ...]  # the persona's name for it, and the metric's key

LEAD_TIME = ("Lead time", "dora.lead_time")
DEPLOYMENTS = ("Deployment frequency", "dora.deployment_frequency")
ALLOCATION = ("Allocation efficiency", "allocation.new_share")
PREDICTABILITY = ("Predictability", "sprint.predictability")
SATISFACTION = ("Customer satisfaction", "hand.customer_satisfaction")
INCIDENT_RECOVERY = ("Incident recovery time", "incident.mttr")
CODE_REWORK = ("Code rework", "code.rework_rate")


@dataclass(frozen=True)
class BuiltInPersona:
    slug: str
    name: str
    job_titles: str
    quarters: tuple[Cell, Cell, Cell, Cell]


BUILT_IN = (
    BuiltInPersona(
        ENGINEERING_MANAGER,
        "Engineering Manager",
        "engineering manager, team lead, tech lead, development manager",
        (
            (LEAD_TIME, DEPLOYMENTS, ("Defect rates", "bug.ratio"), ALLOCATION),
            (
                ("Cycle time", "pr.cycle_time"),
                ("Review efficiency", "pr.review_time"),
                ("Review efficiency: depth", "pr.review_depth"),
                ("Team velocity", "sprint.delivered"),
                ALLOCATION,
            ),
            (
                ("MTTR", "dora.recovery_time"),
                ("Change failure rate", "dora.change_failure_rate"),
                ("Team morale", "hand.team_morale"),
                ALLOCATION,
            ),
            (("Customer-reported defects", "bug.customer_found"), PREDICTABILITY, ALLOCATION),
        ),
    ),
    BuiltInPersona(
        PRODUCT_MANAGER,
        "Product Manager",
        "product manager, product owner",
        (
            (
                ("Delivered vs planned stories", "sprint.delivered_vs_planned"),
                ("Scope creep", "sprint.scope_creep"),
                SATISFACTION,
            ),
            (
                ("Feature adoption rate", "hand.feature_adoption"),
                ("Customer feedback", "hand.customer_feedback"),
                PREDICTABILITY,
            ),
            (
                ("Time to production", "delivery.idea_to_production"),
                SATISFACTION,
                ("Project delivery status", "delivery.forecast"),
            ),
            (
                ("Business value delivered", "hand.business_value"),
                ("Roadmap alignment", "allocation.unlinked_share"),
                ("Stakeholder feedback", "hand.stakeholder_feedback"),
            ),
        ),
    ),
    BuiltInPersona(
        DEVELOPER,
        "Developer",
        "developer, engineer, programmer",
        (
            (
                ("Code quality", "hand.code_quality"),
                ("PR review time", "pr.review_time"),
                ("Commit frequency", "commit.frequency"),
            ),
            (("Test coverage", "test.coverage"), ("Refactoring effort", "code.refactor_rate")),
            (
                ("Bug fix rate", "bug.fix_rate"),
                ("Feature completion rate", "work.feature_completion_rate"),
                ("Peer reviews", "review.given_per_developer"),
            ),
            (
                ("Technical-debt reduction", "allocation.productivity_share"),
                CODE_REWORK,
                ("Productivity growth: pull requests", "pr.throughput"),
                ("Productivity growth: flow", "flow.efficiency"),
            ),
        ),
    ),
    BuiltInPersona(
        "qa-engineer",
        "QA Engineer",
        "qa, quality, tester, qa engineer, quality engineer, test engineer",
        (
            (
                ("Defect detection efficiency", "bug.escaped"),
                ("Test case coverage", "hand.test_case_coverage"),
                ("Automation coverage", "test.coverage"),
            ),
            (
                ("Regression defects", "bug.escaped"),
                ("Test execution time", "test.duration"),
                ("Test reliability: pass rate", "test.pass_rate"),
                ("Test reliability: flaky tests", "test.flaky_rate"),
                ("Bug reopen rate", "bug.reopen_rate"),
            ),
            (
                ("User acceptance feedback", "hand.user_acceptance"),
                ("Performance test metrics", "hand.performance_tests"),
            ),
            (("Post-release defects", "bug.escaped"), ("Incident count", "incident.count"), CODE_REWORK),
        ),
    ),
    BuiltInPersona(
        "devops-engineer",
        "DevOps Engineer",
        "devops, sre, devops engineer, site reliability engineer, platform engineer, infrastructure engineer",
        (
            (("Application stability", "incident.count"), DEPLOYMENTS, INCIDENT_RECOVERY),
            (INCIDENT_RECOVERY, ("Resource utilisation", "hand.resource_utilisation")),
            (
                ("CI/CD pipeline efficiency", "ci.success_rate"),
                ("CI/CD pipeline efficiency: duration", "ci.duration"),
                ("Security compliance: open alerts", "code_scanning.open_alerts"),
                ("Security compliance: time to fix", "code_scanning.fix_time"),
            ),
            (("Downtime reduction", "hand.downtime"), ("Infrastructure cost", "hand.infrastructure_cost")),
        ),
    ),
    BuiltInPersona(
        EXECUTIVE,
        "Executive/CTO",
        "cto, ceo, vp, vice president, director, executive, head of",
        (
            (
                ("Return on investment", "hand.return_on_investment"),
                ("Strategic alignment", "allocation.new_share"),
                ("Time to ship features", "delivery.idea_to_production"),
            ),
            (("Distribution of resources", "allocation.maintenance_share"), ("Risk management", "hand.risk")),
            (("Operational efficiency", "hand.operational_efficiency"),),
            (("Better business alignment", "allocation.new_share"),),
        ),
    ),
)
