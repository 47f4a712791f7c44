"""PagerDuty, simulated over HTTP, beside what others brought: its services are those of deployments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from demo.providers.pagerduty_server import PagerDutyServer
from integrations.connectors.drafts import DeploymentDraft
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.mappings.values_seen import values_seen
from integrations.delivery.set_mapping import set_value_mapping
from integrations.enums import RunStatus
from integrations.intake.apply_placing_rules import apply_placing_rules
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, Deployment, Incident, PlacingRule
from integrations.push.store import push_connection
from tests.connectors.pagerduty.test_reading import incident, with_incidents
from tests.connectors.reading import TOKEN
from tests.demo.small_history import BEGIN, HOUR, sha
from tests.sync.test_jira import printed

pytestmark = pytest.mark.django_db


@pytest.fixture
def pagerduty() -> Iterator[PagerDutyServer]:
    with PagerDutyServer(with_incidents(incident(1, 1), incident(2, 30)), token=TOKEN) as server:
        words = ("--set", f"base_url={server.url}", "--set", f"token={TOKEN}")
        printed("connect", "pagerduty", "--name", "PagerDuty", *words)
        yield server


def sync(*words: str) -> list[tuple[int, int, int]]:
    results = printed("sync", "--wait", *words)["resources"]
    assert {result["state"] for result in results} == {"done"}, results
    return [(result["added"], result["changed"], result["removed"]) for result in results]


def deploy(service: str) -> None:
    draft = DeploymentDraft(
        external_id="1",
        repository="acme/shop",
        service=service,
        status=RunStatus.SUCCESS,
        native_environment="production",
    )
    with transaction.atomic():
        store_drafts(push_connection(), [draft])


def test_incidents_are_of_the_services_that_deployments_name(pagerduty: PagerDutyServer) -> None:
    deploy("SHOP!")
    assert sum(added for added, *_ in sync()) == Incident.objects.count() > 0
    assert set(Incident.objects.values_list("service", flat=True)) == {"SHOP!"}
    assert set(sync("--full")) == {(0, 0, 0)}


def test_a_rule_says_which_service_another_name_means_and_a_reading_finds_nothing_to_change(
    pagerduty: PagerDutyServer,
) -> None:
    deploy("storefront")
    sync()
    assert set(Incident.objects.values_list("service", flat=True)) == {"shop"}
    rule = PlacingRule.objects.create(
        subject="service", connection=Connection.objects.get(name="PagerDuty"), pattern="*shop", service="Storefront"
    )
    assert apply_placing_rules() == Incident.objects.count()
    assert set(Incident.objects.values_list("service", flat=True)) == {Deployment.objects.get().service}
    assert set(sync("--full")) == {(0, 0, 0)}
    rule.delete()
    apply_placing_rules()
    assert set(Incident.objects.values_list("service", flat=True)) == {"shop"}


def test_priorities_are_severities_by_default_and_as_an_admin_maps_them(pagerduty: PagerDutyServer) -> None:
    connection = Connection.objects.get(name="PagerDuty")
    sync()
    assert [(seen.word, seen.by_default) for seen in values_seen(connection, Subject.SEVERITY)] == [("P2", "high")]
    assert set_value_mapping(connection, Subject.SEVERITY, "P2", "low") == Incident.objects.count()
    assert set(sync("--full")) == {(0, 0, 0)}
    assert set(Incident.objects.values_list("native_severity", "severity")) == {("P2", "low")}


def test_a_change_event_is_one_rollout_with_another_tools_deployment(
    pagerduty: PagerDutyServer,
) -> None:
    """The history deployed one commit twice within the hour, of which PagerDuty knows both and another tool one."""
    connection = Connection.objects.get(name="PagerDuty")
    connection.settings["deployments"] = "*/GitHub*: environment={environment}"
    connection.save()
    at = BEGIN + 10.1 * HOUR
    with transaction.atomic():
        store_drafts(
            push_connection(),
            [
                DeploymentDraft(
                    external_id="1",
                    repository="acme/shop",
                    status=RunStatus.SUCCESS,
                    native_environment="production",
                    sha=sha("Merge pull request #2"),
                    finished_at=at,
                )
            ],
        )
    sync("--full")
    deployed = Deployment.objects.filter(connection=connection)
    assert set(deployed.values_list("external_id", "repository__name", "environment")) == {
        ("C5002", "acme/shop", "production"),
        ("C5003", "acme/shop", "production"),
    }
    (once, *parts) = Deployment.objects.filter(finished_at__gt=BEGIN + 10 * HOUR).order_by("exclusion_reason")
    assert (once.exclusion_reason, [part.part_of_id for part in parts]) == ("", [once.pk])
