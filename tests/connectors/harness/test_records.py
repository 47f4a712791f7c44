"""Executions as Harness answers them, one field changed at a time.

The shapes are those of https://developer.harness.io/docs/platform/pipelines/pipeline-execution-graph and of answers
that Harness' own pages are tested with (Apache-2.0 and public sources, `summaryAPI`, `nodeLayoutForCDStage`), without
their names: https://github.com/harness/mcp-server, client/dto/pipeline.go, has the fields of the list.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.deployment_rules import read_rules
from integrations.connectors.drafts import MISSING, DeploymentDraft, JobDraft, PipelineRunDraft, ProvidedParts, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.harness.deployments import values_of
from integrations.connectors.harness.executions import is_open, normalise_execution, stored_execution
from integrations.enums import RunStatus

PAGE = "https://app.harness.io/ng/#/account/abc/cd/orgs/default/projects/shop"
BEGAN, ENDED = 1_663_235_127_448, 1_663_235_297_370
STAGE = {
    "nodeType": "Deployment",
    "nodeGroup": "STAGE",
    "nodeIdentifier": "stg1",
    "name": "Deploy",
    "nodeUuid": "T1YNliaDQZyO9Zdx9MNVSA",
    "status": "Success",
    "module": "cd",
    "moduleInfo": {
        "cd": {
            "__recast": "io.harness.cdng.pipeline.executions.beans.CDStageModuleInfo",
            "serviceInfo": {
                "identifier": "cart",
                "displayName": "Cart",
                "deploymentType": "Kubernetes",
                "gitOpsEnabled": False,
                "artifacts": {
                    "primary": {"imagePath": "acme/cart", "tag": "v2.1.0"},
                    "artifactDisplayName": "acme/cart:v2.1.0",
                    "sidecars": [],
                },
            },
            "infraExecutionSummary": {
                "identifier": "prod",
                "name": "prod-eu",
                "type": "Production",
                "infrastructureIdentifier": "k8s",
                "infrastructureName": "k8s",
            },
        }
    },
    "startTs": 1_663_235_142_144,
    "endTs": 1_663_235_285_897,
    "failureInfo": {"message": ""},
    "nodeExecutionId": "Mp5t0DYrTpuHlhcxDIt71Q",
    "isRollbackStageNode": False,
}
BUILD = {
    "branch": "main",
    "buildType": "branch",
    "repoName": "cart",
    "ciExecutionInfoDTO": {
        "event": "branch",
        "branch": {
            "commits": [
                {
                    "id": "94AC03bab518b7c6ddab3c4e67928106d743859c",
                    "link": "https://github.com/acme/cart/commit/94ac03bab518b7c6ddab3c4e67928106d743859c",
                    "message": "Weigh the basket",
                    "ownerName": "Ada",
                    "timeStamp": 1_684_997_170_000,
                }
            ]
        },
    },
    "scmDetailsList": [{"scmUrl": "https://github.com/", "scmProvider": "Github", "scmAuthType": "Http"}],
}


@pytest.fixture
def execution() -> dict[str, Any]:
    return deepcopy(
        {
            "pipelineIdentifier": "deploy_cart",
            "orgIdentifier": "default",
            "projectIdentifier": "shop",
            "planExecutionId": "vIe0Ty1ITZyECOAgxnLfXA",
            "name": "Deploy cart",
            "status": "Success",
            "tags": [],
            "executionTriggerInfo": {
                "triggerType": "MANUAL",
                "triggeredBy": {
                    "uuid": "MjArarjBTP27Rxaxwc6HYA",
                    "identifier": "Ada Admin",
                    "extraInfo": {"email": "ada@example.com"},
                },
                "isRerun": False,
            },
            "moduleInfo": {"cd": {"envIdentifiers": ["prod"], "serviceIdentifiers": ["cart"]}},
            "layoutNodeMap": {
                "MGAUTu8YR2yn5E2io7MIkQ": {
                    "nodeType": "PipelineRollback",
                    "nodeGroup": "STAGE",
                    "nodeIdentifier": "prb-ItXCzivIQu27iNOc9eRTkQ",
                    "name": "Pipeline Rollback",
                    "status": "NotStarted",
                    "moduleInfo": {"pms": {}},
                },
                "T1YNliaDQZyO9Zdx9MNVSA": STAGE,
            },
            "startTs": BEGAN,
            "endTs": ENDED,
            "createdAt": BEGAN + 59,
            "runSequence": 4,
            "executionMode": "NORMAL",
            "parentStageInfo": {"hasparentpipeline": False, "executionid": ""},
            "gitDetails": {"repoName": "pipelines", "commitId": "of the pipeline's own file", "branch": "main"},
        }
    )


def drafts(execution: dict[str, Any], rules: str = "", **parts: Any) -> tuple[PipelineRunDraft, list[DeploymentDraft]]:
    stored = stored_execution(execution)
    payload = {
        "execution": stored,
        "project": {"page": PAGE},
        "deploys": dict(values_of(stored, read_rules(rules))),
        **parts,
    }
    run, *deployments = normalise_execution(payload)
    assert isinstance(run, PipelineRunDraft)
    return run, [one for one in deployments if isinstance(one, DeploymentDraft)]


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def stage_of(execution: dict[str, Any]) -> dict[str, Any]:
    stage: dict[str, Any] = execution["layoutNodeMap"]["T1YNliaDQZyO9Zdx9MNVSA"]
    return stage


def deploys(execution: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stage_of(execution)["moduleInfo"]["cd"]
    return found


def test_an_execution_is_a_run_with_its_stages(execution: dict[str, Any]) -> None:
    run, _ = drafts(execution)
    stage = JobDraft(
        external_id="T1YNliaDQZyO9Zdx9MNVSA",
        name="Deploy",
        status=RunStatus.SUCCESS,
        native_status="Success",
        queued_at=at(BEGAN),
        started_at=at(1_663_235_142_144),
        finished_at=at(1_663_235_285_897),
    )
    assert run == PipelineRunDraft(
        external_id="vIe0Ty1ITZyECOAgxnLfXA",
        updated_at=at(ENDED),
        repository="",
        run="vIe0Ty1ITZyECOAgxnLfXA",
        parent="",
        name="Deploy cart",
        status=RunStatus.SUCCESS,
        native_status="Success",
        url=f"{PAGE}/pipelines/deploy_cart/executions/vIe0Ty1ITZyECOAgxnLfXA/pipeline",
        trigger="manual",
        sha="",
        branch="",
        started_by=Who(account="MjArarjBTP27Rxaxwc6HYA", email="ada@example.com", name="Ada Admin"),
        queued_at=at(BEGAN),
        started_at=at(1_663_235_142_144),
        finished_at=at(ENDED),
        jobs=ProvidedParts([stage]),
    )


def test_a_stage_that_deploys_is_a_deployment(execution: dict[str, Any]) -> None:
    run, (deployment,) = drafts(execution)
    assert deployment == DeploymentDraft(
        external_id="vIe0Ty1ITZyECOAgxnLfXA/cart/prod",
        updated_at=at(1_663_235_285_897),
        repository="",
        native_environment="prod-eu",
        is_production=True,
        is_transient=None,
        service="Cart",
        status=RunStatus.SUCCESS,
        native_status="Success",
        sha="v2.1.0",
        ref="acme/cart:v2.1.0",
        url=run.url,
        deployed_by=run.started_by,
        created_at=at(1_663_235_142_144),
        started_at=at(1_663_235_142_144),
        finished_at=at(1_663_235_285_897),
        unplanned=None,
        run="vIe0Ty1ITZyECOAgxnLfXA",
        parent="",
        job="T1YNliaDQZyO9Zdx9MNVSA",
    )


def test_a_build_names_its_commit_and_repository(execution: dict[str, Any]) -> None:
    execution["moduleInfo"]["ci"] = deepcopy(BUILD)
    execution["executionTriggerInfo"]["triggerType"] = "WEBHOOK"
    run, (deployment,) = drafts(execution)
    sha = "94ac03bab518b7c6ddab3c4e67928106d743859c"
    assert (run.repository, run.sha, run.branch, run.trigger) == ("https://github.com/acme/cart", sha, "main", "push")
    assert (deployment.repository, deployment.sha) == ("https://github.com/acme/cart", sha)


@pytest.mark.parametrize(
    ("changed", "repository"),
    [
        ({"link": "https://gitlab.com/acme/shop/cart/-/commit/94ac"}, "https://gitlab.com/acme/shop/cart"),
        ({"link": "https://bitbucket.org/acme/cart/commits/94ac"}, "https://bitbucket.org/acme/cart"),
        ({"link": None}, "cart"),  # the connector is of the whole host: its address names no repository
        ({"link": "no address"}, "cart"),
    ],
)
def test_the_repository_is_that_of_the_commits_page(
    execution: dict[str, Any], changed: dict[str, Any], repository: str
) -> None:
    execution["moduleInfo"]["ci"] = deepcopy(BUILD)
    execution["moduleInfo"]["ci"]["ciExecutionInfoDTO"]["branch"]["commits"][0].update(changed)
    assert drafts(execution)[0].repository == repository


def test_the_repository_of_a_connector_of_one_repository(execution: dict[str, Any]) -> None:
    execution["moduleInfo"]["ci"] = {"scmDetailsList": [{"scmUrl": "https://git.example.com/acme/cart.git"}]}
    assert drafts(execution)[0].repository == "https://git.example.com/acme/cart"


def test_the_build_of_a_pull_request(execution: dict[str, Any]) -> None:
    pull = {
        "id": 26,
        "link": "https://github.com/acme/cart/pull/26",
        "sourceBranch": "ada-patch-8",
        "targetBranch": "main",
        "commits": [],
    }
    info = {"event": "pullRequest", "pullRequest": pull}
    execution["moduleInfo"]["ci"] = {**deepcopy(BUILD), "branch": "main", "ciExecutionInfoDTO": info}
    run, _ = drafts(execution)
    assert (run.trigger, run.branch, run.repository) == ("pull_request", "ada-patch-8", "https://github.com/acme/cart")


def test_the_file_of_the_pipeline_is_no_code_that_is_deployed(execution: dict[str, Any]) -> None:
    run, (deployment,) = drafts(execution)
    assert (run.repository, run.sha, deployment.repository) == ("", "", "")


@pytest.mark.parametrize(
    ("native", "status"),
    [
        ("Failed", RunStatus.FAILURE),
        ("Errored", RunStatus.FAILURE),
        ("Expired", RunStatus.FAILURE),
        ("Aborted", RunStatus.CANCELLED),
        ("AbortedByFreeze", RunStatus.CANCELLED),
        ("ApprovalRejected", RunStatus.CANCELLED),
        ("IgnoreFailed", RunStatus.SUCCESS),
        ("Running", RunStatus.RUNNING),
        ("ApprovalWaiting", RunStatus.RUNNING),
        ("SomethingNew", RunStatus.OTHER),
    ],
)
def test_statuses_of_stages_and_executions(execution: dict[str, Any], native: str, status: RunStatus) -> None:
    execution["status"] = stage_of(execution)["status"] = native
    run, (deployment,) = drafts(execution)
    assert (run.status, run.native_status) == (deployment.status, deployment.native_status) == (status, native)
    assert is_open(execution) == (status in (RunStatus.RUNNING, RunStatus.OTHER))
    assert (run.finished_at is None, deployment.finished_at is None) == (status is RunStatus.RUNNING,) * 2


@pytest.mark.parametrize("native", ["NotStarted", "Queued", "Skipped", "ResourceWaiting"])
def test_a_stage_that_deployed_nothing_is_no_deployment(execution: dict[str, Any], native: str) -> None:
    stage_of(execution)["status"] = native
    assert drafts(execution)[1] == []


def test_a_stage_that_failed_before_it_knew_where_to_is_a_failed_run_alone(execution: dict[str, Any]) -> None:
    stage_of(execution).update(status="Failed", moduleInfo={"cd": {}})
    execution["status"] = "Failed"
    run, deployments = drafts(execution)
    assert (run.status, deployments) == (RunStatus.FAILURE, [])


def test_a_running_execution_has_an_end_that_is_none(execution: dict[str, Any]) -> None:
    execution["status"] = "Running"
    run, (deployment,) = drafts(execution)
    assert (run.finished_at, run.updated_at) == (None, at(1_663_235_285_897))
    assert deployment.status is RunStatus.SUCCESS  # that stage has ended, and another one goes on


def test_the_pattern_of_a_matrix_is_no_stage_and_its_stages_are(execution: dict[str, Any]) -> None:
    """A matrix has a node of its own, the pattern that it repeats, and one node each, which share the `nodeUuid`."""
    stage = stage_of(execution)
    execution["layoutNodeMap"] = {
        "44JQt5CEQ3-7CyzD6owVLw": {**stage, "nodeType": "MATRIX", "nodeGroup": "STRATEGY"},
        "2mLikIKhQnCNGXbqnTuiIw": {key: stage[key] for key in ("nodeType", "nodeGroup", "name")}
        | {"status": "NotStarted"},
        "1Qtv_FndSPq_nPet4q8o4Q": {**stage, "name": "Deploy_cart", "startTs": stage["startTs"] + 5},
        "HgvdaNqgRFWrfQ97blszeA": {**deepcopy(stage), "name": "Deploy_search"},
    }
    of = execution["layoutNodeMap"]["HgvdaNqgRFWrfQ97blszeA"]["moduleInfo"]["cd"]["serviceInfo"]
    of.update(identifier="search", displayName="Search")
    run, deployments = drafts(execution)
    assert isinstance(run.jobs, ProvidedParts)
    assert [job.name for job in run.jobs.parts] == ["Deploy_search", "Deploy_cart"]
    assert [one.external_id.partition("/")[2] for one in deployments] == ["search/prod", "cart/prod"]


def test_two_stages_of_one_service_and_environment_are_two_parts(execution: dict[str, Any]) -> None:
    execution["layoutNodeMap"]["second"] = {**stage_of(execution), "startTs": stage_of(execution)["endTs"]}
    _, deployments = drafts(execution)
    assert [one.external_id for one in deployments] == [
        "vIe0Ty1ITZyECOAgxnLfXA/cart/prod",
        "vIe0Ty1ITZyECOAgxnLfXA/cart/prod/second",
    ]


def test_gitops_brings_a_change_to_several_environments(execution: dict[str, Any]) -> None:
    found = deploys(execution)
    del found["infraExecutionSummary"]
    places = [{"identifier": "prod", "name": "Prod"}, {"identifier": "account.qa", "name": "QA"}]
    found["gitOpsExecutionSummary"] = {"environments": places, "clusters": []}
    _, deployments = drafts(execution, types={"prod": "Production", "account.qa": "PreProduction"})
    assert [(one.native_environment, one.is_production) for one in deployments] == [("Prod", True), ("QA", False)]


@pytest.mark.parametrize(("kind", "is_production"), [("Production", True), ("PreProduction", False), (None, None)])
def test_production_is_what_harness_says(
    execution: dict[str, Any], kind: str | None, is_production: bool | None
) -> None:
    deploys(execution)["infraExecutionSummary"]["type"] = kind
    assert drafts(execution)[1][0].is_production is is_production


# Rollbacks ------------------------------------------------------------------------------------------------------------


def test_a_pipeline_that_took_everything_back_has_failed_deployments(execution: dict[str, Any]) -> None:
    execution["status"] = "Failed"
    rollback = execution["layoutNodeMap"]["MGAUTu8YR2yn5E2io7MIkQ"]
    _, (usual,) = drafts(execution)
    rollback.update(status="Success", startTs=ENDED - 5, endTs=ENDED)
    _, (deployment,) = drafts(execution)
    assert usual.status is RunStatus.SUCCESS
    assert (deployment.status, deployment.native_status) == (RunStatus.FAILURE, "Success, rolled back")


def test_a_rollback_after_the_end_is_unplanned_and_its_commit_unknown(execution: dict[str, Any]) -> None:
    execution["executionMode"] = "POST_EXECUTION_ROLLBACK"
    _, (deployment,) = drafts(execution, "*: environment={environment}, sha={tag}")
    assert (deployment.unplanned, deployment.sha, deployment.rollback_of) == (True, "", MISSING)


@pytest.mark.parametrize("tag", ["revert_execution_id", "reverted_execution_id"])
def test_a_pipeline_that_restores_names_what_it_takes_back(execution: dict[str, Any], tag: str) -> None:
    """By the tag of Harness' own figures: docs/continuous-delivery/monitor-deployments/dora-metrics-dashboard."""
    execution["tags"] = [{"key": "team", "value": "a"}, {"key": tag, "value": "Q0bizp0QTM6xtB1FZsR0zQ"}]
    _, (deployment,) = drafts(execution)
    assert (deployment.rollback_of, deployment.unplanned) == ("Q0bizp0QTM6xtB1FZsR0zQ/cart/prod", True)
    assert deployment.sha == "v2.1.0"


def test_a_stage_that_a_rollback_repeats_deploys_nothing(execution: dict[str, Any]) -> None:
    stage_of(execution)["isRollbackStageNode"] = True
    assert drafts(execution)[1] == []


# Retries, chains, people ----------------------------------------------------------------------------------------------


def test_a_retry_is_a_later_attempt_of_the_first(execution: dict[str, Any]) -> None:
    execution["retryExecutionMetadata"] = {"parentExecutionId": "second", "rootExecutionId": "first"}
    run, (deployment,) = drafts(execution)
    assert (run.external_id, run.run, run.attempt) == ("vIe0Ty1ITZyECOAgxnLfXA", "first", 4)
    assert deployment.run == "first"


def test_a_pipeline_within_another_one_names_it(execution: dict[str, Any]) -> None:
    execution["parentStageInfo"] = {"hasparentpipeline": True, "executionid": "o5Uh21MURyukP5P18wu9JQ"}
    run, (deployment,) = drafts(execution)
    assert run.parent == deployment.parent == "o5Uh21MURyukP5P18wu9JQ"


@pytest.mark.parametrize("kind", ["SCHEDULER_CRON", "ARTIFACT", "MANIFEST"])
def test_nobody_started_what_a_trigger_started(execution: dict[str, Any], kind: str) -> None:
    execution["executionTriggerInfo"]["triggerType"] = kind
    run, (deployment,) = drafts(execution)
    assert (run.started_by, deployment.deployed_by) == (None, None)


def test_the_systems_account_is_nobodys(execution: dict[str, Any]) -> None:
    execution["executionTriggerInfo"]["triggeredBy"]["uuid"] = "systemUser"
    assert drafts(execution)[0].started_by == Who(email="ada@example.com", name="Ada Admin")


# Rules ----------------------------------------------------------------------------------------------------------------


def test_a_rule_names_repository_and_commit_of_what_is_deployed(execution: dict[str, Any]) -> None:
    deploys(execution)["serviceInfo"]["artifacts"]["primary"]["tag"] = "94AC03b"
    execution["tags"] = [{"key": "hotfix", "value": "true"}]
    rules = "*/cart: environment={environment}, repository={image}, sha={tag}, unplanned={hotfix}"
    run, (deployment,) = drafts(execution, rules)
    assert (deployment.repository, deployment.sha, deployment.unplanned) == ("acme/cart", "94ac03b", True)
    assert (deployment.is_production, deployment.service) == (True, "Cart")
    assert (run.repository, run.sha) == ("acme/cart", "94ac03b")  # a run that built nothing is where it deploys


def test_a_rule_for_another_service_says_nothing(execution: dict[str, Any]) -> None:
    rules = "*/search: environment=elsewhere\ndeploy_cart/cart: environment={region}\n*: environment=x, stage=Test*"
    _, (deployment,) = drafts(execution, rules)
    assert (deployment.native_environment, deployment.is_production) == ("prod-eu", True)


def test_an_environment_of_a_rule_is_not_harness_own(execution: dict[str, Any]) -> None:
    _, (deployment,) = drafts(execution, "*: environment=live, stage=De*, service={stage}")
    assert (deployment.native_environment, deployment.is_production, deployment.service) == ("live", None, "Deploy")


# What is not as documented --------------------------------------------------------------------------------------------


def test_without_an_id_the_error_names_it(execution: dict[str, Any]) -> None:
    del execution["planExecutionId"]
    with pytest.raises(SchemaError, match="planExecutionId"):
        drafts(execution)


@pytest.mark.parametrize("odd", [None, 7, "x", [], [7]])
def test_stages_of_another_shape_leave_the_run(execution: dict[str, Any], odd: Any) -> None:
    execution["layoutNodeMap"] = odd
    run, deployments = drafts(execution)
    assert (run.external_id, deployments) == ("vIe0Ty1ITZyECOAgxnLfXA", [])


def test_long_identifiers_make_no_id_that_is_too_long(execution: dict[str, Any]) -> None:
    found = deploys(execution)
    ids = set()
    for end in "ab":
        found["serviceInfo"]["identifier"] = "s" * 127 + end
        found["infraExecutionSummary"]["identifier"] = "e" * 128
        ids.add(drafts(execution)[1][0].external_id)
    assert (len(ids), max(map(len, ids)) <= 200) == (2, True)


def test_no_words_of_people_are_stored(execution: dict[str, Any]) -> None:
    execution["moduleInfo"]["ci"] = deepcopy(BUILD)
    stage_of(execution)["failureInfo"]["message"] = "secret of a log"
    assert "Weigh the basket" not in str(stored_execution(execution))
    assert "secret of a log" not in str(stored_execution(execution))
