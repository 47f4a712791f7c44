"""Built-in templates of hand-kept metrics: those of the persona roadmap that no tool measures."""

from __future__ import annotations

from integrations.enums import Better, UnitOfMeasure
from integrations.models import HandKeptMetric

_MONTHLY, _QUARTERLY = 62, 130  # days: a month or a quarter, and a month late


def _template(
    slug: str,
    name: str,
    unit: UnitOfMeasure,
    better: Better,
    meaning: str,
    *,
    valid_days: int = _QUARTERLY,
) -> HandKeptMetric:
    return HandKeptMetric(
        slug=slug, name=name, meaning=meaning, unit_of_measure=unit.value, better=better.value, valid_days=valid_days
    )


_PERCENT, _NUMBER, _MONEY = UnitOfMeasure.PERCENT, UnitOfMeasure.COUNT, UnitOfMeasure.CURRENCY
_HIGHER, _LOWER = Better.HIGHER, Better.LOWER

TEMPLATES = {
    template.slug: template
    for template in (
        _template(
            "customer_satisfaction", "Customer satisfaction", _PERCENT, _HIGHER,
            "Share of customers who said in the latest survey that they are satisfied.",
        ),
        _template(
            "feature_adoption", "Feature adoption", _PERCENT, _HIGHER,
            "Share of active customers who used the features released in the last quarter.", valid_days=_MONTHLY,
        ),
        _template(
            "customer_feedback", "Customer feedback", _NUMBER, _HIGHER,
            "Mean rating that customers gave, from 1 to 5.", valid_days=_MONTHLY,
        ),
        _template(
            "stakeholder_feedback", "Stakeholder feedback", _NUMBER, _HIGHER,
            "Mean rating that internal stakeholders gave in the quarterly review, from 1 to 5.",
        ),
        _template(
            "business_value", "Business value delivered", _MONEY, _HIGHER,
            "Revenue gained and cost saved in the quarter by what was delivered, as finance counts it.",
        ),
        _template(
            "test_case_coverage", "Test case coverage", _PERCENT, _HIGHER,
            "Share of requirements with at least one test case.",
        ),
        _template(
            "automation_coverage", "Automation coverage", _PERCENT, _HIGHER,
            "Share of test cases that run by themselves.",
        ),
        _template(
            "user_acceptance", "User acceptance", _PERCENT, _HIGHER,
            "Share of acceptance tests that users passed at the first attempt.",
        ),
        _template(
            "performance_tests", "Performance tests passed", _PERCENT, _HIGHER,
            "Share of performance tests within their limits.", valid_days=_MONTHLY,
        ),
        _template(
            "resource_utilisation", "Resource utilisation", _PERCENT, Better.NEITHER,
            "Share of the paid computing capacity that was used.", valid_days=_MONTHLY,
        ),
        _template(
            "security_compliance", "Security compliance", _PERCENT, _HIGHER,
            "Share of the security controls that the latest audit found in place.",
        ),
        _template(
            "downtime", "Downtime", UnitOfMeasure.SECONDS, _LOWER,
            "Time in the month during which customers could not use the product.", valid_days=_MONTHLY,
        ),
        _template(
            "infrastructure_cost", "Infrastructure cost", _MONEY, _LOWER,
            "What the month's infrastructure cost.", valid_days=_MONTHLY,
        ),
        _template(
            "return_on_investment", "Return on investment", _PERCENT, _HIGHER,
            "Gain in the quarter less what it cost, as a share of the cost.",
        ),
        _template(
            "risk", "Open risks", _NUMBER, _LOWER,
            "Entries of the risk register without an agreed remedy.", valid_days=_MONTHLY,
        ),
        _template(
            "operational_efficiency", "Operational efficiency", _PERCENT, _HIGHER,
            "Share of operational work that needed nobody to step in.",
        ),
        _template(
            "team_morale", "Team morale", _PERCENT, _HIGHER,
            "Share of the team who would recommend it as a place to work. Enter groups only, never a person.",
        ),
        _template(
            "code_quality", "Code quality", _PERCENT, _HIGHER,
            "Share of the code that the static analysis rates as maintainable.", valid_days=_MONTHLY,
        ),
        _template(
            "test_coverage", "Test coverage", _PERCENT, _HIGHER,
            "Share of lines that the tests execute.", valid_days=_MONTHLY,
        ),
    )
}  # fmt: skip
"""By slug, not stored.  Nothing is measured under these keys until somebody uses a template."""
