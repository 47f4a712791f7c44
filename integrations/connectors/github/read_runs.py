"""The stream of workflow runs: the list by creation, and the jobs of each attempt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.errors import GoneError
from integrations.connectors.github.actions import COMPLETED, attempt_id, normalise_run
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.newest_first import NewestFirst
from integrations.connectors.github.stream_repository import Place
from integrations.connectors.unchecked import as_record, text_of, time_of

SOURCE = "workflow_run"
PER_PAGE = 50  # a run carries its repository twice: a hundred are megabytes
BATCH = 25
JOBS_WITHIN = timedelta(days=90)  # older runs come without jobs, each of which costs a request
MOST_ATTEMPTS = 20  # of one run; of more attempts the latest are read


def fetch_runs(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read back by time, for GitHub gives at most 1,000 runs of one question.

    A run that was deleted stays stored: runs are deleted to save space, and happened all the same.
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
            continue  # GitHub keeps earlier attempts for a while only
        records.append(_record(http, place, as_record(earlier), attempt=attempt, now=now))
    return records


def _record(http: Http, place: Place, run: Json, *, attempt: int, now: datetime) -> RawRecord:
    number = text_of(run, "id")
    created_at = time_of(run, "created_at")
    is_young = created_at is not None and created_at > now - JOBS_WITHIN
    reads_jobs = bool(number) and is_young and text_of(run, "status") == COMPLETED
    path = place.path("actions", "runs", number, "attempts", attempt, "jobs")
    try:
        jobs = list(list_all(http, path, now=now, within="jobs")) if reads_jobs else None
    except GoneError:
        jobs = None  # deleted since it was listed
    payload = {"workflow_run": run} if jobs is None else {"workflow_run": run, "jobs": jobs}
    return RawRecord(payload, normalise_run, attempt_id(number, attempt), SOURCE)


def _one(http: Http, place: Place, number: str) -> Json | None:
    try:
        return as_record(http.get(place.path("actions", "runs", number)).json())
    except GoneError:
        return None
