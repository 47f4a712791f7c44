"""Runs of workflows (GitHub Actions), one record per attempt, with their jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import MISSING, JobDraft, PipelineRunDraft, ProvidedParts, shown_title
from integrations.connectors.errors import GoneError
from integrations.connectors.github.accounts import account
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.newest_first import NewestFirst
from integrations.connectors.github.stream_repository import Place
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import as_record, text_of, time_of
from integrations.enums import RunStatus

SOURCE = "workflow_run"
PER_PAGE = 50  # a run carries its repository twice: a hundred are megabytes
BATCH = 25
JOBS_WITHIN = timedelta(days=90)  # older runs come without jobs, each of which costs a request
MOST_ATTEMPTS = 20  # per run; the latest are read
COMPLETED = "completed"
_STATUSES: Mapping[str, RunStatus] = {
    "in_progress": RunStatus.RUNNING,
    "queued": RunStatus.QUEUED,
    "requested": RunStatus.QUEUED,
    "waiting": RunStatus.QUEUED,
    "pending": RunStatus.QUEUED,
}
_TITLED_BY_OTHERS = ("pull_request", "issue", "discussion", "merge_group")  # events whose runs take their title
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
    """`workflow_run` from REST or a webhook, and `jobs`, all of the attempt's, if they were read.

    GitHub has no time at which a run ended: the time of the completed run's last change is used.
    """
    reader = Reader(payload)
    run = Reader(payload.get("workflow_run"), "workflow_run", parent=reader)
    attempt = run.integer("run_attempt", default=1)
    number = run.identifier("id")
    created_at = run.part_time("created_at")
    started_at = run.part_time("run_started_at") if run.has("run_started_at") else created_at
    native_status, status = _outcome(run)
    is_completed = run.text("status", default="") == COMPLETED or run.has("conclusion")
    updated_at = run.time("updated_at") if is_completed else run.part_time("updated_at")
    jobs = reader.parts("jobs", _job)
    return [
        PipelineRunDraft(
            external_id=attempt_id(number, attempt),
            updated_at=updated_at,
            repository=run.identifier("repository.id"),
            run=number,
            attempt=attempt,
            name=_name(run),
            title=_title(run),
            status=status,
            native_status=native_status,
            url=run.text("html_url", default=MISSING),
            trigger=run.text("event", default=MISSING),
            sha=run.text("head_sha", default=MISSING),
            branch=run.text("head_branch", default=""),  # null if a tag was pushed or the branch is gone
            started_by=account(run.object("triggering_actor") or run.object("actor")),
            queued_at=created_at if attempt == 1 else started_at,
            started_at=started_at,
            finished_at=updated_at if is_completed else None,
            jobs=MISSING if jobs is None else ProvidedParts(jobs),
            left_out=tuple(reader.left_out),
        )
    ]


def normalise_job(payload: Json) -> list[PipelineRunDraft]:
    """`workflow_job` and `repository` from a webhook: one job of a run, with few other details of the run."""
    reader = Reader(payload)
    job = Reader(payload.get("workflow_job"), "workflow_job", parent=reader)
    run, attempt = job.identifier("run_id"), job.integer("run_attempt", default=1)
    return [
        PipelineRunDraft(
            external_id=attempt_id(run, attempt),
            repository=reader.identifier("repository.id"),
            run=run,
            attempt=attempt,
            name=shown_title(job.text("workflow_name")),
            sha=job.text("head_sha", default=MISSING),
            branch=job.text("head_branch", default=""),
            jobs=ProvidedParts([_job(job)], whole=False),
            left_out=tuple(reader.left_out),
        )
    ]


def attempt_id(run: str, attempt: int) -> str:
    return f"{run}/{attempt}"


def _name(run: Reader) -> str:
    """The workflow's name; a workflow without one is named after its file, as GitHub does."""
    return shown_title(run.text("name", default="") or run.text("path", default=""))


def _title(run: Reader) -> str:
    """The title made by `run-name`; empty if GitHub used the title of a commit, an issue or the workflow instead."""
    title, message = run.text("display_title", default="").strip(), run.text("head_commit.message", default="")
    of_others = run.text("event", default="").startswith(_TITLED_BY_OTHERS)
    if of_others or title == run.text("name", default="") or (message and message.startswith(title.rstrip("…"))):
        return ""
    return shown_title(title)


def _job(job: Reader) -> JobDraft:
    """A job, which waited from its creation until its start; one that never started has no start."""
    native_status, status = _outcome(job)
    started = status not in (RunStatus.QUEUED, RunStatus.SKIPPED)
    return JobDraft(
        external_id=job.identifier("id"),
        name=shown_title(job.text("name", default="")),
        status=status,
        native_status=native_status,
        queued_at=job.part_time("created_at"),
        started_at=job.part_time("started_at") if started else None,
        finished_at=job.part_time("completed_at"),
    )


def _outcome(reader: Reader) -> tuple[str, RunStatus]:
    """GitHub's status and its category; the conclusion counts once there is one."""
    status, conclusion = reader.text("status", default=""), reader.text("conclusion", default="")
    if status == COMPLETED or conclusion:
        return conclusion or status, _CONCLUSIONS.get(conclusion, RunStatus.OTHER)
    return status, _STATUSES.get(status, RunStatus.OTHER)


def fetch_runs(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read runs backwards by time, because GitHub returns at most 1,000 runs per query.

    A deleted run stays stored: runs are deleted to save space, and still happened.
    """

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        return [record for entry in entries for record in _attempts(http, place, entry, now)]

    runs = NewestFirst(
        path=place.path("actions", "runs"),
        params={},
        sorted_by="created_at",
        read=read,
        batch=BATCH,
        per_page=PER_PAGE,
        within="workflow_runs",
        parameter="created",
        version=_version,
        is_open=lambda item: text_of(item, "status") != COMPLETED,
        one=lambda number: _one(http, place, number),
        tells_all=False,
    )
    yield from runs.pages(http, cursor, now=now)


def _version(item: Any) -> str:
    return " ".join(text_of(item, field) for field in ("run_attempt", "status", "conclusion", "updated_at"))


def _attempts(http: Http, place: Place, run: Json, now: datetime) -> list[RawRecord]:
    """The run's latest attempt, which the list has, and those before it."""
    number, latest = text_of(run, "id"), text_of(run, "run_attempt")
    last = int(latest) if latest.isdecimal() else 1
    records = [_record(http, place, as_record(run), attempt=last, now=now)]
    for attempt in range(last - 1, max(last - MOST_ATTEMPTS, 0), -1):
        try:
            earlier = http.get(place.path("actions", "runs", number, "attempts", attempt)).json()
        except GoneError:
            continue  # GitHub keeps earlier attempts only for a while
        records.append(_record(http, place, as_record(earlier), attempt=attempt, now=now))
    return records


def _record(http: Http, place: Place, run: Json, *, attempt: int, now: datetime) -> RawRecord:
    number = text_of(run, "id")
    created_at = time_of(run, "created_at")
    is_young = created_at is not None and created_at > now - JOBS_WITHIN
    reads_jobs = bool(number) and is_young and text_of(run, "status") == COMPLETED
    path = place.path("actions", "runs", number, "attempts", attempt, "jobs")
    try:
        jobs = list(list_all(http, path, within="jobs")) if reads_jobs else None
    except GoneError:
        jobs = None  # deleted since it was listed
    payload = {"workflow_run": run} if jobs is None else {"workflow_run": run, "jobs": jobs}
    return RawRecord(payload, normalise_run, attempt_id(number, attempt), SOURCE)


def _one(http: Http, place: Place, number: str) -> Json | None:
    try:
        return as_record(http.get(place.path("actions", "runs", number)).json())
    except GoneError:
        return None
