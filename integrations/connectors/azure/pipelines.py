"""Builds, which are the runs of pipelines, with their jobs: one record per attempt.

Builds are listed once they have finished, newest first by that time.  Stages of a build may be run again: its timeline
has the last attempt, and names the timelines of the earlier ones.  A build without a timeline is normal, as when its
YAML cannot be read.

https://learn.microsoft.com/rest/api/azure/devops/build/builds/list, /build/timeline/get
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.azure.lists import get, list_without_offset
from integrations.connectors.azure.records import Place, account, branch
from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.changes import GRAIN, Changes, ListedPage, written
from integrations.connectors.drafts import MISSING, JobDraft, PipelineRunDraft, ProvidedParts, shown_title
from integrations.connectors.errors import GoneError
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import fields_of, object_of, objects_of, record_of, text_of, time_of
from integrations.enums import RunStatus

SOURCE = "build"
DETAILS_WITHIN = timedelta(days=90)  # older ones come without jobs, which cost a request each
OWN_REPOSITORY = "TfsGit"
RESULTS: Mapping[str, RunStatus] = {
    "succeeded": RunStatus.SUCCESS,
    "partiallySucceeded": RunStatus.SUCCESS,
    "succeededWithIssues": RunStatus.SUCCESS,
    "failed": RunStatus.FAILURE,
    "canceled": RunStatus.CANCELLED,
    "abandoned": RunStatus.CANCELLED,
    "skipped": RunStatus.SKIPPED,
}
_FIELDS = (
    *("id", "buildNumber", "status", "result", "queueTime", "startTime", "finishTime", "sourceBranch", "sourceVersion"),
    *("reason", "requestedFor"),
)
_OF_RECORD = ("id", "type", "name", "state", "result", "startTime", "finishTime", "attempt")


def normalise_build(payload: Json) -> list[PipelineRunDraft]:
    """`build` from a list; `attempts`, the jobs of each attempt, oldest first, if they were read; `page`."""
    reader = Reader(payload)
    build = Reader(payload.get("build"), "build", parent=reader)
    number, native = build.identifier("id"), build.text("result", default="")
    finished_at = build.part_time("finishTime")
    attempts = reader.parts("attempts", lambda attempt: attempt.parts("jobs", _job) or [])
    last = PipelineRunDraft(
        external_id=number,
        updated_at=finished_at,
        repository=repository_of(build),
        run=number,
        name=shown_title(build.text("definition.name", default="")),
        status=RESULTS.get(native, RunStatus.OTHER),
        native_status=native,
        url=reader.text("page", default=MISSING),
        trigger=build.text("reason", default=MISSING),
        sha=build.text("head", default="") or build.text("sourceVersion", default=MISSING),
        branch=branch(build.text("head_branch", default="") or build.text("sourceBranch", default="")),
        started_by=account(build.object("requestedFor")),
        queued_at=build.part_time("queueTime"),
        started_at=build.part_time("startTime"),
        finished_at=finished_at,
    )
    runs = [last] if attempts is None else list(_attempts(last, attempts or [[]]))
    return [replace(run, left_out=tuple(reader.left_out)) for run in runs]


def repository_of(build: Reader) -> str:
    """The id of a repository of the organisation, else the address of one elsewhere, such as at GitHub."""
    repository = build.object("repository")
    if repository is None:
        return ""
    if repository.text("type", default="") == OWN_REPOSITORY:
        return repository.identifier("id", default="")
    return repository.text("url", default="") or repository.text("name", default="")


def _attempts(last: PipelineRunDraft, attempts: Sequence[Sequence[JobDraft]]) -> Iterator[PipelineRunDraft]:
    """The attempts, the last of which has the build's own id and outcome."""
    for number, jobs in enumerate(attempts, start=1):
        run = replace(last, attempt=number, jobs=ProvidedParts(jobs))
        began = min((job.started_at for job in jobs if job.started_at), default=None)
        ended = max((job.finished_at for job in jobs if job.finished_at), default=None)
        if number > 1:
            run = replace(run, queued_at=began, started_at=began)
        if number < len(attempts):
            failed = any(job.status is RunStatus.FAILURE for job in jobs)
            run = replace(
                run,
                external_id=f"{last.external_id}/{number}",
                status=RunStatus.FAILURE if failed else RunStatus.CANCELLED,
                native_status="failed" if failed else "canceled",
                finished_at=ended,
            )
        yield run


def _job(job: Reader) -> JobDraft:
    native = job.text("result", default="") or job.text("state", default="")
    started_at = job.part_time("startTime")
    return JobDraft(
        external_id=job.identifier("id"),
        name=shown_title(job.text("name", default="")),
        status=RESULTS.get(native, RunStatus.OTHER),
        native_status=native,
        queued_at=started_at,  # Azure DevOps does not say when it began to wait for an agent
        started_at=started_at,
        finished_at=job.part_time("finishTime"),
    )


def fetch_builds(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read builds: a finished one costs one request.  A deleted one stays stored: it happened."""
    path = place.api("build/builds")

    def page(http: Http, since: str, before: datetime | None, number: int) -> ListedPage:
        filters: dict[str, Any] = {"queryOrder": "finishTimeDescending", "statusFilter": "completed"}
        filters |= {"minTime": since} if since else {}
        filters |= {"maxTime": written(before + GRAIN)} if before is not None else {}
        return list_without_offset(http, path, filters, number)

    changes = Changes(
        list_page=page,
        read=lambda entries: [_read(http, place, entry, now) for entry in entries],
        answered=f"Azure DevOps answered {path}",
        time_field="finishTime",
        tells_all=False,
    )
    yield from changes.pages(http, cursor, now=now)


def _read(http: Http, place: Place, entry: Json, now: datetime) -> RawRecord:
    number, finished_at = text_of(entry, "id"), time_of(entry, "finishTime")
    is_young = number and finished_at is not None and finished_at >= now - DETAILS_WITHIN
    attempts = _read_attempts(http, place, number) if is_young else None
    page = place.page(f"_build/results?buildId={number}")
    return record_of(SOURCE, normalise_build, trimmed(entry), attempts=attempts, page=page)


def trimmed(build: Json) -> Json:
    """The fields that are read; a build for a pull request also has its head, under names with dots."""
    named = {name: object_of(build, name) for name in ("definition", "repository") if build.get(name) is not None}
    definition = {name: named.get("definition", {}).get(name) for name in ("id", "name")}
    repository = {name: named.get("repository", {}).get(name) for name in ("id", "type", "name", "url")}
    trigger = object_of(build, "triggerInfo")
    head = {"head": trigger.get("pr.sourceSha"), "head_branch": trigger.get("pr.sourceBranch")}
    return {**fields_of(build, _FIELDS), "definition": definition, "repository": repository, **head}


def _read_attempts(http: Http, place: Place, number: str) -> list[Json] | None:
    """The jobs of each attempt; None if the build has no timeline."""
    path = place.api("build/builds", number, "timeline")
    records = _timeline(http, path)
    if not records:
        return None
    earlier = {
        attempt["attempt"]: text_of(attempt, "timelineId")
        for record in records
        for attempt in objects_of(record.get("previousAttempts"))
        if isinstance(attempt.get("attempt"), int)
    }
    timelines = [_timeline(http, f"{path}/{earlier[one]}") for one in sorted(earlier) if earlier[one]]
    return [
        {"jobs": [fields_of(record, _OF_RECORD) for record in found if record.get("type") == "Job"]}
        for found in (*timelines, records)
    ]


def _timeline(http: Http, path: str) -> list[Json]:
    try:
        return objects_of(object_of(get(http, path).json()).get("records"))
    except GoneError:
        return []
