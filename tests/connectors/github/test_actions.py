"""A run of a workflow as GitHub writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.drafts import MISSING, PipelineRunDraft, ProvidedParts
from integrations.connectors.errors import SchemaError
from integrations.connectors.github.actions import normalise_run
from integrations.connectors.github.webhooks import records_of
from integrations.enums import RunStatus
from tests.connectors.github.conftest import Payload
from tests.connectors.github.reading import drafts_of_delivery


@pytest.fixture
def run(example: Payload) -> dict[str, Any]:
    payload: dict[str, Any] = example("workflow_run.completed")["workflow_run"]
    return payload | {"name": "CI"}


def draft_of(run: dict[str, Any], **parts: Any) -> PipelineRunDraft:
    (draft,) = normalise_run({"workflow_run": run, **parts})
    return draft


def job(**more: Any) -> dict[str, Any]:
    return {
        "id": 5_000_000_001,
        "name": "tests",
        "status": "completed",
        "conclusion": "success",
        "created_at": "2026-03-02T09:00:00Z",
        "started_at": "2026-03-02T09:02:00Z",
        "completed_at": "2026-03-02T09:07:00Z",
        **more,
    }


def test_a_completed_run(run: dict[str, Any]) -> None:
    draft = draft_of(run)
    assert (draft.external_id, draft.run, draft.attempt, draft.name) == ("289782451/1", "289782451", 1, "CI")
    assert (draft.status, draft.native_status) == (RunStatus.SUCCESS, "success")
    assert draft.repository == str(run["repository"]["id"])
    assert draft.queued_at == datetime(2020, 10, 5, 16, 33, 24, tzinfo=UTC)
    assert draft.started_at == draft.finished_at == datetime(2020, 10, 5, 16, 33, 49, tzinfo=UTC)
    assert draft.jobs is MISSING


def test_a_run_that_waits_has_not_finished(example: Payload) -> None:
    draft = draft_of(example("workflow_run.requested")["workflow_run"])
    assert (draft.status, draft.native_status, draft.finished_at) == (RunStatus.QUEUED, "queued", None)


def test_a_workflow_without_a_name_is_called_by_its_file(run: dict[str, Any]) -> None:
    assert draft_of(run | {"name": None}).name == ".github/workflows/test.yml"


def test_a_later_attempt_waits_from_when_it_was_requested(run: dict[str, Any]) -> None:
    draft = draft_of(run | {"run_attempt": 3})
    assert (draft.external_id, draft.attempt) == ("289782451/3", 3)
    assert draft.queued_at == draft.started_at


@pytest.mark.parametrize(
    ("conclusion", "status"),
    [
        ("success", RunStatus.SUCCESS),
        ("failure", RunStatus.FAILURE),
        ("timed_out", RunStatus.FAILURE),
        ("startup_failure", RunStatus.FAILURE),
        ("cancelled", RunStatus.CANCELLED),
        ("skipped", RunStatus.SKIPPED),
        ("neutral", RunStatus.OTHER),
        ("action_required", RunStatus.OTHER),
        ("stale", RunStatus.OTHER),
        ("exploded", RunStatus.OTHER),
    ],
)
def test_conclusions(run: dict[str, Any], conclusion: str, status: RunStatus) -> None:
    draft = draft_of(run | {"conclusion": conclusion})
    assert (draft.status, draft.native_status) == (status, conclusion)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("in_progress", RunStatus.RUNNING),
        ("waiting", RunStatus.QUEUED),
        ("pending", RunStatus.QUEUED),
        ("odd", RunStatus.OTHER),
    ],
)
def test_what_has_not_concluded(run: dict[str, Any], word: str, status: RunStatus) -> None:
    draft = draft_of(run | {"status": word, "conclusion": None})
    assert (draft.status, draft.native_status, draft.finished_at) == (status, word, None)


def test_a_job_has_its_time_in_the_queue(run: dict[str, Any]) -> None:
    jobs = draft_of(run, jobs=[job()]).jobs
    assert isinstance(jobs, ProvidedParts)
    (attempt,) = jobs.parts
    assert (attempt.external_id, attempt.status) == ("5000000001", RunStatus.SUCCESS)
    assert attempt.started_at is not None
    assert attempt.queued_at is not None
    assert (attempt.started_at - attempt.queued_at).total_seconds() == 120


def test_a_job_that_never_started_has_no_start(run: dict[str, Any]) -> None:
    waiting = job(status="queued", conclusion=None, started_at="2026-03-02T09:00:00Z", completed_at=None)
    skipped = job(id=2, conclusion="skipped", started_at="2026-03-02T09:02:00Z")
    jobs = draft_of(run, jobs=[waiting, skipped]).jobs
    assert isinstance(jobs, ProvidedParts)
    assert [part.started_at for part in jobs.parts] == [None, None]


def test_a_job_of_a_webhook_is_one_of_its_run(example: Payload) -> None:
    (draft,) = drafts_of_delivery("workflow_job", example("workflow_job.completed.failure.with-organization"))
    assert isinstance(draft, PipelineRunDraft)
    assert (draft.external_id, draft.name, draft.status) == ("2202229078/1", "CodeQL", MISSING)
    assert isinstance(draft.jobs, ProvidedParts)
    assert not draft.jobs.whole
    assert [part.status for part in draft.jobs.parts] == [RunStatus.FAILURE]


def test_a_job_of_a_nameless_workflow_waits_for_the_sync(example: Payload) -> None:
    payload = example("workflow_job.queued")
    payload["workflow_job"]["workflow_name"] = None
    assert records_of("workflow_job", payload) == []


@pytest.mark.parametrize("field", ["id", "updated_at"])
def test_a_missing_field_is_named(run: dict[str, Any], field: str) -> None:
    del run[field]
    with pytest.raises(SchemaError) as refused:
        draft_of(run)
    assert refused.value.path == f"workflow_run.{field}"


def test_a_job_without_an_id_is_left_out_and_named(run: dict[str, Any]) -> None:
    draft = draft_of(run, jobs=[job(), job(id=None)])
    assert isinstance(draft.jobs, ProvidedParts)
    assert (len(draft.jobs.parts), draft.left_out) == (1, ("jobs[1].id",))
