"""Rules of deployments: what is read, what is refused, and what becomes of parameters."""

from __future__ import annotations

import pytest

from integrations.connectors.base import Settings
from integrations.connectors.deployment_rules import UnreadableRuleError, deployment_by, read_rules
from integrations.connectors.errors import PermanentError
from integrations.connectors.jenkins.connector import Jenkins


def test_a_rule_takes_environment_and_service_from_parameters() -> None:
    rules = read_rules("# by hand\nacme/deploy-*: environment={ENV}, service={APP}\n\n*: environment=production")
    parameters = {"ENV": "prod", "APP": "cart"}
    values = deployment_by(rules.of("ACME/deploy-shop"), parameters)
    assert values is not None
    assert (values["environment"], values["service"], values["sha"]) == ("prod", "cart", "")
    assert deployment_by(rules.of("acme/deploy-shop"), {}) == {**values, "environment": "production", "service": ""}
    assert [rule.parameters for rule in rules.rules] == [{"ENV", "APP"}, set()]


def test_without_a_rule_or_an_environment_nothing_is_deployed() -> None:
    rules = read_rules("acme/shop/main: stage=Deploy to *, environment={stage}\nacme/cart: environment={ENV}")
    assert deployment_by(rules.of("acme/shop/feature"), {}) is None
    assert deployment_by(rules.of("acme/cart"), {"ENV": " "}) is None
    values = deployment_by(rules.of("acme/shop/main"), {})
    assert values is not None
    assert values["environment"] == "{stage}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("acme/shop", "Line 1 has no pattern before a colon"),
        ("\nacme/shop: service=cart", "Line 2 names no environment"),
        ("acme/shop: environment=prod, colour=red", "Line 1: “colour=red” is none of environment, service"),
        ("acme/shop: environment={stage}", "Line 1 uses {stage} and has no stage"),
    ],
)
def test_a_line_that_is_no_rule_is_refused_with_its_number(text: str, problem: str) -> None:
    with pytest.raises(UnreadableRuleError) as refused:
        read_rules(text)
    assert problem in str(refused.value)


def test_a_connection_with_a_rule_that_cannot_be_read_says_where_to_correct_it() -> None:
    values = {"deployments": "acme/shop"}
    with pytest.raises(PermanentError, match=r"A deployment rule cannot be read\. Line 1 has no pattern") as refused:
        _ = Jenkins(Settings(values, {})).rules
    assert refused.value.what_to_do == "Correct it in the connection's form."
    assert list(Jenkins.mistakes(values)) == ["deployments"]
    assert Jenkins.mistakes({}) == {}
