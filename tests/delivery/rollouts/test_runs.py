"""Pipeline runs that are deployments: by their jobs, branch, trigger and title."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.connectors.drafts import AnyDraft, JobDraft, PipelineRunDraft, ProvidedParts
from integrations.delivery.deployments_of_runs import recompute_all_deployments
from integrations.delivery.mappings.unconfirmed import (
    names_in_use,
    repositories_without_production,
    unconfirmed_deployments,
)
from integrations.delivery.mappings.values_seen import values_seen
from integrations.delivery.set_mapping import set_value_mapping
from integrations.enums import RunStatus
from integrations.models import Connection, Deployment, PipelineRun, Repository, ValueMapping
from tests.intake.conftest import SHOP, Tell
from tests.intake.test_other_facts import MONDAY

pytestmark = pytest.mark.django_db
SUCCESS, FAILURE, SKIPPED = RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.SKIPPED
Subject = ValueMapping.Subject


def at(minutes: int) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def job(name: str, minutes: int, status: RunStatus = SUCCESS) -> JobDraft:
    started_at = None if status == SKIPPED else at(minutes - 5)
    return JobDraft(
        external_id=f"job of {name}",
        name=name,
        status=status,
        native_status=status,
        started_at=started_at,
        finished_at=at(minutes),
    )


def run(name: str = "Deploy", jobs: Sequence[JobDraft] = (), status: RunStatus = SUCCESS, **fields: Any) -> AnyDraft:
    """A run that took an hour."""
    return PipelineRunDraft(
        external_id=f"{name} {fields.get('branch', '')}",
        repository=SHOP,
        run=f"{name} {fields.get('branch', '')}",
        name=name,
        status=status,
        updated_at=at(60),
        started_at=at(0),
        finished_at=None if status == RunStatus.RUNNING else at(60),
        jobs=ProvidedParts(list(jobs)),
        **fields,
    )


def deployed() -> tuple[str, str, int | None, str] | None:
    """The environment, status, minute of the end, and rule of the deployment; None if there is none."""
    found = Deployment.objects.first()
    if found is None:
        return None
    minutes = int((found.finished_at - MONDAY).total_seconds() // 60) if found.finished_at else None
    return found.environment, found.status, minutes, found.rule


@pytest.fixture
def shop(tell: Tell) -> None:
    tell()
    Repository.objects.update(default_branch="main")


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([job("test", 10), job("deploy", 30), job("notify", 50)], ("production", "success", 30, "job")),
        ([job("test", 10), job("deploy", 30, SKIPPED)], None),
        ([job("test", 10, FAILURE), job("deploy", 30, RunStatus.CANCELLED)], None),
        ([job("deploy (eu)", 20), job("deploy (us)", 40)], ("production", "success", 40, "job")),
        ([job("deploy (eu)", 20), job("deploy (us)", 40, FAILURE)], ("production", "failure", 40, "job")),
        ([job("deploy-staging", 20), job("deploy-production", 40)], ("production", "success", 40, "job")),
        ([job("deploy-staging", 20), job("deploy-production", 40, SKIPPED)], None),
        ([job("deploy-staging", 20)], ("staging", "success", 20, "job")),
        ([job("staging", 20), job("production", 40)], ("production", "success", 40, "job")),
        ([job("staging", 20), job("production", 40, SKIPPED)], None),
        ([job("release / deploy to prod", 20), job("e2e", 40, FAILURE)], ("production", "success", 20, "job")),
        ([job("deploy-prod", 20), job("e2e-prod", 40, FAILURE)], ("production", "success", 20, "job")),
        ([job("build (production)", 10), job("deploy (production)", 20, SKIPPED)], None),
        ([job("build-prod", 10), job("Docker image (prod)", 15), job("deploy", 20, SKIPPED)], None),
        ([job("Deploy phoenix", 20, SKIPPED), job("build", 10)], None),
        (
            [job("build", 10), job("post-deploy checks", 20), job("notify deployment", 30)],
            ("production", "success", 60, "default_branch"),
        ),
        ([], ("production", "success", 60, "default_branch")),
    ],
)
def test_a_run_deploys_where_its_deploying_job_ran_and_finishes_with_it(
    tell: Tell, shop: None, jobs: list[JobDraft], expected: tuple[str, str, int, str] | None
) -> None:
    tell(run(jobs=jobs, branch="main", status=SUCCESS))
    assert deployed() == expected


def test_a_run_whose_deploying_job_succeeded_deployed_though_it_failed_afterwards(tell: Tell, shop: None) -> None:
    tell(run(jobs=[job("deploy", 20), job("smoke", 30, FAILURE)], status=FAILURE))
    assert deployed() == ("production", "success", 20, "job")


def test_a_run_deploys_once_its_job_did_though_others_still_run(tell: Tell, shop: None) -> None:
    waiting = JobDraft(external_id="job of deploy", name="deploy", status=RunStatus.QUEUED, native_status="queued")
    tell(run(jobs=[waiting], status=RunStatus.RUNNING))
    assert deployed() == ("production", "running", None, "job")
    tell(run(jobs=[job("deploy", 20)], status=RunStatus.RUNNING))
    assert deployed() == ("production", "success", 20, "job")


@pytest.mark.parametrize(
    ("branch", "rule"),
    [
        ("main", "default_branch"),
        ("refs/heads/main", "default_branch"),
        ("origin/main", "default_branch"),
        ("master", "release_branch"),
        ("release/1.2", "release_branch"),
        ("releases/2026-03", "release_branch"),
        ("release-1.x", "release_branch"),
        ("production", "release_branch"),
        ("v1.2.3", "tag"),
        ("refs/tags/nightly", "tag"),
        ("shop@2.0.0-rc.1", "tag"),
        ("", "unknown_branch"),
        ("feature/login", None),
        ("fix-release-notes", None),
        ("dependabot/npm/left-pad-1.3.0", None),
        ("gh-readonly-queue/main/pr-12-abc", None),
        ("refs/pull/12/merge", None),
    ],
)
def test_where_no_job_deploys_by_name_the_branch_decides(tell: Tell, shop: None, branch: str, rule: str | None) -> None:
    tell(run(jobs=[job("build", 10)], branch=branch))
    assert deployed() == (None if rule is None else ("production", "success", 60, rule))


@pytest.mark.parametrize("jobs", [[], [job("deploy", 20)]])
@pytest.mark.parametrize("trigger", ["pull_request", "pull_request_target", "merge_group", "merge_request_event"])
def test_a_pull_request_or_merge_group_never_deploys(
    tell: Tell, shop: None, github: Connection, trigger: str, jobs: list[JobDraft]
) -> None:
    tell(run(jobs=jobs, branch="main", trigger=trigger))
    set_value_mapping(github, Subject.DEPLOYING, "Deploy", "production")
    assert deployed() is None


def test_a_deploying_job_ran_on_whichever_branch(tell: Tell, shop: None) -> None:
    tell(run(jobs=[job("deploy", 20)], branch="feature/login", trigger="workflow_dispatch"))
    assert deployed() == ("production", "success", 20, "job")


@pytest.mark.parametrize(
    ("pipeline", "jobs", "expected"),
    [
        ("CI", [job("test", 10), job("deploy", 30)], ("production", "success", 30, "job")),
        ("Build and test", [job("deploy-prod", 30)], ("production", "success", 30, "job")),
        ("Shop", [job("deploy to staging", 20), job("deploy to production", 30)], ("production", "success", 30, "job")),
        ("CI", [job("deploy-staging", 20)], ("staging", "success", 20, "job")),
        ("Staging", [job("deploy", 20)], ("staging", "success", 20, "job")),
        ("CI", [job("deploy", 30, FAILURE)], ("production", "failure", 30, "job")),
        ("CI", [job("test", 10), job("deploy", 30, SKIPPED)], None),
        ("CI", [job("test", 10), job("deploy-docs", 30)], None),
        ("CI", [job("Deploy preview", 30)], None),
        ("CI", [job("test-prod", 30)], None),
        ("Docs", [job("deploy", 30)], None),
        ("Shop", [job("deploy", 30)], None),
        ("CI", [job("production", 30)], None),
    ],
)
def test_a_pipeline_that_does_not_deploy_by_its_name_does_by_its_jobs(
    tell: Tell, shop: None, pipeline: str, jobs: list[JobDraft], expected: tuple[str, str, int, str] | None
) -> None:
    tell(run(pipeline, jobs, branch="main"))
    assert deployed() == expected


def test_what_a_job_leaves_open_is_proposed_and_counts_once_confirmed(
    tell: Tell, shop: None, github: Connection
) -> None:
    tell(run("CI", [job("notify deployment", 20), job("release to prod", 30)], branch="main"))
    tell(run("Docs", [job("deploy", 30)], branch="main"))
    used = names_in_use(MONDAY.date(), MONDAY.date() + timedelta(days=1))
    assert deployed() is None
    assert unconfirmed_deployments(used) == (0, 1)
    assert [one.subject for one in repositories_without_production(used)] == [Subject.DEPLOYING]
    proposed = {value.word: value.proposed for value in values_seen(github, Subject.DEPLOYING) if " / " in value.word}
    assert proposed == {"CI / notify deployment": "production", "CI / release to prod": "production"}

    set_value_mapping(github, Subject.DEPLOYING, "CI / notify deployment", "")
    assert set_value_mapping(github, Subject.DEPLOYING, "CI / release to prod", "production") == 1
    assert deployed() == ("production", "success", 30, "job")
    assert {value.word: value.means for value in values_seen(github, Subject.DEPLOYING) if value.is_decided} == {
        "CI / notify deployment": "",
        "CI / release to prod": "production",
    }
    assert unconfirmed_deployments(names_in_use(used.start, used.end)) == (0, 0)

    set_value_mapping(github, Subject.DEPLOYING, "CI / release to prod", None)
    assert deployed() is None


def test_a_pipeline_that_an_admin_says_deploys_nothing_does_not_by_its_jobs(
    tell: Tell, shop: None, github: Connection
) -> None:
    tell(run("CI", [job("deploy", 30)], branch="main"))
    set_value_mapping(github, Subject.DEPLOYING, "CI", "")
    assert deployed() is None
    set_value_mapping(github, Subject.DEPLOYING, "CI", None)
    assert deployed() == ("production", "success", 30, "job")


def test_jobs_that_come_later_make_a_run_a_deployment_and_all_are_found_again(tell: Tell, shop: None) -> None:
    tell(run("CI", [job("test", 10)], branch="main"))
    assert deployed() is None
    tell(run("CI", [job("test", 10), job("deploy", 30)], branch="main"))
    PipelineRun.objects.update(deploying_jobs=[])
    recompute_all_deployments()
    assert deployed() == ("production", "success", 30, "job")
    assert PipelineRun.objects.get().deploying_jobs == ["deploy"]


@pytest.mark.parametrize(
    ("name", "title", "environment"),
    [
        ("Deploy", "Deploy to staging", "staging"),
        ("Deploy", "Deploy to production", "production"),
        ("Deploy", "Deploy to qa", "other"),
        ("Deploy", "Deploy v1.2.3", "production"),
        ("Deploy to production", "Deploy main to staging", "staging"),
        ("Release", "Deploy v1.2 to production", "production"),
        ("Release", "Production notes", None),
    ],
)
def test_the_title_of_a_run_says_where_before_the_name_of_its_pipeline(
    tell: Tell, shop: None, name: str, title: str, environment: str | None
) -> None:
    tell(run(name, branch="main", title=title))
    found = deployed()
    assert (found and found[0]) == environment


def test_an_admin_says_what_a_place_in_a_title_is(tell: Tell, shop: None, github: Connection) -> None:
    set_value_mapping(github, Subject.ENVIRONMENT, "main-cluster", "staging")
    tell(run(branch="main", title="Deploy v1.2 to main-cluster"))
    assert deployed() == ("staging", "success", 60, "default_branch")


def test_the_jobs_of_a_pipeline_that_an_admin_says_deploys_decide_as_well(
    tell: Tell, shop: None, github: Connection
) -> None:
    set_value_mapping(github, Subject.DEPLOYING, "Ship it", "production")
    tell(run("Ship it", [job("deploy", 20, SKIPPED)], branch="main"))
    assert deployed() is None
    tell(run("Ship it", [job("build", 10)], branch="feature/login"))
    assert deployed() is None
    tell(run("Ship it", [job("build", 10)], branch="main"))
    assert deployed() == ("production", "success", 60, "default_branch")
