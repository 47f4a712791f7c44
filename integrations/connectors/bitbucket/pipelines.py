"""Pipelines with their steps, one record per attempt.

Pipelines are listed by creation, newest first, and cannot be filtered by change.  So a later reading lists those that
were created since, and requests the unfinished ones, ten at a time and in turn: a pipeline that waits for somebody may
do so forever.  Pipelines that are created meanwhile move others back in the list, never forward.

A cursor is {} or
  {"since", "open"}                              everything that was created before `since` was read
  these, and {"then", "found", "page", "skip"}   a reading is in progress
`open` and `found` are the ids of unfinished pipelines.

https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/; failed steps that are run again have the next
run number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.bitbucket.lists import list_all, list_page
from integrations.connectors.bitbucket.records import Place, account, bare, braced, person_fields, state_of, uuid_in
from integrations.connectors.changes import AT_A_TIME, OVERLAP, written
from integrations.connectors.drafts import MISSING, JobDraft, PipelineRunDraft, ProvidedParts, shown_title
from integrations.connectors.errors import GoneError
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import as_record, fields_of, object_of, objects_of, record_of, text_of, time_of
from integrations.enums import RunStatus

SOURCE = "bitbucket_pipeline"
STEPS_WITHIN = timedelta(days=90)  # those of older pipelines cost a request each
LONGEST_OPEN = timedelta(days=30)  # a pipeline that has not finished by then never will
COMPLETED = "COMPLETED"
RESULTS: Mapping[str, RunStatus] = {
    "SUCCESSFUL": RunStatus.SUCCESS,
    **dict.fromkeys(("FAILED", "ERROR", "EXPIRED"), RunStatus.FAILURE),
    "STOPPED": RunStatus.CANCELLED,
    "NOT_RUN": RunStatus.SKIPPED,
}
_WAITING = frozenset({"PENDING", "READY"})
_FIELDS = ("uuid", "build_number", "state", "created_on", "completed_on", "target", "trigger")
_OF_STEP = ("uuid", "name", "state", "started_on", "completed_on", "run_number")
_TRIGGER = "pipeline_trigger_"


def normalise_pipeline(payload: Json) -> list[PipelineRunDraft]:
    """`bitbucket_pipeline` with its `repository`, and its `steps`, if they were read."""
    reader = Reader(payload)
    pipeline = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    number, completed_at = uuid_in(pipeline, "uuid"), pipeline.part_time("completed_on")
    created_at = pipeline.part_time("created_on")
    steps = reader.parts("steps", _step)
    status, native = status_of(pipeline)
    page, build = reader.text("repository.page", default=""), pipeline.integer("build_number", default=0)
    trigger = pipeline.text("trigger.type", default="").removeprefix(_TRIGGER) or pipeline.text(
        "trigger.name", default=""
    )
    began = [job.started_at for _, job in steps or () if job.started_at]
    last = PipelineRunDraft(
        external_id=number,
        updated_at=completed_at or created_at,
        repository=reader.identifier("repository.id"),
        run=number,
        name=shown_title(_name(pipeline)),
        status=status,
        native_status=native,
        url=f"{page}/pipelines/results/{build}" if page and build else MISSING,
        trigger=trigger.lower() or MISSING,
        sha=pipeline.text("target.commit.hash", default=MISSING),
        branch=pipeline.text("target.ref_name", default="") or pipeline.text("target.source", default=""),
        started_by=account(pipeline.object("creator")),
        queued_at=created_at,
        started_at=min(began, default=None) if steps is not None else MISSING,
        finished_at=completed_at,
    )
    attempts = [last] if steps is None else list(_attempts(last, steps))
    return [replace(attempt, left_out=tuple(reader.left_out)) for attempt in attempts]


def status_of(item: Reader) -> tuple[RunStatus, str]:
    """The status of a pipeline or a step, and Bitbucket's own; for one in progress, its stage says whether it waits."""
    state = item.text("state.name", default="")
    if state == COMPLETED:
        result = item.text("state.result.name", default="")
        return RESULTS.get(result, RunStatus.OTHER), result or state
    stage = item.text("state.stage.name", default="")
    waits = state in _WAITING or stage in _WAITING
    return RunStatus.QUEUED if waits else RunStatus.RUNNING if state == "IN_PROGRESS" else RunStatus.OTHER, (
        stage or state
    )


def _name(pipeline: Reader) -> str:
    """The name in bitbucket-pipelines.yml: a custom pipeline has its own, others are named after the branch or tag they
    run for.
    """
    kind, pattern = (pipeline.text(f"target.selector.{part}", default="") for part in ("type", "pattern"))
    if kind == "custom" and pattern:
        return pattern
    return f"{kind}: {pattern}" if kind and pattern else f"{kind or 'default'} pipeline"


def _step(step: Reader) -> tuple[int, JobDraft]:
    """The number of its attempt, and the step."""
    status, native = status_of(step)
    started_at = step.part_time("started_on")
    job = JobDraft(
        external_id=uuid_in(step, "uuid"),
        name=shown_title(step.text("name", default="")),
        status=status,
        native_status=native,
        queued_at=started_at,  # Bitbucket does not say when it began to wait for a runner
        started_at=started_at,
        finished_at=step.part_time("completed_on"),
    )
    return max(step.integer("run_number", default=1), 1), job


def _attempts(last: PipelineRunDraft, steps: Sequence[tuple[int, JobDraft]]) -> Iterator[PipelineRunDraft]:
    """The attempts; the last one has the pipeline's own id and outcome, and steps are run again because one failed."""
    of: dict[int, list[JobDraft]] = defaultdict(list)
    for number, job in steps:
        of[number].append(job)
    numbers = sorted(of) or [1]
    for position, number in enumerate(numbers, start=1):
        jobs = of[number]
        attempt = replace(last, attempt=position, jobs=ProvidedParts(jobs))
        began = min((job.started_at for job in jobs if job.started_at), default=None)
        if position > 1:
            attempt = replace(attempt, queued_at=began, started_at=began)
        if number != numbers[-1]:
            is_stopped = any(job.status is RunStatus.CANCELLED for job in jobs)
            attempt = replace(
                attempt,
                external_id=f"{last.external_id}/{position}",
                status=RunStatus.CANCELLED if is_stopped else RunStatus.FAILURE,
                native_status="STOPPED" if is_stopped else "FAILED",
                finished_at=max((job.finished_at for job in jobs if job.finished_at), default=None),
            )
        yield attempt


# Reading ------------------------------------------------------------------------------------------------------------


def fetch_pipelines(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read pipelines: each one of the last 90 days costs one request.  Single pipelines cannot be deleted."""
    path, since = place.path("pipelines/"), time_of(cursor, "since")
    ended = {name: cursor[name] for name in ("since", "open") if name in cursor}
    then, found = str(cursor.get("then", "")), list(cursor.get("found", ()))
    number, skip = int(cursor.get("page", 1)), int(cursor.get("skip", 0))
    while True:
        listed = list_page(http, path, {"sort": "-created_on", "pagelen": AT_A_TIME * 5, "page": number})
        answered_at = response_time(listed.headers, now)
        then = then or written(answered_at - OVERLAP)
        items = [as_record(item) for item in listed.items]
        young = [item for item in items if since is None or (at := time_of(item, "created_on")) is None or at >= since]
        is_last = not listed.next or len(young) < len(items)
        for start in range(skip, max(len(young), skip + 1), AT_A_TIME):
            batch, rest = young[start : start + AT_A_TIME], young[start + AT_A_TIME :]
            found += [bare(text_of(item, "uuid")) for item in batch if _is_open(item, answered_at)]
            records = [_read(http, place, item, answered_at) for item in batch]
            if is_last and not rest:
                yield _end(http, place, records, then=then, waiting=(*cursor.get("open", ()), *found), now=answered_at)
                return
            following = {"page": number, "skip": start + AT_A_TIME} if rest else {"page": number + 1}
            left = None if listed.total is None or since else max(listed.total - number * AT_A_TIME * 5, 0) + len(rest)
            yield Page(records, {**ended, "then": then, "found": found, **following}, left=left)
        number, skip = number + 1, 0


def _end(
    http: Http, place: Place, records: list[RawRecord], *, then: str, waiting: Sequence[str], now: datetime
) -> Page:
    """The last page, with the pipelines that have waited longest to be checked again."""
    listed = {bare(text_of(object_of(record.payload, SOURCE), "uuid")) for record in records}
    queue = list(dict.fromkeys(waiting))
    again = [uuid for uuid in queue if uuid not in listed][:AT_A_TIME]
    still_open = [uuid for uuid in queue if uuid not in again]
    for uuid in again:
        try:
            item = as_record(http.get(place.path("pipelines", braced(uuid))).json())
        except GoneError:
            continue
        records.append(_read(http, place, item, now))
        if _is_open(item, now):
            still_open.append(uuid)
    return Page(records, {"since": then, "open": still_open}, left=0)


def _is_open(item: Json, now: datetime) -> bool:
    """Whether it may still finish."""
    at = time_of(item, "created_on")
    return state_of(item) != COMPLETED and at is not None and at >= now - LONGEST_OPEN


def _read(http: Http, place: Place, item: Json, now: datetime) -> RawRecord:
    uuid, created_at = text_of(item, "uuid"), time_of(item, "created_on")
    steps: list[Any] | None = None
    if uuid and created_at is not None and created_at >= now - STEPS_WITHIN:
        try:
            listed = list(list_all(http, place.path("pipelines", braced(uuid), "steps/")))
            steps = [fields_of(step, _OF_STEP) for step in objects_of(listed)]
        except GoneError:
            steps = None
    stored = {**fields_of(item, _FIELDS), "creator": person_fields(item.get("creator"))}
    return record_of(SOURCE, normalise_pipeline, stored, id_field="uuid", repository=place.repository, steps=steps)
