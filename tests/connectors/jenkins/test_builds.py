"""Builds as Jenkins' API gives them, one field changed at a time."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from integrations.connectors.drafts import MISSING, DeploymentDraft, PipelineRunDraft, ProvidedParts, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.jenkins.builds import normalise_build
from integrations.enums import RunStatus

Payload = dict[str, Any]
BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SHA, MERGE = "a" * 40, "b" * 40
OWN = "git@GitHub.com:acme/shop.git"


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def checkout(remote: str, sha: str, branch: str) -> Payload:
    return {
        "_class": "hudson.plugins.git.util.BuildData",
        "lastBuiltRevision": {"SHA1": sha, "branch": [{"SHA1": sha, "name": branch}]},
        "remoteUrls": [remote],
    }


def cause(name: str, **fields: Any) -> Payload:
    return {"_class": name, **fields}


@pytest.fixture
def payload() -> Payload:
    return {
        "build": {
            "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
            "actions": [
                {},
                {"causes": [cause("hudson.model.Cause$UserIdCause", userId="ada", userName="Ada Admin")]},
                {"_class": "jenkins.metrics.impl.TimeInQueueAction", "queuingDurationMillis": 90_000},
                checkout(OWN, SHA, "refs/remotes/origin/main"),
            ],
            "number": 12,
            "queueId": 814,
            "timestamp": milliseconds(BEGAN),
            "duration": 600_000,
            "building": False,
            "inProgress": False,
            "result": "SUCCESS",
            "url": "https://ci.example.com/jenkins/job/acme/job/shop/12/",
        },
        "job": {"name": "acme/shop", "branch": "", "page": "", "path": "acme/shop"},
    }


def run_of(payload: Payload) -> PipelineRunDraft:
    return cast(PipelineRunDraft, normalise_build(payload)[0])


def deployments_of(payload: Payload) -> list[DeploymentDraft]:
    return [draft for draft in normalise_build(payload) if isinstance(draft, DeploymentDraft)]


def test_a_build_is_a_run(payload: Payload) -> None:
    run = run_of(payload)
    assert (run.name, run.trigger, run.attempt) == ("acme/shop", "manual", 1)
    assert run.run == "ci.example.com/jenkins/job/acme/job/shop/12"
    assert (run.queued_at, run.started_at) == (BEGAN - timedelta(seconds=90), BEGAN)
    assert run.finished_at == BEGAN + timedelta(minutes=10)
    assert run.started_by == Who(login="ada", name="Ada Admin")
    assert (run.repository, run.sha, run.branch) == ("https://github.com/acme/shop", SHA, "main")


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("SUCCESS", RunStatus.SUCCESS),
        ("UNSTABLE", RunStatus.FAILURE),
        ("FAILURE", RunStatus.FAILURE),
        ("ABORTED", RunStatus.CANCELLED),
        ("NOT_BUILT", RunStatus.SKIPPED),
        ("SOMETHING_NEW", RunStatus.OTHER),
        (None, RunStatus.OTHER),  # the controller was stopped
    ],
)
def test_results_mean(payload: Payload, result: str | None, status: RunStatus) -> None:
    payload["build"]["result"] = result
    assert run_of(payload).status == status


@pytest.mark.parametrize("flag", ["building", "inProgress"])
def test_a_running_build_has_no_end_although_its_result_is_set(payload: Payload, flag: str) -> None:
    payload["build"] |= {flag: True, "result": "FAILURE", "duration": 0}
    run = run_of(payload)
    assert (run.status, run.finished_at) == (RunStatus.RUNNING, None)


def test_a_build_that_ran_for_two_months_has_its_duration(payload: Payload) -> None:
    payload["build"]["duration"] = round(timedelta(days=60).total_seconds() * 1000)
    assert run_of(payload).finished_at == BEGAN + timedelta(days=60)


def test_without_the_metrics_plugin_nobody_knows_how_long_a_build_waited(payload: Payload) -> None:
    del payload["build"]["actions"][2]
    assert run_of(payload).queued_at is None


@pytest.mark.parametrize("path", ["timestamp", "number"])
def test_a_renamed_field_is_named_in_the_error(payload: Payload, path: str) -> None:
    del payload["build"][path]
    with pytest.raises(SchemaError, match=rf"build\.{path}"):
        normalise_build(payload)


def test_a_time_that_cannot_be_puts_the_build_into_quarantine(payload: Payload) -> None:
    payload["build"]["timestamp"] = 10**17
    with pytest.raises(SchemaError, match=r"build\.timestamp: lies before 1970"):
        normalise_build(payload)


def test_a_build_keeps_its_id_when_its_job_is_renamed_and_not_when_its_number_comes_again(payload: Payload) -> None:
    first = run_of(payload).external_id
    renamed = copy.deepcopy(payload)
    renamed["job"] |= {"name": "other", "path": "other"}
    assert run_of(renamed).external_id == first
    again = copy.deepcopy(payload)
    again["build"] |= {"queueId": 2, "timestamp": milliseconds(BEGAN) + 1}
    assert run_of(again).external_id != first
    payload["build"]["queueId"] = -1  # imported
    renamed["build"]["queueId"] = -1
    assert run_of(payload).external_id != run_of(renamed).external_id


# Source -------------------------------------------------------------------------------------------------------------


def test_a_library_is_not_the_repository_of_a_build(payload: Payload) -> None:
    library = checkout("https://user:pass@git.example.com/Tools/jenkins-library.git", "c" * 40, "main")
    payload["build"]["actions"].insert(1, library)
    assert run_of(payload).repository == "https://git.example.com/Tools/jenkins-library"
    payload["libraries"] = ["*/jenkins-library"]
    assert run_of(payload).repository == "https://github.com/acme/shop"


def test_in_a_multibranch_project_the_branch_source_says_what_was_built(payload: Payload) -> None:
    payload["build"]["actions"][1:1] = [
        checkout("https://git.example.com/library.git", "c" * 40, "main"),
        {"_class": "jenkins.scm.api.SCMRevisionAction", "revision": {"hash": SHA}},
    ]
    payload["job"] |= {"branch": "feature/cart", "page": "https://github.com/acme/shop/tree/feature/cart"}
    run = run_of(payload)
    assert (run.repository, run.sha, run.branch) == ("https://github.com/acme/shop", SHA, "feature/cart")


def test_the_page_of_the_branch_names_the_repository_where_nothing_is_checked_out(payload: Payload) -> None:
    payload["build"]["actions"] = [{"revision": {"hash": SHA}}]
    payload["job"] |= {"branch": "main", "page": "https://git.example.com/group/shop/-/tree/main"}
    run = run_of(payload)
    assert (run.repository, run.sha) == ("https://git.example.com/group/shop", SHA)


def test_a_pull_request_is_built_as_a_merge_and_counts_as_its_head(payload: Payload) -> None:
    payload["build"]["actions"][3:] = [
        {"revision": {"_class": "…PullRequestSCMRevision", "pullHash": SHA}},
        checkout(OWN, MERGE, "PR-12"),
    ]
    payload["job"] |= {"branch": "PR-12", "page": "https://github.com/acme/shop/pull/12"}
    run = run_of(payload)
    assert (run.sha, run.branch, run.trigger) == (SHA, "PR-12", "pull_request")
    assert run.repository == "https://github.com/acme/shop"


def test_the_pull_request_builder_names_what_it_merged(payload: Payload) -> None:
    parameters = {"parameters": [{"name": "ghprbActualCommit", "value": SHA}]}
    payload["build"]["actions"][3:] = [parameters, checkout(OWN, MERGE, "detached")]
    run = run_of(payload)
    assert (run.sha, run.branch, run.trigger) == (SHA, "", "pull_request")


def test_a_build_without_a_checkout_has_no_repository(payload: Payload) -> None:
    payload["build"]["actions"] = []
    run = run_of(payload)
    assert (run.repository, run.sha, run.branch, run.trigger) == ("", "", "", "")


# Causes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "trigger"),
    [
        (cause("hudson.triggers.TimerTrigger$TimerTriggerCause"), "schedule"),
        (cause("jenkins.branch.BranchEventCause"), "push"),
        (cause("jenkins.branch.BranchIndexingCause"), "branch_indexing"),
        (cause("hudson.model.Cause$UpstreamCause", upstreamProject="acme/lib", upstreamBuild=3), "upstream"),
        (cause("org.example.MoonCause"), "moon"),
    ],
)
def test_causes_are_triggers(payload: Payload, of: Payload, trigger: str) -> None:
    payload["build"]["actions"][1] = {"causes": [of]}
    run = run_of(payload)
    assert (run.trigger, run.started_by) == (trigger, None)


def test_why_a_build_ended_is_not_why_it_began(payload: Payload) -> None:
    interrupted = cause(
        "jenkins.model.CauseOfInterruption$UserInterruption", userId="max", shortDescription="Aborted #3"
    )
    payload["build"]["actions"][1:2] = [{"_class": "jenkins.model.InterruptedBuildAction", "causes": [interrupted]}]
    run = run_of(payload)
    assert (run.trigger, run.started_by) == ("", None)


def test_a_rebuild_is_a_later_attempt_of_the_build_that_it_repeats(payload: Payload) -> None:
    payload["original"] = 9
    run = run_of(payload)
    assert (run.run, run.attempt) == ("ci.example.com/jenkins/job/acme/job/shop/9", 4)


# Stages and configurations ------------------------------------------------------------------------------------------


def stage(id_: str, name: str, status: str, minutes: int, lasts: int = 2) -> Payload:
    began = 0 if status == "NOT_EXECUTED" else milliseconds(BEGAN + timedelta(minutes=minutes))
    return {"id": id_, "name": name, "status": status, "startTimeMillis": began, "durationMillis": lasts * 60_000}


def test_stages_are_jobs_and_the_first_has_the_wait_of_the_build(payload: Payload) -> None:
    assert run_of(payload).jobs is MISSING
    payload["stages"] = [stage("6", "Build", "SUCCESS", 0), stage("11", "Deploy", "NOT_EXECUTED", 2)]
    jobs = cast(ProvidedParts[Any], run_of(payload).jobs).parts
    assert [(one.name, one.status, one.queued_at, one.started_at) for one in jobs] == [
        ("Build", RunStatus.SUCCESS, BEGAN - timedelta(seconds=90), BEGAN),
        ("Deploy", RunStatus.SKIPPED, None, None),
    ]


def test_a_matrix_has_its_configurations_of_the_same_build(payload: Payload) -> None:
    def configuration(name: str, number: int, result: str) -> Payload:
        url = f"https://ci.example.com/job/shop/{name}/{number}/"
        return {"number": number, "url": url, "timestamp": milliseconds(BEGAN), "duration": 1000, "result": result}

    payload["build"]["_class"] = "hudson.matrix.MatrixBuild"
    payload["build"]["runs"] = [
        configuration("JDK=21,OS=a%20b", 12, "SUCCESS"),
        configuration("JDK=17,OS=a%20b", 11, "FAILURE"),
    ]
    (job,) = cast(ProvidedParts[Any], run_of(payload).jobs).parts
    assert (job.name, job.status) == ("JDK=21,OS=a b", RunStatus.SUCCESS)


# Deployments --------------------------------------------------------------------------------------------------------


def test_a_build_deploys_where_a_rule_says_so(payload: Payload) -> None:
    assert deployments_of(payload) == []
    payload["deploys"] = {
        "environment": "prod",
        "service": "cart",
        "repository": "acme/cart",
        "sha": MERGE,
        "stage": "",
    }
    (deployment,) = deployments_of(payload)
    run = run_of(payload)
    assert (deployment.native_environment, deployment.service) == ("prod", "cart")
    assert (deployment.repository, deployment.sha, deployment.run) == ("acme/cart", MERGE, run.run)
    assert (deployment.created_at, deployment.finished_at) == (run.queued_at, run.finished_at)
    assert run.name == "acme/shop → prod"


def test_an_unstable_build_failed_its_tests_and_rolled_out(payload: Payload) -> None:
    """Jenkins goes on after an unstable step, so that what a rule calls a deployment was made."""
    payload["deploys"] = {"environment": "prod"}
    payload["build"]["result"] = "UNSTABLE"
    (deployment,) = deployments_of(payload)
    assert (run_of(payload).status, deployment.status) == (RunStatus.FAILURE, RunStatus.SUCCESS)
    assert deployment.native_status == "UNSTABLE"
    payload["deploys"] = {"environment": "prod", "stage": "Deploy*"}
    payload["stages"] = [stage("6", "Test", "FAILED", 0), stage("11", "Deploy", "UNSTABLE", 2)]
    (deployment,) = deployments_of(payload)
    assert (deployment.job, deployment.status) == ("11", RunStatus.SUCCESS)


@pytest.mark.parametrize(("value", "unplanned"), [("TRUE", True), ("false", False), ("", None), ("perhaps", None)])
def test_a_rule_reads_whether_a_deployment_was_planned(payload: Payload, value: str, unplanned: bool | None) -> None:
    payload["deploys"] = {"environment": "prod", "unplanned": value}
    (deployment,) = deployments_of(payload)
    assert deployment.unplanned is unplanned


def test_every_stage_that_a_rule_names_is_a_deployment_with_its_own_times(payload: Payload) -> None:
    payload["deploys"] = {"environment": "{stage}", "service": "", "repository": "", "sha": "", "stage": "deploy to *"}
    payload["stages"] = [
        stage("6", "Build", "SUCCESS", 0),
        stage("11", "Deploy to staging", "SUCCESS", 2),
        stage("16", "Deploy to prod", "FAILED", 5),
        stage("21", "Deploy to moon", "NOT_EXECUTED", 9),
    ]
    payload["build"]["result"] = "FAILURE"
    staging, production = deployments_of(payload)
    assert (staging.native_environment, staging.status) == ("Deploy to staging", RunStatus.SUCCESS)
    assert (production.native_environment, production.status) == ("Deploy to prod", RunStatus.FAILURE)
    assert production.finished_at == BEGAN + timedelta(minutes=7)
    assert (staging.run, staging.job) == (run_of(payload).run, "11")
    assert run_of(payload).name == "acme/shop"


def test_a_pull_request_deploys_nothing(payload: Payload) -> None:
    payload["deploys"] = {"environment": "prod", "service": "", "repository": "", "sha": "", "stage": ""}
    payload["job"] |= {"branch": "PR-12"}
    assert deployments_of(payload) == []


@pytest.mark.parametrize(
    ("project", "number", "parent"),
    [
        ("deploy-prod", 3, "ci.example.com/jenkins/job/deploy-prod/3"),
        ("acme/release", "41", "ci.example.com/jenkins/job/acme/job/release/41"),
        ("acme/shop/feature%2Fcart", 2, "ci.example.com/jenkins/job/acme/job/shop/job/feature%252fcart/2"),
        ("", 3, ""),
        ("deploy-prod", None, ""),
        ("deploy-prod", "last", ""),
        (["deploy-prod"], {}, ""),
    ],
)
def test_the_build_that_started_it_is_named_as_that_names_itself(
    payload: Payload, project: Any, number: Any, parent: str
) -> None:
    upstream = cause("hudson.model.Cause$UpstreamCause", upstreamProject=project, upstreamBuild=number)
    payload["build"]["actions"][1]["causes"] = [upstream]
    [run] = normalise_build(payload)
    assert isinstance(run, PipelineRunDraft)
    assert run.parent == parent
