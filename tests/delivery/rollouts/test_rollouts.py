"""Rollouts as they are stored: by webhook and by list, by two sources, and with what their jobs are for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.connectors.addresses import run_in
from integrations.connectors.drafts import (
    AnyDraft,
    DeploymentDraft,
    DeploymentStatusDraft,
    IncidentDraft,
    JobDraft,
    PipelineRunDraft,
    ProvidedParts,
)
from integrations.delivery.linking.named_causes import uncounted_causes
from integrations.delivery.set_mapping import set_value_mapping
from integrations.enums import CHANGE_REQUEST, RunStatus
from integrations.models import (
    Connection,
    DeployedPullRequest,
    Deployment,
    FailedDeployment,
    Incident,
    ValueMapping,
)
from orgtree.models import Organisation
from tests.delivery.linking.delivery import Delivery
from tests.intake.conftest import SHOP, Tell
from tests.intake.test_other_facts import MONDAY

pytestmark = pytest.mark.django_db
STATES = {"in_progress": RunStatus.RUNNING, "success": RunStatus.SUCCESS, "failure": RunStatus.FAILURE}


def at(minutes: int) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def status(state: str, minutes: int, run: str = "", job: str = "", environment: str = "") -> DeploymentStatusDraft:
    return DeploymentStatusDraft(
        external_id=f"{minutes}/{state}",
        at=at(minutes),
        status=STATES.get(state, RunStatus.OTHER),
        native_status=state,
        environment=environment,
        run=run,
        job=job,
    )


def deployment(
    id_: str,
    *statuses: DeploymentStatusDraft,
    whole: bool = True,
    sha: str = "a" * 40,
    environment: str = "production",
    **fields: Any,
) -> AnyDraft:
    return DeploymentDraft(
        external_id=id_,
        repository=SHOP,
        updated_at=max(status.at for status in statuses),
        native_environment=environment,
        sha=sha,
        statuses=ProvidedParts(list(statuses), whole=whole),
        **fields,
    )


def counted() -> dict[str, int]:
    """The rollouts to production that count, and in which minute they finished."""
    rollouts = Deployment.objects.filter(
        environment="production", status="success", exclusion_reason="", deleted_at=None
    ).order_by("finished_at")
    return {
        rollout.external_id: int((rollout.finished_at - MONDAY).total_seconds() // 60)
        for rollout in rollouts
        if rollout.finished_at
    }


AGAIN = (status("in_progress", 1), status("success", 10), status("inactive", 600), status("success", 700))


@pytest.mark.parametrize("order", [1, -1])
def test_webhooks_come_to_what_a_list_does(tell: Tell, order: int) -> None:
    for one in AGAIN[::order]:
        tell(deployment("D1", one, whole=False))
    by_webhook = counted()
    assert sorted(by_webhook.values()) == [10, 700], "the same deployment made active again is another rollout"
    assert tell(deployment("D1", *AGAIN)).unchanged == 1
    assert counted() == by_webhook
    tell(DeploymentDraft(external_id="D1", repository=SHOP, updated_at=at(800), deleted=True))
    assert counted() == {}


def test_jobs_of_one_run_are_one_rollout(tell: Tell) -> None:
    jobs = [
        deployment(f"D{n}", status("in_progress", 100 * n, "7", str(n)), status("success", 100 * n + 3, "7", str(n)))
        for n in (1, 2, 3)
    ]
    tell(*jobs)
    assert counted() == {"D3": 303}
    assert Deployment.objects.filter(part_of__external_id="D3").count() == 2
    tell(deployment("D2", status("in_progress", 200, "7", "2"), status("failure", 400, "7", "2")))
    assert counted() == {}, "a part failed, and none repaired it"


def run_with_jobs(*names: str) -> AnyDraft:
    jobs = [
        JobDraft(external_id=str(number), name=name, status=RunStatus.SUCCESS, native_status="success")
        for number, name in enumerate(names, 1)
    ]
    return PipelineRunDraft(
        external_id="7",
        repository=SHOP,
        run="7",
        name="Ship it",
        sha="a" * 40,
        status=RunStatus.SUCCESS,
        updated_at=at(9),
        finished_at=at(9),
        jobs=ProvidedParts(jobs),
    )


@pytest.mark.parametrize("run_first", [True, False])
def test_a_job_that_only_plans_is_no_rollout(tell: Tell, run_first: bool) -> None:
    drafts = [run_with_jobs("plan", "tf-migrate"), deployment("D1", status("success", 5, "7", "1"))]
    for draft in drafts if run_first else drafts[::-1]:
        tell(draft)
    assert counted() == {}
    tell(run_with_jobs("plan", "release"), deployment("D2", status("success", 8, "7", "2")))
    assert counted() == {"D2": 8}


def test_two_sources_that_tell_of_one_deployment_make_one_rollout(tell: Tell) -> None:
    tell(deployment("D1", status("in_progress", 60), status("success", 70)))
    sources = Delivery(
        SHOP if Deployment.objects.get().repository.name == SHOP else Deployment.objects.get().repository.name
    )
    sources.push(
        "deployments",
        id="jenkins-5",
        repository=sources.repository,
        environment="prod",
        status="success",
        sha="a" * 40,
        finished_at=at(72).isoformat(),
    )
    assert counted() == {"jenkins-5": 72}


def test_what_names_a_part_means_its_rollout() -> None:
    shop = Delivery()
    shop.deploys("old", at="Mon 09:00", sha="old")
    shop.deploys("eu", at="Mon 12:00", sha="a", environment="prod-eu")
    shop.deploys("us", at="Mon 12:10", sha="a", environment="prod-us")
    shop.incident("i", at="Mon 13:00", caused_by="eu")
    assert Deployment.objects.get(failures__incident__external_id="i").external_id == "us"
    shop.deploys("back", at="Tue 12:00", sha="old", rollback_of="eu", environment="prod-eu")
    shop.deploys("back2", at="Tue 12:05", sha="old", rollback_of="eu", environment="prod-us")
    assert set(Deployment.objects.filter(repairs__isnull=False).values_list("external_id", flat=True)) == {"back2"}


def test_a_rollout_begins_with_its_first_part() -> None:
    shop = Delivery()
    shop.merges(1, at="Mon 12:05")
    shop.deploys("eu", started="Mon 12:00", at="Mon 12:10", sha="a", environment="prod-eu")
    shop.deploys("us", started="Mon 12:10", at="Mon 12:20", sha="a", environment="prod-us")
    assert shop.deployed(1) is None, "its commit was on its way before the merge"
    shop.takes_back("deployments", "eu")
    assert shop.deployed(1) == ("us", "time")


def test_the_gap_is_a_setting() -> None:
    Organisation.current()
    Organisation.objects.update(rollout_gap_minutes=120)
    shop = Delivery()
    shop.deploys("d1", at="Mon 12:00", sha="a")
    shop.deploys("d2", at="Mon 13:30", sha="a")
    assert len(counted()) == 1


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("https://github.com/acme/shop/actions/runs/7000/job/12", ("7000", "12")),
        ("https://ghe.example.com/acme/renamed/actions/runs/7000/attempts/2", ("7000", "")),
        ("https://gitlab.example.com/acme/shop/-/pipelines/55", ("gitlab.example.com/acme/shop/-/pipelines/55", "")),
        ("https://ci.example.com/job/shop/job/main/12/console", ("ci.example.com/job/shop/job/main/12", "")),
        (
            "https://app.harness.io/ng/#/account/a/cd/orgs/o/projects/p/pipelines/x/executions/vIe0Ty1ITZyECOAgxnLfXA/pipeline",
            ("vIe0Ty1ITZyECOAgxnLfXA", ""),
        ),
        (
            "https://acme.harness.io/ng/account/a/module/cd/orgs/o/projects/p/pipelines/x/deployments/-nwZ2c9vRsKJsp4l1-z0rA?s=1",
            ("-nwZ2c9vRsKJsp4l1-z0rA", ""),
        ),
        ("https://shop.example.com", ("", "")),
        ("https://example.com/jobs/12", ("", "")),
        ("", ("", "")),
    ],
)
def test_an_address_names_a_run(address: str, named: tuple[str, str]) -> None:
    assert run_in(address) == named


def lead_time_is_left_out(shop: Delivery, number: int) -> bool:
    return DeployedPullRequest.objects.get(pull_request__number=number).predates


def test_what_was_merged_long_before_the_first_known_deployment_is_left_out() -> None:
    shop = Delivery()
    shop.merges(1, at="Mon 10:00")
    shop.merges(2, at="Mon+1 10:00")
    shop.deploys("first", at="Mon+5 09:00", sha="a")
    assert [lead_time_is_left_out(shop, number) for number in (1, 2)] == [True, False]
    shop.deploys("earlier", at="Mon+1 09:00", sha="b")
    assert [lead_time_is_left_out(shop, number) for number in (1, 2)] == [False, False]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("now_in", ["production", "staging"])
def test_a_promoted_deployment_is_in_production_from_its_status_there(tell: Tell, now_in: str, order: int) -> None:
    in_staging = (status("in_progress", 1, environment="staging"), status("success", 5, environment="staging"))
    promoted = (status("in_progress", 300, environment="production"), status("success", 310, environment="production"))
    for one in (*in_staging, *promoted)[::order]:
        tell(deployment("D1", one, whole=False, environment=now_in))
    assert counted() == {"D1": 310}
    stored = Deployment.objects.get()
    assert stored.started_at == at(300)


def test_a_deployment_that_never_ended_in_production_is_none(tell: Tell) -> None:
    tell(deployment("D1", status("success", 5, environment="staging")))
    assert counted() == {}
    assert Deployment.objects.get().status == "queued"


def test_a_mapping_of_a_status_environment_applies_to_what_is_stored(tell: Tell, github: Connection) -> None:
    statuses = (status("success", 5, environment="qa-eu"), status("success", 300, environment="blue"))
    tell(deployment("D1", *statuses, environment="blue"))
    assert counted() == {}
    set_value_mapping(github, ValueMapping.Subject.ENVIRONMENT, "blue", "production")
    assert counted() == {"D1": 300}
    set_value_mapping(github, ValueMapping.Subject.ENVIRONMENT, "blue", None)
    assert counted() == {}


@pytest.mark.parametrize(
    ("environment", "is_production", "counts"),
    [
        ("main-cluster", True, True),
        ("test-prod", True, True),
        ("main-cluster", False, False),
        ("main-cluster", None, False),
        ("production", False, True),
        ("staging", True, False),
        ("pr-42", True, False),
    ],
)
def test_a_source_says_that_users_meet_an_environment_that_no_word_places(
    tell: Tell, github: Connection, environment: str, *, is_production: bool | None, counts: bool
) -> None:
    tell(deployment("D1", status("success", 5), environment=environment, is_production=is_production))
    assert bool(counted()) is counts
    set_value_mapping(github, ValueMapping.Subject.ENVIRONMENT, environment, "other")
    assert counted() == {}, "an admin's word counts before its source's"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"task": "deploy"}, ""),
        ({"task": "deploy:migrations"}, "prepares"),
        ({"task": "lock"}, "prepares"),
        ({"is_transient": True}, ""),  # some tools say so of all: the name is certain
        ({"environment": "blue", "is_production": True, "is_transient": True}, "transient"),
        ({"environment": "blue", "is_production": True, "is_transient": False}, ""),
    ],
)
def test_a_task_that_rolls_nothing_out_does_not_count(tell: Tell, fields: dict[str, Any], reason: str) -> None:
    tell(deployment("D1", status("success", 5), **fields))
    assert Deployment.objects.get().exclusion_reason == reason
    assert bool(counted()) is (not reason)


def test_a_transient_environment_counts_once_an_admin_says_so(tell: Tell, github: Connection) -> None:
    tell(deployment("D1", status("success", 5), environment="blue", is_production=True, is_transient=True))
    set_value_mapping(github, ValueMapping.Subject.ENVIRONMENT, "blue", "production")
    assert counted() == {"D1": 5}


def test_what_a_deployment_says_of_itself_reaches_records_that_were_stored_without_it(tell: Tell) -> None:
    before = deployment("D1", status("success", 5), status("success", 300), environment="blue")
    tell(before)
    assert counted() == {}
    promoted = (status("success", 5, environment="qa"), status("success", 300, environment="production"))
    tell(deployment("D1", *promoted, environment="blue", task="deploy", is_production=False))
    assert counted() == {"D1": 300}


def change(id_: str, began: int, ended: int, *, service: str = "shop", **fields: Any) -> AnyDraft:
    """A deployment that a change request reports."""
    return DeploymentDraft(
        external_id=id_,
        repository=SHOP,
        updated_at=at(ended),
        native_environment="production",
        service=service,
        status=RunStatus.SUCCESS,
        started_at=at(began),
        finished_at=at(ended),
        task=CHANGE_REQUEST,
        **fields,
    )


def test_change_requests_count_until_what_deploys_reports_deployments_of_the_service(tell: Tell) -> None:
    tell(change("C1", 0, 60), change("C2", 500, 560))
    assert counted() == {"C1": 60, "C2": 560}
    tell(deployment("D1", status("in_progress", 10), status("success", 20)))
    assert counted() == {"D1": 20}, "all of them are set apart: a service has one source of deployments"
    tell(change("C3", 900, 960))
    assert counted() == {"D1": 20}
    stands_for = Deployment.objects.filter(exclusion_reason="change").values_list("external_id", "part_of__external_id")
    assert dict(stands_for) == {"C1": "D1", "C2": None, "C3": None}
    tell(DeploymentDraft(external_id="D1", repository=SHOP, updated_at=at(1000), deleted=True))
    assert counted() == {"C1": 60, "C2": 560, "C3": 960}
    assert not Deployment.objects.filter(part_of__isnull=False).exists()


def test_change_requests_of_another_service_of_the_repository_count(tell: Tell) -> None:
    tell(change("C1", 0, 60, service="billing"), change("C2", 0, 60, service="shop"))
    tell(deployment("D1", status("success", 20), service="shop"))
    assert counted() == {"D1": 20, "C1": 60}


def test_deployments_elsewhere_or_unfinished_take_no_change_requests_place(tell: Tell) -> None:
    tell(change("C1", 0, 60))
    tell(deployment("D1", status("success", 20), environment="staging"), deployment("D2", status("in_progress", 30)))
    assert counted() == {"C1": 60}


def test_an_incident_of_a_change_request_blames_what_was_deployed_meanwhile(tell: Tell) -> None:
    broken = IncidentDraft(external_id="I1", service="shop", started_at=at(70), caused_by="C1")
    tell(change("C1", 0, 60), broken)
    assert FailedDeployment.objects.get().deployment.external_id == "C1"
    tell(deployment("D1", status("in_progress", 10), status("success", 20), service="shop"))
    failed = FailedDeployment.objects.get()
    assert (failed.deployment.external_id, failed.method) == ("D1", "explicit")


def test_a_change_request_during_which_nothing_was_deployed_says_so(tell: Tell) -> None:
    tell(deployment("D1", status("success", 20), service="shop"), change("C1", 500, 560))
    tell(IncidentDraft(external_id="I1", service="shop", started_at=at(570), caused_by="C1"))
    assert not FailedDeployment.objects.exists()
    incident = Incident.objects.get()
    assert "Nothing was deployed while change request" in uncounted_causes([incident.pk])[incident.pk]


def test_pipelines_that_deploy_take_the_place_of_change_requests(tell: Tell) -> None:
    tell(change("C1", 0, 60, sha="a" * 40))
    tell(
        PipelineRunDraft(
            external_id="7",
            repository=SHOP,
            run="7",
            name="Deploy",
            sha="a" * 40,
            status=RunStatus.SUCCESS,
            started_at=at(8),
            finished_at=at(9),
        )
    )
    assert counted() == {"run:7": 9}
