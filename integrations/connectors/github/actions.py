"""Runs of workflows (GitHub Actions), each attempt for itself, with their jobs."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.connectors.base import Json
from integrations.connectors.drafts import MISSING, JobDraft, PipelineRunDraft, ProvidedParts, shown_title
from integrations.connectors.github.accounts import account
from integrations.connectors.reader import Reader
from integrations.enums import RunStatus

COMPLETED = "completed"
_STATUSES: Mapping[str, RunStatus] = {
    "in_progress": RunStatus.RUNNING,
    "queued": RunStatus.QUEUED,
    "requested": RunStatus.QUEUED,
    "waiting": RunStatus.QUEUED,
    "pending": RunStatus.QUEUED,
}
_CONCLUSIONS: Mapping[str, RunStatus] = {
    "success": RunStatus.SUCCESS,
    "failure": RunStatus.FAILURE,
    "timed_out": RunStatus.FAILURE,
    "startup_failure": RunStatus.FAILURE,
    "cancelled": RunStatus.CANCELLED,
    "skipped": RunStatus.SKIPPED,
}
"""action_required, neutral and stale say neither that it went well nor that it failed: other."""


def normalise_run(payload: Json) -> list[PipelineRunDraft]:
    """`workflow_run` as REST or a webhook has it, and `jobs`, all of the attempt's, where they were read.

    GitHub has no time at which a run ended: it is that of the completed run's last change.
    """
    reader = Reader(payload)
    run = Reader(payload.get("workflow_run"), "workflow_run", parent=reader)
    attempt = run.integer("run_attempt", default=1)
    number = run.identifier("id")
    created_at = run.part_time("created_at", required=True)
    started_at = run.part_time("run_started_at") if run.has("run_started_at") else created_at
    native_status, status = _outcome(run)
    updated_at = run.time("updated_at")
    return [
        PipelineRunDraft(
            external_id=attempt_id(number, attempt),
            updated_at=updated_at,
            repository=run.identifier("repository.id"),
            run=number,
            attempt=attempt,
            name=_name(run),
            status=status,
            native_status=native_status,
            url=run.text("html_url"),
            trigger=run.text("event"),
            sha=run.text("head_sha"),
            branch=run.text("head_branch", default=""),  # null where a tag was pushed or the branch is gone
            started_by=account(run.object("triggering_actor") or run.object("actor")),
            queued_at=created_at if attempt == 1 else started_at,
            started_at=started_at,
            finished_at=updated_at if run.text("status") == COMPLETED else None,
            jobs=ProvidedParts([_job(job) for job in reader.objects("jobs")]) if reader.has("jobs") else MISSING,
            impossible_times=tuple(reader.impossible_times),
        )
    ]


def normalise_job(payload: Json) -> list[PipelineRunDraft]:
    """`workflow_job` and `repository` as a webhook has them: one job of a run, of which it says little else."""
    reader = Reader(payload)
    job = Reader(payload.get("workflow_job"), "workflow_job")
    run, attempt = job.identifier("run_id"), job.integer("run_attempt", default=1)
    return [
        PipelineRunDraft(
            external_id=attempt_id(run, attempt),
            repository=reader.identifier("repository.id"),
            run=run,
            attempt=attempt,
            name=shown_title(job.text("workflow_name")),
            sha=job.text("head_sha"),
            branch=job.text("head_branch", default=""),
            jobs=ProvidedParts([_job(job)], whole=False),
        )
    ]


def attempt_id(run: str, attempt: int) -> str:
    return f"{run}/{attempt}"


def _name(run: Reader) -> str:
    """The workflow's name; one without is called by its file, as GitHub does."""
    return shown_title(run.text("name", default="") or run.text("path", default=""))


def _job(job: Reader) -> JobDraft:
    """A job waited from its creation until it started; one that never came so far has no start."""
    native_status, status = _outcome(job)
    started = status not in (RunStatus.QUEUED, RunStatus.SKIPPED)
    return JobDraft(
        external_id=job.identifier("id"),
        name=shown_title(job.text("name")),
        status=status,
        native_status=native_status,
        queued_at=job.part_time("created_at"),
        started_at=job.part_time("started_at") if started else None,
        finished_at=job.part_time("completed_at"),
    )


def _outcome(reader: Reader) -> tuple[str, RunStatus]:
    """GitHub's word, and what it means here; the conclusion counts once there is one."""
    status, conclusion = reader.text("status"), reader.text("conclusion", default="")
    if status == COMPLETED or conclusion:
        return conclusion or status, _CONCLUSIONS.get(conclusion, RunStatus.OTHER)
    return status, _STATUSES.get(status, RunStatus.OTHER)
