"""GitLab's pipelines and deployments: what becomes of the documented shapes, one field changed at a time.

Pipelines: https://docs.gitlab.com/api/pipelines/#get-a-single-pipeline
Jobs: https://docs.gitlab.com/api/jobs/#list-all-jobs-by-pipeline
Deployments: https://docs.gitlab.com/api/deployments/ (lib/api/entities/deployment.rb, environment_basic.rb)
Environments: https://docs.gitlab.com/api/environments/#list-environments
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.connectors.drafts import MISSING, DeploymentDraft, PipelineRunDraft, ProvidedParts, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.gitlab.deployments import normalise_deployment
from integrations.connectors.gitlab.pipelines import normalise_pipeline
from integrations.enums import RunStatus

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADA = {"id": 4, "username": "ada", "name": "Ada Admin", "state": "active"}
Payload = dict[str, Any]


def minute(number: float) -> str:
    return (NOON + number * MINUTE).isoformat()


@pytest.fixture
def pipeline() -> Payload:
    return {
        "id": 287,
        "iid": 144,
        "project_id": 21,
        "name": "Build pipeline",
        "sha": "a" * 40,
        "ref": "main",
        "status": "success",
        "source": "push",
        "created_at": minute(0),
        "updated_at": minute(20.1),
        "web_url": "https://gitlab.example.com/acme/shop/-/pipelines/287",
        "user": ADA,
        "started_at": minute(1),
        "finished_at": minute(20),
    }


def job(number: int, name: str, status: str, begin: float, end: float, *, created: float = 0, **more: Any) -> Payload:
    times = {"created_at": minute(created), "started_at": minute(begin), "finished_at": minute(end)}
    return {"id": number, "name": name, "status": status, **times, "queued_duration": 30.0, **more}


def attempts_of(pipeline: Payload, *jobs: Payload) -> list[PipelineRunDraft]:
    return normalise_pipeline({"pipeline": pipeline, "jobs": list(jobs)})


def names_of(attempt: PipelineRunDraft) -> list[str]:
    assert isinstance(attempt.jobs, ProvidedParts)
    return [part.name for part in attempt.jobs.parts]


def test_a_pipeline_has_its_times_and_its_jobs(pipeline: Payload) -> None:
    (run,) = attempts_of(pipeline, job(1, "test", "success", 1, 5), job(2, "deploy", "success", 5, 20))
    assert (run.external_id, run.repository, run.name, run.attempt) == ("287", "21", "Build pipeline", 1)
    assert (run.queued_at, run.started_at, run.finished_at) == (NOON, NOON + MINUTE, NOON + 20 * MINUTE)
    assert (run.status, run.started_by, names_of(run)) == (
        RunStatus.SUCCESS,
        Who("ada", account="4"),
        ["test", "deploy"],
    )


def test_a_job_waited_for_a_runner_and_not_for_the_jobs_before_it(pipeline: Payload) -> None:
    (run,) = attempts_of(pipeline, job(2, "deploy", "success", 5, 20))
    assert isinstance(run.jobs, ProvidedParts)
    assert run.jobs.parts[0].queued_at == NOON + 4.5 * MINUTE


def test_jobs_that_were_retried_make_attempts(pipeline: Payload) -> None:
    """Tests fail, are tried again after ten minutes, and the deployment that waited for them begins then."""
    lint, deploy = job(1, "lint", "success", 1, 2), job(3, "deploy", "success", 15, 20)
    first, again = job(2, "test", "failed", 1, 4), job(4, "test", "success", 11, 15, created=10)
    earlier, last = attempts_of(pipeline, again, deploy, first, lint)
    assert (earlier.external_id, earlier.attempt, earlier.status) == ("287/1", 1, RunStatus.FAILURE)
    assert (earlier.run, earlier.started_at, earlier.finished_at) == ("287", NOON + MINUTE, NOON + 4 * MINUTE)
    assert (last.external_id, last.attempt, last.status) == ("287", 2, RunStatus.SUCCESS)
    assert (last.queued_at, last.started_at) == (NOON + 10 * MINUTE, NOON + 11 * MINUTE)
    assert (sorted(names_of(earlier)), sorted(names_of(last))) == (["lint", "test"], ["deploy", "test"])


def test_a_try_that_may_fail_does_not_make_an_attempt_fail(pipeline: Payload) -> None:
    first = job(2, "audit", "failed", 1, 4, allow_failure=True)
    earlier, _ = attempts_of(pipeline, job(4, "audit", "success", 11, 15, created=10), first)
    assert earlier.status is RunStatus.CANCELLED


@pytest.mark.parametrize(
    ("native", "status"),
    [
        ("created", RunStatus.QUEUED),
        ("waiting_for_resource", RunStatus.QUEUED),
        ("preparing", RunStatus.QUEUED),
        ("pending", RunStatus.QUEUED),
        ("scheduled", RunStatus.QUEUED),
        ("running", RunStatus.RUNNING),
        ("success", RunStatus.SUCCESS),
        ("failed", RunStatus.FAILURE),
        ("canceled", RunStatus.CANCELLED),
        ("skipped", RunStatus.SKIPPED),
        ("manual", RunStatus.OTHER),
        ("new in 2027", RunStatus.OTHER),
    ],
)
def test_every_status_of_a_pipeline_has_a_meaning(pipeline: Payload, native: str, status: RunStatus) -> None:
    (run,) = normalise_pipeline({"pipeline": {**pipeline, "status": native}})
    assert (run.status, run.native_status) == (status, native)


def test_an_old_pipeline_comes_from_the_list_alone(pipeline: Payload) -> None:
    for name in ("user", "started_at", "finished_at", "name"):
        del pipeline[name]
    (run,) = normalise_pipeline({"pipeline": pipeline})
    assert (run.started_at, run.started_by, run.jobs) == (MISSING, MISSING, MISSING)
    assert (run.name, run.finished_at) == ("push pipeline", NOON + 20.1 * MINUTE)


def test_a_pipeline_without_its_project_is_an_error(pipeline: Payload) -> None:
    del pipeline["project_id"]
    with pytest.raises(SchemaError, match=r"pipeline\.project_id"):
        normalise_pipeline({"pipeline": pipeline})


@pytest.fixture
def payload() -> Payload:
    return {
        "deployment": {
            "id": 41,
            "iid": 1,
            "ref": "main",
            "sha": "a" * 40,
            "status": "success",
            "created_at": minute(0),
            "updated_at": minute(9),
            "user": ADA,
            "environment": {"id": 9, "name": "eu-west"},
            "deployable": {
                "id": 657,
                "name": "deploy",
                "started_at": minute(1),
                "finished_at": minute(8),
                "pipeline": {"id": 36},
            },
        },
        "project": {"id": "21", "path": "acme/shop", "web_url": "https://gitlab.example.com/acme/shop"},
        "tier": "production",
    }


def deployment_of(payload: Payload) -> DeploymentDraft:
    (draft,) = normalise_deployment(payload)
    return draft


def test_a_deployment_by_a_job_has_the_times_of_the_job(payload: Payload) -> None:
    draft = deployment_of(payload)
    assert (draft.external_id, draft.repository, draft.status) == ("41", "21", RunStatus.SUCCESS)
    assert (draft.started_at, draft.finished_at) == (NOON + MINUTE, NOON + 8 * MINUTE)
    assert (draft.run, draft.job) == ("36", "657")


def test_a_deployment_that_was_reported_ended_with_its_last_change(payload: Payload) -> None:
    payload["deployment"]["deployable"] = None
    draft = deployment_of(payload)
    assert (draft.started_at, draft.finished_at, draft.run) == (None, NOON + 9 * MINUTE, "")


@pytest.mark.parametrize(
    ("tier", "is_production"),
    [("production", True), ("staging", False), ("testing", False), ("development", False), ("other", None), ("", None)],
)
def test_the_tier_says_what_is_production(payload: Payload, tier: str, is_production: bool | None) -> None:
    """`other` is also what GitLab calls names that it does not know: then the mapping of names decides."""
    assert deployment_of({**payload, "tier": tier}).is_production is is_production


@pytest.mark.parametrize(
    ("native", "status"),
    [
        ("created", RunStatus.QUEUED),
        ("blocked", RunStatus.QUEUED),
        ("running", RunStatus.RUNNING),
        ("failed", RunStatus.FAILURE),
        ("canceled", RunStatus.CANCELLED),
        ("skipped", RunStatus.SKIPPED),
    ],
)
def test_only_a_deployment_that_ended_has_an_end(payload: Payload, native: str, status: RunStatus) -> None:
    payload["deployment"]["status"] = native
    draft = deployment_of(payload)
    assert draft.status is status
    assert (draft.finished_at is not None) == (status in (RunStatus.FAILURE, RunStatus.CANCELLED))
