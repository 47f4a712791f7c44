"""Pipelines with their jobs, one record per attempt.

GitLab has no attempts: jobs are retried within a pipeline, by somebody or by themselves.  The first tries of all jobs
are the first attempt; the second one begins with the first job that was tried again.

https://docs.gitlab.com/api/pipelines/, https://docs.gitlab.com/api/jobs/#list-all-jobs-by-pipeline
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import MISSING, JobDraft, PipelineRunDraft, ProvidedParts, shown_title
from integrations.connectors.errors import GoneError
from integrations.connectors.gitlab.changes import changes_in
from integrations.connectors.gitlab.lists import list_all
from integrations.connectors.gitlab.records import Place, account
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import record_of, text_of, time_of
from integrations.enums import RunStatus

SOURCE = "pipeline"
DETAILS_WITHIN = timedelta(days=90)  # older ones come without jobs and start, which cost two requests each
MOST_SECONDS = 10**8
STATUSES: Mapping[str, RunStatus] = {
    "success": RunStatus.SUCCESS,
    "failed": RunStatus.FAILURE,
    "canceled": RunStatus.CANCELLED,
    "canceling": RunStatus.RUNNING,
    "skipped": RunStatus.SKIPPED,
    "running": RunStatus.RUNNING,
    **dict.fromkeys(("created", "waiting_for_resource", "preparing", "pending", "scheduled"), RunStatus.QUEUED),
}
"""A manual pipeline waits for somebody who may never come: other.  A manual job that nobody started was skipped."""
_FINISHED = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELLED, RunStatus.SKIPPED})


@dataclass(frozen=True, slots=True)
class _Try:
    """A job, and whether the pipeline continues if it fails."""

    job: JobDraft
    created_at: datetime | None
    may_fail: bool

    @property
    def begins_at(self) -> datetime | None:
        return self.job.started_at or self.created_at


def normalise_pipeline(payload: Json) -> list[PipelineRunDraft]:
    """`pipeline` from a list or alone, and `jobs`, all of its jobs with their earlier tries, if they were read."""
    reader = Reader(payload)
    pipeline = Reader(payload.get("pipeline"), "pipeline", parent=reader)
    tries = reader.parts("jobs", _try)
    number, native = pipeline.identifier("id"), pipeline.text("status", default="")
    status = STATUSES.get(native, RunStatus.OTHER)
    updated_at, created_at = pipeline.part_time("updated_at"), pipeline.part_time("created_at")
    finished_at = pipeline.part_time("finished_at") or (updated_at if status in _FINISHED else None)
    source = pipeline.text("source", default="")
    last = PipelineRunDraft(
        external_id=number,
        updated_at=updated_at,
        repository=pipeline.identifier("project_id"),
        run=number,
        name=shown_title(pipeline.text("name", default="") or f"{source.replace('_', ' ')} pipeline".strip()),
        status=status,
        native_status=native,
        url=pipeline.text("web_url", default=MISSING),
        trigger=source or MISSING,
        sha=pipeline.text("sha", default=MISSING),
        branch=pipeline.text("ref", default=""),
        started_by=account(pipeline.object("user")) if pipeline.has("user") else MISSING,
        queued_at=created_at,
        started_at=pipeline.part_time("started_at") if tries is not None else MISSING,
        finished_at=finished_at if status in _FINISHED else None,
    )
    attempts = [last] if tries is None else list(_attempts(last, tries))
    return [replace(attempt, left_out=tuple(reader.left_out)) for attempt in attempts]


def _attempts(last: PipelineRunDraft, tries: Sequence[_Try]) -> Iterator[PipelineRunDraft]:
    """The attempts, the last of which has the pipeline's own id and outcome."""
    begins = _begins(tries)
    of: dict[int, list[_Try]] = defaultdict(list)
    for one in tries:
        at = one.begins_at
        of[sum(begin <= at for begin in begins) if at else 0].append(one)
    for position in range(len(begins) + 1):
        jobs = of[position]
        parts = ProvidedParts([one.job for one in jobs])
        attempt = replace(last, attempt=position + 1, jobs=parts)
        if position:
            began = [one.job.started_at for one in jobs if one.job.started_at]
            attempt = replace(attempt, queued_at=begins[position - 1], started_at=min(began, default=None))
        if position < len(begins):
            failed = any(one.job.status is RunStatus.FAILURE and not one.may_fail for one in jobs)
            outcome = RunStatus.FAILURE if failed else RunStatus.CANCELLED
            ended = max((one.job.finished_at for one in jobs if one.job.finished_at), default=begins[position])
            attempt = replace(
                attempt,
                external_id=f"{last.external_id}/{position + 1}",
                status=outcome,
                native_status="failed" if failed else "canceled",
                finished_at=ended,
            )
        yield attempt


def _begins(tries: Sequence[_Try]) -> list[datetime]:
    """The times at which attempts after the first began: with the first job that was retried."""
    by_name: dict[str, list[datetime]] = defaultdict(list)
    for one in sorted(tries, key=lambda one: (len(one.job.external_id), one.job.external_id)):
        if one.created_at is not None:
            by_name[one.job.name].append(one.created_at)
    most = max(map(len, by_name.values()), default=0)
    return [min(times[again] for times in by_name.values() if len(times) > again) for again in range(1, most)]


def _try(job: Reader) -> _Try:
    native = job.text("status", default="")
    status = RunStatus.SKIPPED if native == "manual" else STATUSES.get(native, RunStatus.OTHER)
    created_at, started_at = job.part_time("created_at"), job.part_time("started_at")
    draft = JobDraft(
        external_id=job.identifier("id"),
        name=shown_title(job.text("name", default="")),
        status=status,
        native_status=native,
        queued_at=_queued_at(job, started_at) or created_at,
        started_at=started_at,
        finished_at=job.part_time("finished_at"),
    )
    return _Try(draft, created_at, job.boolean("allow_failure", default=False))


def _queued_at(job: Reader, started_at: datetime | None) -> datetime | None:
    """The time from which it waited for a runner; its creation does not show that, because all jobs are created
    at once.
    """
    seconds = job.value("queued_duration")
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if seconds is not None and not is_number:
        job.leave_out("queued_duration")
    if started_at is None or not is_number or not 0 <= seconds < MOST_SECONDS:
        return None
    return started_at - timedelta(seconds=seconds)


def fetch_pipelines(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read pipelines: a changed one costs two requests.  A deleted one stays stored: it happened."""

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        return [_read(http, place, entry, now) for entry in entries]

    yield from changes_in(place.path("pipelines"), read, tells_all=False).pages(http, cursor, now=now)


def _read(http: Http, place: Place, entry: Json, now: datetime) -> RawRecord:
    number, created_at = text_of(entry, "id"), time_of(entry, "created_at")
    if not number or created_at is None or created_at < now - DETAILS_WITHIN:
        return record_of(SOURCE, normalise_pipeline, entry)
    path = place.path("pipelines", number)
    try:
        pipeline = http.get(path).json()
        jobs = list(list_all(http, f"{path}/jobs", {"include_retried": "true"}))
    except GoneError:  # deleted since it was listed
        return record_of(SOURCE, normalise_pipeline, entry)
    return record_of(SOURCE, normalise_pipeline, pipeline, jobs=jobs)
