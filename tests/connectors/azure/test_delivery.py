"""Builds and deployments of Azure Pipelines as drafts.

https://learn.microsoft.com/rest/api/azure/devops/build/builds/list, /build/timeline/get and
/environments/environmentdeployment-records/list name the fields; apache/devlake 7048 asks for the newest builds first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from demo.providers import faults
from demo.providers.azure_server import AzureServer
from demo.providers.faults import Answer, Fault
from integrations.connectors.azure.connector import AzureDevOps
from integrations.connectors.azure.deployments import normalise_deployment
from integrations.connectors.azure.pipelines import normalise_build, trimmed
from integrations.connectors.base import Page, Settings
from integrations.connectors.drafts import MISSING, DeploymentDraft, PipelineRunDraft, ProvidedParts
from integrations.connectors.errors import PermanentError
from integrations.enums import Kind, ResourceKind, RunStatus
from tests.connectors.github.histories import with_deployments
from tests.connectors.reading import TOKEN, drafts_of, only_resource, read_pages
from tests.demo.small_history import BEGIN, DAY, HOUR, small_history

BUILD = {
    "id": 7,
    "status": "completed",
    "result": "succeeded",
    "queueTime": "2026-03-02T10:00:00Z",
    "startTime": "2026-03-02T10:01:00Z",
    "finishTime": "2026-03-02T10:09:00Z",
    "definition": {"id": 3, "name": "CI", "path": "\\"},
    "repository": {"id": "acme/web", "type": "GitHub", "url": "https://github.com/acme/web.git"},
    "sourceBranch": "refs/pull/12/merge",
    "sourceVersion": "m" * 40,
    "triggerInfo": {"pr.sourceSha": "a" * 40, "pr.sourceBranch": "refs/heads/feature", "ci.message": "Not to be kept"},
    "reason": "pullRequest",
}


@pytest.fixture
def azure() -> Iterator[AzureServer]:
    with AzureServer(small_history(), token=TOKEN) as server:
        yield server


def pages_of(azure: AzureServer, kind: Kind, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = AzureDevOps(Settings({"base_url": azure.url}, {"token": TOKEN}))
    project = only_resource(of, ResourceKind.PROJECT)
    azure.requests.clear()
    return read_pages(of, project, kind, cursor, now=azure.at)


def test_a_build_for_a_pull_request_is_of_its_head_and_not_of_the_trial_merge() -> None:
    (found,) = normalise_build({"build": trimmed(BUILD)})
    assert (found.sha, found.branch, found.trigger) == ("a" * 40, "feature", "pullRequest")
    assert "Not to be kept" not in str(trimmed(BUILD))


def test_a_repository_elsewhere_is_named_by_its_address() -> None:
    (found,) = normalise_build({"build": trimmed(BUILD)})
    assert found.repository == "https://github.com/acme/web.git"


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("succeeded", RunStatus.SUCCESS),
        ("partiallySucceeded", RunStatus.SUCCESS),
        ("failed", RunStatus.FAILURE),
        ("canceled", RunStatus.CANCELLED),
        ("none", RunStatus.OTHER),
    ],
)
def test_results(result: str, status: RunStatus) -> None:
    (found,) = normalise_build({"build": trimmed({**BUILD, "result": result})})
    assert (found.status, found.native_status) == (status, result)


def test_a_stage_that_was_run_again_is_another_attempt(azure: AzureServer) -> None:
    builds = [draft for draft in drafts_of(pages_of(azure, Kind.PIPELINE_RUN)) if isinstance(draft, PipelineRunDraft)]
    first, second = (draft for draft in builds if draft.run == "3001")
    assert (first.external_id, first.attempt, first.status) == ("3001/1", 1, RunStatus.FAILURE)
    assert (second.external_id, second.attempt, second.status) == ("3001", 2, RunStatus.SUCCESS)
    assert isinstance(second.jobs, ProvidedParts)
    assert [job.name for job in second.jobs.parts] == ["lint", "test"]


@pytest.mark.parametrize("effect", [faults.not_found(), faults.instead(Answer.of(None)), faults.instead(Answer(204))])
def test_a_build_without_timeline_is_normal(azure: AzureServer, effect: faults.Effect) -> None:
    azure.faults = [Fault(effect, path="/timeline", times=None)]
    builds = drafts_of(pages_of(azure, Kind.PIPELINE_RUN))
    assert {draft.jobs for draft in builds if isinstance(draft, PipelineRunDraft)} == {MISSING}


def test_the_newest_builds_come_first_by_the_time_they_finished(azure: AzureServer) -> None:
    builds = drafts_of(pages_of(azure, Kind.PIPELINE_RUN))
    ends = [
        draft.finished_at for draft in builds if isinstance(draft, PipelineRunDraft) and "/" not in draft.external_id
    ]
    assert ends == sorted(ends, reverse=True)  # type: ignore[type-var]
    assert "queryOrder=finishTimeDescending" in azure.requests[0].path


# Deployments --------------------------------------------------------------------------------------------------------


def stage(*results: str | None) -> dict[str, Any]:
    jobs = [
        {"result": result, "queueTime": "2026-03-02T10:00:00Z", "startTime": "2026-03-02T10:01:00Z"}
        for result in results
    ]
    return {
        "environment_deployment": {"id": "1/7/Deploy/1", "environment": "production", "build_id": "7", "jobs": jobs}
    }


@pytest.mark.parametrize(
    ("results", "status"),
    [
        (["succeeded", "succeededWithIssues"], RunStatus.SUCCESS),
        (["succeeded", "failed"], RunStatus.FAILURE),
        (["failed", None], RunStatus.RUNNING),
        (["skipped", "skipped"], RunStatus.SKIPPED),
        (["skipped", "succeeded"], RunStatus.SUCCESS),
        (["succeeded", "abandoned"], RunStatus.CANCELLED),
    ],
)
def test_the_jobs_of_a_stage_are_one_deployment(results: list[str | None], status: RunStatus) -> None:
    (found,) = normalise_deployment(stage(*results))
    assert (found.status, found.repository, found.sha) == (status, "", MISSING)


def test_a_deployment_has_the_commit_and_repository_of_its_build(azure: AzureServer) -> None:
    found = drafts_of(pages_of(azure, Kind.DEPLOYMENT))
    deployed = {draft.native_environment: draft for draft in found if isinstance(draft, DeploymentDraft)}
    assert deployed.keys() == {"production", "staging"}
    last = deployed["staging"]
    assert (last.run, last.status, last.ref) == ("7005001", RunStatus.SUCCESS, "main")
    assert (
        last.repository
        == only_resource(
            AzureDevOps(Settings({"base_url": azure.url}, {"token": TOKEN})), ResourceKind.REPOSITORY
        ).external_id
    )


def test_one_that_goes_on_is_read_again_until_it_ends() -> None:
    history = replace(with_deployments([BEGIN]), runs=())
    with AzureServer(history, token=TOKEN, at=BEGIN + HOUR / 2) as azure:
        *_, last = pages_of(azure, Kind.DEPLOYMENT)
        assert last.cursor["open"] == "2026-03-02T09:00:00.000Z"
        azure.advance(BEGIN + DAY)
        *_, last = pages = pages_of(azure, Kind.DEPLOYMENT, last.cursor)
        (found,) = drafts_of(pages)
        assert isinstance(found, DeploymentDraft)
        assert (found.status, found.finished_at) == (RunStatus.SUCCESS, BEGIN + HOUR)
        assert "open" not in last.cursor


def test_environments_are_read_to_the_last_page() -> None:
    """https://github.com/microsoft/azure-devops-python-api/pull/370: clients drop the token of these records."""
    history = with_deployments([BEGIN + number * HOUR for number in range(25)])
    with AzureServer(history, token=TOKEN, page=10) as azure:
        assert len(drafts_of(pages_of(azure, Kind.DEPLOYMENT))) == 25


# Classic releases ---------------------------------------------------------------------------------------------------

RELEASED = {
    "id": 79,
    "release": {
        "id": 55,
        "name": "Release-2",
        "artifacts": [
            {
                "type": "Build",
                "isPrimary": True,
                "definitionReference": {
                    "version": {"id": "2", "name": "2"},
                    "branch": {"id": "refs/heads/main", "name": "refs/heads/main"},
                    "sourceVersion": {"id": "a" * 40, "name": ""},
                    "repository": {"id": "3411ebc1", "name": ""},
                },
            }
        ],
    },
    "releaseEnvironment": {"id": 118, "name": "PROD"},
    "attempt": 1,
    "deploymentStatus": "succeeded",
    "operationStatus": "Approved",
    "requestedFor": {"id": "4adb1680", "displayName": "Chuck Reinhart", "uniqueName": "fabfiber@outlook.com"},
    "queuedOn": "0001-01-01T00:00:00",
    "startedOn": "2026-03-02T16:51:32.09Z",
    "completedOn": "2026-03-02T16:51:39.5Z",
    "lastModifiedOn": "2026-03-02T16:51:40.133Z",
}


def released(azure: AzureServer, **fields: Any) -> DeploymentDraft:
    azure.releases = [{**RELEASED, **fields}]
    found = drafts_of(pages_of(azure, Kind.DEPLOYMENT))
    (draft,) = (one for one in found if isinstance(one, DeploymentDraft) and one.external_id.startswith("release"))
    return draft


def test_a_classic_release_has_the_commit_of_its_primary_artifact(azure: AzureServer) -> None:
    """https://learn.microsoft.com/rest/api/azure/devops/release/deployments/list, with year 1 for a missing time."""
    found = released(azure)
    assert (found.external_id, found.native_environment, found.run) == ("release-79", "PROD", "2")
    assert (found.sha, found.ref, found.repository) == ("a" * 40, "main", "3411ebc1")
    assert (found.created_at, found.left_out) == (found.started_at, ())


@pytest.mark.parametrize(
    ("deployment", "operation", "status"),
    [
        ("succeeded", "Approved", RunStatus.SUCCESS),
        ("failed", "Rejected", RunStatus.FAILURE),
        ("notDeployed", "PhaseFailed", RunStatus.FAILURE),
        ("notDeployed", "Canceled", RunStatus.CANCELLED),
        ("notDeployed", "Pending", RunStatus.QUEUED),
        ("inProgress", "PhaseInProgress", RunStatus.RUNNING),
    ],
)
def test_the_status_of_a_classic_release(
    azure: AzureServer, deployment: str, operation: str, status: RunStatus
) -> None:
    assert released(azure, deploymentStatus=deployment, operationStatus=operation).status is status


def test_without_the_scope_for_releases_environments_are_read(azure: AzureServer) -> None:
    azure.faults = [Fault(faults.forbidden(), path="/release/", times=None)]
    assert len(drafts_of(pages_of(azure, Kind.DEPLOYMENT))) == 3


def test_a_refused_request_for_releases_is_no_missing_scope(azure: AzureServer) -> None:
    azure.faults = [Fault(faults.instead(Answer.of({"message": "TF400898"}, status=400)), path="/release/", times=None)]
    with pytest.raises(PermanentError, match="TF400898"):
        pages_of(azure, Kind.DEPLOYMENT)


def test_releases_of_the_cloud_have_a_host_of_their_own() -> None:
    assert AzureDevOps(Settings({"base_url": "https://dev.azure.com/acme"}, {})).other_hosts == (
        "https://vsrm.dev.azure.com/acme",
    )
    assert AzureDevOps(Settings({"base_url": "https://azure.example.com/Acme"}, {})).other_hosts == ()
