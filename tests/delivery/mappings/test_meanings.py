"""An admin's words: shown with what they are used for, and applied to what is stored."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.connectors.drafts import (
    DeploymentDraft,
    IncidentDraft,
    PipelineRunDraft,
    ProvidedParts,
    TransitionDraft,
    Who,
)
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.mappings.values_seen import Example, values_seen
from integrations.delivery.set_mapping import UnknownMappingError, set_value_mapping
from integrations.enums import RunStatus, StatusCategory
from integrations.models import Connection, Deployment, FactChange, Incident, PullRequest, ValueMapping, WorkItem
from tests.intake.conftest import SHOP, Tell
from tests.intake.test_other_facts import MONDAY, at, item, pull_request


def deployment(external_id: str, environment: str) -> DeploymentDraft:
    return DeploymentDraft(
        external_id=external_id,
        repository=SHOP,
        native_environment=environment,
        url=f"https://example.com/{external_id}",
        finished_at=at(int(external_id)),
    )


def release_run(external_id: str = "1") -> PipelineRunDraft:
    return PipelineRunDraft(
        external_id=external_id,
        repository=SHOP,
        run=external_id,
        name="Release",
        status=RunStatus.SUCCESS,
        finished_at=at(1),
    )


def test_words_are_shown_with_what_they_mean_and_the_latest_of_their_records(tell: Tell, github: Connection) -> None:
    tell(*(deployment(str(number), "prod") for number in range(1, 6)), deployment("6", "customer-eu"))
    set_value_mapping(github, Subject.ENVIRONMENT, "customer-eu", "production")
    set_value_mapping(github, Subject.ENVIRONMENT, "customer-us", "production")
    prod, eu, us = values_seen(github, Subject.ENVIRONMENT)
    assert (prod.word, prod.records, prod.means, prod.is_decided) == ("prod", 5, "production", False)
    assert [example.url[-1] for example in prod.examples] == ["5", "4", "3"]
    assert (eu.means, eu.by_default, eu.is_decided) == ("production", "other", True)
    assert eu.examples == (Example("acme/shop", "https://example.com/6"),)
    assert (us.records, us.examples) == (0, ())


ABOUT_ITEMS = (Subject.ACTIVITY, Subject.FOUND_BY, Subject.ENDING)


def test_what_statuses_and_reporters_of_items_say_is_shown(tell: Tell, github: Connection) -> None:
    blocked: dict[str, Any] = {"native_status": "Blocked", "status_category": StatusCategory.IN_PROGRESS}
    over: dict[str, Any] = {"native_status": "Closed", "status_category": StatusCategory.DONE}
    tell(
        item(native_type="Bug", labels=("found-in-prod",), reporter=Who(login="helpdesk"), **blocked),
        item("2"),
        item("3", resolution="not_planned", **over),
    )
    activity, found_by, ending = (
        {seen.word: seen.means for seen in values_seen(github, subject)} for subject in ABOUT_ITEMS
    )
    assert activity == {"Blocked": "waiting"}
    assert found_by == {"Bug": "", "acme/shop": "", "found-in-prod": "production", "helpdesk": "customer"}
    assert ending == {"Closed": "delivered", "not_planned": "dropped"}


@pytest.mark.parametrize("subject", sorted(set(Subject) - set(ABOUT_ITEMS)))
def test_every_subject_shows_its_words(tell: Tell, github: Connection, subject: Subject) -> None:
    tell(
        item(labels=("bug",), native_type="Story", native_status="Open"),
        pull_request(labels=("bug",)),
        deployment("1", "prod"),
        release_run(),
        IncidentDraft(external_id="1", started_at=MONDAY, native_severity="SEV1"),
    )
    expected = {
        Subject.ENVIRONMENT: ("prod", 1, "production"),
        Subject.DEPLOYING: ("Release", 1, ""),
        Subject.LABEL: ("bug", 2, "bug"),
        Subject.ITEM_TYPE: ("Story", 1, "feature"),
        Subject.STATUS: ("Open", 1, "todo"),
        Subject.SEVERITY: ("SEV1", 1, "critical"),
    }
    assert [(seen.word, seen.records, seen.means) for seen in values_seen(github, subject)] == [expected[subject]]


def test_a_new_meaning_applies_to_what_is_stored_and_can_be_taken_back(tell: Tell, github: Connection) -> None:
    tell(deployment("1", "customer-eu"), deployment("2", "prod"))
    FactChange.objects.all().delete()
    assert set_value_mapping(github, Subject.ENVIRONMENT, "customer-eu", "production") == 1
    assert set(Deployment.objects.values_list("environment", flat=True)) == {"production"}
    assert FactChange.objects.filter(family="deployment").exists()
    assert set_value_mapping(github, Subject.ENVIRONMENT, "customer-eu", "production") == 0
    assert set_value_mapping(github, Subject.ENVIRONMENT, "customer-eu", None) == 1
    assert not ValueMapping.objects.exists()


def test_a_pipeline_that_an_admin_says_deploys_does(tell: Tell, github: Connection) -> None:
    tell(release_run())
    assert not Deployment.objects.exists()
    assert set_value_mapping(github, Subject.DEPLOYING, "Release", "staging") == 1
    assert Deployment.objects.get().environment == "staging"
    tell(deployment("9", "prod"))  # a default would stand back for it
    assert Deployment.objects.count() == 2
    assert set_value_mapping(github, Subject.DEPLOYING, "Release", "") == 1
    assert Deployment.objects.get().external_id == "9"


def test_a_label_means_a_work_type_for_items_and_for_pull_requests(tell: Tell, github: Connection) -> None:
    tell(item("SHOP-1", labels=("area/checkout",)), pull_request("SHOP-1", title="Sell tea"))
    assert set_value_mapping(github, Subject.LABEL, "area/checkout", "feature") == 2
    assert (WorkItem.objects.get().work_type, PullRequest.objects.get().work_type) == ("feature", "feature")
    assert set_value_mapping(github, Subject.LABEL, "area/checkout", "") == 2
    assert PullRequest.objects.get().work_type == "other"


def test_a_label_that_an_admin_silenced_says_nothing(tell: Tell, github: Connection) -> None:
    set_value_mapping(github, Subject.LABEL, "bug", "")
    tell(pull_request(labels=("bug",)))
    assert PullRequest.objects.get().work_type == "other"


def test_a_type_of_item_means_a_work_type(tell: Tell, github: Connection) -> None:
    tell(item("SHOP-1", native_type="Spike"), pull_request("SHOP-1"))
    assert set_value_mapping(github, Subject.ITEM_TYPE, "Spike", "tech_debt") == 2
    assert PullRequest.objects.get().work_type == "tech_debt"


def test_a_status_means_a_category_whatever_the_provider_says(tell: Tell, github: Connection) -> None:
    moves = [
        TransitionDraft(at=at(1), from_status="New", to_status="Parked", category=StatusCategory.IN_PROGRESS),
        TransitionDraft(at=at(2), from_status="Parked", to_status="Closed", category=StatusCategory.DONE),
        TransitionDraft(at=at(3), from_status="Closed", to_status="Parked", category=StatusCategory.IN_PROGRESS),
    ]
    draft = item(native_status="Parked", status_category=StatusCategory.IN_PROGRESS, transitions=ProvidedParts(moves))
    tell(draft)
    assert set_value_mapping(github, Subject.STATUS, "Parked", "todo") == 1
    stored = WorkItem.objects.get()
    assert stored.status_category == "todo"
    assert list(stored.transitions.order_by("at").values_list("category", flat=True)) == ["todo", "done", "todo"]
    assert tell(draft).unchanged == 1
    assert set_value_mapping(github, Subject.STATUS, "Parked", None) == 1
    assert WorkItem.objects.get().status_category == "in_progress"


def test_a_severity_means_what_an_admin_says(tell: Tell, github: Connection) -> None:
    tell(IncidentDraft(external_id="1", started_at=MONDAY, native_severity="page"))
    assert set_value_mapping(github, Subject.SEVERITY, "page", "high") == 1
    assert Incident.objects.get().severity == "high"


def test_a_meaning_that_there_is_not_is_refused(github: Connection) -> None:
    with pytest.raises(UnknownMappingError, match="Choose one of: production, staging, other"):
        set_value_mapping(github, Subject.ENVIRONMENT, "prod", "moon")
