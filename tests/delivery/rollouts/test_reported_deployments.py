"""Deployments and runs as GitHub reports them, by list and by webhook: which rollouts count, and when they finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from integrations.connectors.drafts import AnyDraft
from integrations.connectors.github.actions import normalise_job, normalise_run
from integrations.connectors.github.deployments import normalise_deployment
from integrations.delivery.mappings.environments import proposed_deploying
from integrations.models import Deployment, Repository
from tests.intake.conftest import SHOP, Tell

pytestmark = pytest.mark.django_db

Status = tuple[str, str] | tuple[str, str, Any]  # state, time, and the environment that the status names
REPOSITORY = {"id": SHOP, "html_url": "https://github.com/acme/shop"}
SHA = "b" * 40


def moment(time: str) -> str:
    return f"2026-03-02T{time}:00Z"


def deployment(fields: Mapping[str, Any]) -> dict[str, Any]:
    usual = {"id": 1, "environment": "production", "sha": SHA, "ref": "main", "task": "deploy", "payload": {}}
    usual |= {"created_at": moment("09:00"), "updated_at": moment("09:00"), "production_environment": False}
    return {**usual, "transient_environment": False, **fields}


def status(written: Status) -> dict[str, Any]:
    state, time, *environment = written
    named = {"environment": environment[0]} if environment else {}
    return {"state": state, "created_at": moment(time), **named}


def finished() -> list[str]:
    """The end of each counted rollout to production."""
    counted = Deployment.objects.filter(environment="production", status="success", exclusion_reason="")
    times = counted.filter(deleted_at=None).order_by("finished_at").values_list("finished_at", flat=True)
    return [f"{time:%H:%M}" for time in times if time]


DEPLOYMENTS: Mapping[str, tuple[Mapping[str, Any], Sequence[Status], Sequence[str]]] = {
    "the usual one": ({}, [("queued", "09:01"), ("in_progress", "09:02"), ("success", "09:10")], ["09:10"]),
    "waited for an approval": ({}, [("waiting", "09:01"), ("success", "09:10")], ["09:10"]),
    "a migration": ({"task": "deploy:migrate"}, [("success", "09:10")], []),
    "a seed": ({"task": "db:seed"}, [("success", "09:10")], []),
    "a lock": ({"task": "deploy-lock"}, [("success", "09:10")], []),
    "a rollback": ({"task": "rollback"}, [("success", "09:10")], ["09:10"]),
    "no task": ({"task": None}, [("success", "09:10")], ["09:10"]),
    "a task that is none": ({"task": 7}, [("success", "09:10")], ["09:10"]),
    "users meet it": (
        {"environment": "main-cluster", "production_environment": True},
        [("success", "09:10")],
        ["09:10"],
    ),
    "its name counts before that": (
        {"environment": "staging", "production_environment": True},
        [("success", "09:10")],
        [],
    ),
    "said as text": ({"environment": "blue", "production_environment": "true"}, [("success", "09:10")], []),
    "promoted through three": (
        {},
        [
            *(("success", "09:10", "dev"), ("success", "11:10", "staging")),
            *(("in_progress", "13:00", "production"), ("success", "13:10", "production")),
        ],
        ["13:10"],
    ),
    "promoted and taken back to staging": (
        {"environment": "staging"},
        [("success", "09:10", "staging"), ("success", "13:10", "production"), ("success", "15:00", "staging")],
        ["13:10"],
    ),
    "promotion failed": ({}, [("success", "09:10", "staging"), ("failure", "13:10", "production")], []),
    "two regions": (
        {"environment": "prod-eu"},
        [("success", "09:10", "prod-eu"), ("success", "09:40", "prod-us")],
        ["09:10"],
    ),
    "failed, then active": ({}, [("failure", "09:10"), ("success", "12:00")], ["12:00"]),
    "failed": ({}, [("error", "09:10")], []),
    "said twice": ({}, [("success", "09:10"), ("success", "12:00")], ["09:10"]),
    "active again": ({}, [("success", "09:10"), ("inactive", "12:00"), ("success", "15:00")], ["09:10", "15:00"]),
    "failed and active again": (
        {},
        [("success", "09:10"), ("failure", "12:00"), ("success", "15:00")],
        ["09:10", "15:00"],
    ),
    "replaced before it ended": ({}, [("in_progress", "09:10"), ("inactive", "12:00")], []),
    "in one second": ({}, [("in_progress", "09:10"), ("success", "09:10")], ["09:10"]),
    "for itself alone, and production by its name": (
        {"transient_environment": True},
        [("success", "09:10")],
        ["09:10"],
    ),
    "a status without environment": ({}, [("success", "09:10", None)], ["09:10"]),
    "a status whose environment is a number": ({}, [("success", "09:10", 5)], ["09:10"]),
    "a status whose environment is an object": ({}, [("success", "09:10", {"name": "production"})], ["09:10"]),
    "a status of a preview": ({}, [("success", "09:10", "preview")], []),
}


@pytest.mark.parametrize("case", DEPLOYMENTS)
@pytest.mark.parametrize("order", [None, 1, -1], ids=["list", "webhooks", "webhooks backwards"])
def test_deployments_say_what_they_are(tell: Tell, case: str, order: int | None) -> None:
    fields, statuses, expected = DEPLOYMENTS[case]
    if order is None:
        listed = [status(one) for one in statuses][::-1]
        tell(*normalise_deployment({"deployment": deployment(fields), "statuses": listed, "repository": REPOSITORY}))
    for one in statuses[::order] if order else ():
        of_status = {**deployment(fields), "updated_at": moment(one[1])}
        payload = {"deployment": of_status, "deployment_status": status(one), "repository": REPOSITORY}
        tell(*normalise_deployment(payload))
    assert finished() == expected


def job(
    number: int, name: str, conclusion: str = "success", begin: str = "10:00", end: str = "10:05"
) -> dict[str, Any]:
    times = {"created_at": moment(begin), "started_at": moment(begin), "completed_at": moment(end)}
    return {"id": number, "name": name, "status": "completed", "conclusion": conclusion, **times}


def run(*jobs: dict[str, Any], attempt: int = 1, **fields: Any) -> Sequence[AnyDraft]:
    """A run of Deploy that took an hour."""
    usual = {"id": 5, "name": "Deploy", "event": "push", "head_branch": "main", "head_sha": SHA, "status": "completed"}
    usual |= {"conclusion": "success", "created_at": moment("09:59"), "run_started_at": moment("10:00")}
    usual |= {"updated_at": moment("11:00"), "repository": {"id": SHOP}, "run_attempt": attempt}
    return normalise_run({"workflow_run": {**usual, **fields}, "jobs": list(jobs)})


DISPATCHED = {"event": "workflow_dispatch"}
RUNS: Mapping[str, tuple[Mapping[str, Any], Sequence[dict[str, Any]], Sequence[tuple[str, str, str]]]] = {
    "on main": ({}, [], [("production", "success", "11:00")]),
    "on a tag of one number": ({"head_branch": "v42"}, [], [("production", "success", "11:00")]),
    "on a tag of a day": ({"head_branch": "2026.03.05"}, [], [("production", "success", "11:00")]),
    "its branch is gone": ({"head_branch": None}, [], [("production", "success", "11:00")]),
    "on a hotfix branch": ({"head_branch": "hotfix/1"}, [], []),
    "on the branch of a release bot": ({"head_branch": "release-please--branches--main"}, [], []),
    "by hand from a feature": ({**DISPATCHED, "head_branch": "feature/x"}, [job(1, "build")], []),
    "a called workflow": (
        {**DISPATCHED, "head_branch": "feature/x"},
        [job(1, "build"), job(2, "deploy-prod / deploy", begin="10:10", end="10:20")],
        [("production", "success", "10:20")],
    ),
    "of a merge queue": ({"event": "merge_group"}, [job(1, "deploy")], []),
    "of a pull request": ({"event": "pull_request_target"}, [job(1, "deploy")], []),
    "its job timed out": (
        {"conclusion": "failure"},
        [job(1, "deploy", "timed_out")],
        [("production", "failure", "10:05")],
    ),
    "its job was cancelled": ({"conclusion": "cancelled"}, [job(1, "build"), job(2, "deploy", "cancelled")], []),
    "only asked whether to deploy": ({}, [job(1, "should-deploy"), job(2, "deploy", "skipped")], []),
    "only announced it": ({"head_branch": "feature/x"}, [job(1, "notify deployment")], []),
    "to one environment after the other": (
        {"conclusion": "failure"},
        [job(1, "deploy (dev)"), job(2, "deploy (prod)", "failure", "10:06", "10:09")],
        [("production", "failure", "10:09")],
    ),
    "titled after staging": (
        {**DISPATCHED, "display_title": "Deploy api to staging"},
        [job(1, "deploy")],
        [("staging", "success", "10:05")],
    ),
    "titled after staging, and what it is for": (
        {**DISPATCHED, "display_title": "Deploy to staging: prepare production"},
        [job(1, "deploy")],
        [("staging", "success", "10:05")],
    ),
    "titled after production, and what it brings": (
        {**DISPATCHED, "display_title": "Deploy to production: add tests"},
        [],
        [("production", "success", "11:00")],
    ),
    "titled after the environment in brackets": (
        {**DISPATCHED, "display_title": "[dev] deploy main"},
        [],
        [("other", "success", "11:00")],
    ),
    "titled after its release": (
        {"event": "release", "head_branch": "v2.0", "display_title": "Testing improvements 2.0"},
        [],
        [("production", "success", "11:00")],
    ),
    "titled after its commit": (
        {"display_title": "Add staging config", "head_commit": {"message": "Add staging config\n\nSo."}},
        [],
        [("production", "success", "11:00")],
    ),
}


@pytest.mark.parametrize("case", RUNS)
def test_runs_deploy_where_they_say(tell: Tell, case: str) -> None:
    tell()
    Repository.objects.update(default_branch="main")
    fields, jobs, expected = RUNS[case]
    tell(*run(*jobs, **fields))
    found = Deployment.objects.filter(deleted_at=None).order_by("finished_at")
    assert [(one.environment, one.status, f"{one.finished_at:%H:%M}") for one in found] == expected


def test_a_job_that_is_run_again_repairs_the_run(tell: Tell) -> None:
    """GitHub lists the jobs that are not repeated with the later attempt, too, with their own times."""
    eu = job(1, "deploy-eu")
    tell(*run(eu, job(2, "deploy-us", "failure", end="10:07"), conclusion="failure", updated_at=moment("10:08")))
    assert finished() == []
    tell(*run(eu, job(3, "deploy-us", begin="10:30", end="10:37"), attempt=2, updated_at=moment("10:38")))
    assert finished() == ["10:37"]


def test_a_run_that_went_well_and_is_run_again_is_another_rollout(tell: Tell) -> None:
    tell(*run(job(1, "deploy")))
    tell(*run(job(2, "deploy", begin="14:00", end="14:05"), attempt=2, updated_at=moment("14:08")))
    assert finished() == ["10:05", "14:05"]


def test_a_job_that_arrives_before_its_run(tell: Tell) -> None:
    of_run = {"run_id": 5, "run_attempt": 1, "workflow_name": "Deploy", "head_sha": SHA, "head_branch": "main"}
    tell(*normalise_job({"workflow_job": {**job(9, "deploy"), **of_run}, "repository": REPOSITORY}))
    tell(*run(job(9, "deploy"), job(10, "notify")))
    assert finished() == ["10:05"]


def test_a_pipeline_that_deploys_at_night_or_for_the_night_is_proposed(tell: Tell) -> None:
    tell(*run(name="Nightly deploy", event="schedule"))
    assert finished() == []
    assert proposed_deploying("Nightly deploy") == "production"
