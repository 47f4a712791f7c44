"""Deployments of the environments of YAML pipelines, made by jobs that name an environment.

Environments list the records of their deployments, one for each job; those of one attempt of a stage are one
deployment.  The commit and the repository come from its build.  Records come with builds, so nothing is requested if no
build has finished since then and none is running.  A cursor is {} or {"since"}, with {"then", "done"} while
environments are read one after another; `open` is the queue time of the oldest unfinished deployment, and `releases`
the cursor of classic releases.

https://learn.microsoft.com/rest/api/azure/devops/environments/environments/list and
/environmentdeployment-records/list
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.azure.lists import PER_PAGE, entries_in, get, list_all
from integrations.connectors.azure.pipelines import RESULTS, repository_of, trimmed
from integrations.connectors.azure.records import Place, account, branch
from integrations.connectors.azure.releases import release_deployments
from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.changes import OVERLAP, written
from integrations.connectors.drafts import MISSING, DeploymentDraft
from integrations.connectors.errors import GoneError, TransientError
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import fields_of, object_of, objects_of, record_of, text_of, time_of
from integrations.enums import RunStatus

SOURCE = "environment_deployment"
ENVIRONMENTS, PREVIEW = "distributedtask/environments", "7.1-preview.1"
LONGEST_OPEN = timedelta(days=30)  # a deployment that has not finished by then never will
_WORST = (RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.FAILURE, RunStatus.CANCELLED, RunStatus.OTHER)
_FINISHED = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELLED, RunStatus.SKIPPED})
_FIELDS = ("id", "stageName", "stageAttempt", "jobName", "result", "queueTime", "startTime", "finishTime")


def normalise_deployment(payload: Json) -> list[DeploymentDraft]:
    """`environment_deployment`: a stage's `jobs` and their `environment`; the stage's `build`; `page`."""
    reader = Reader(payload)
    stage = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    build = reader.object("build")
    jobs = stage.parts("jobs", lambda job: (_status(job), *_times(job))) or []
    status = _outcome([job[0] for job in jobs])
    queued = min((job[1] for job in jobs if job[1]), default=None)
    started = min((job[2] for job in jobs if job[2]), default=None)
    ended = max((job[3] for job in jobs if job[3]), default=None) if status in _FINISHED else None
    return [
        DeploymentDraft(
            external_id=stage.identifier("id"),
            updated_at=ended or started or queued,
            repository=repository_of(build) if build else "",
            native_environment=stage.text("environment"),
            is_production=None,
            is_transient=None,
            status=status,
            native_status=stage.text("result", default=""),
            sha=build.text("sourceVersion", default=MISSING) if build else MISSING,
            ref=branch(build.text("sourceBranch", default="")) if build else MISSING,
            url=reader.text("page", default=MISSING),
            deployed_by=account(build.object("requestedFor")) if build else MISSING,
            created_at=queued,
            started_at=started,
            finished_at=ended,
            run=stage.identifier("build_id"),
            unplanned=None,
            left_out=tuple(reader.left_out),
        )
    ]


def _status(job: Reader) -> RunStatus:
    native = job.text("result", default="")
    if native:
        return RESULTS.get(native, RunStatus.OTHER)
    return RunStatus.RUNNING if job.has("startTime") else RunStatus.QUEUED


def _times(job: Reader) -> tuple[datetime | None, datetime | None, datetime | None]:
    return job.part_time("queueTime"), job.part_time("startTime"), job.part_time("finishTime")


def _outcome(statuses: Sequence[RunStatus]) -> RunStatus:
    """The status of a stage, from those of its jobs: the worst, or skipped if all were skipped."""
    if statuses and all(status is RunStatus.SKIPPED for status in statuses):
        return RunStatus.SKIPPED
    return next((status for status in _WORST if status in statuses), RunStatus.SUCCESS)


# Reading ------------------------------------------------------------------------------------------------------------


def fetch_deployments(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read the deployments of environments, then those of classic releases: three requests without changes."""
    released, environments = cursor.get("releases", {}), {name: cursor[name] for name in cursor if name != "releases"}
    for page in _environments(http, place, environments, now=now):
        environments = dict(page.cursor)
        yield Page(page.records, {**environments, "releases": released}, page.left)
    for page in release_deployments(http, place, released, now=now):
        yield Page(page.records, {**environments, "releases": page.cursor}, page.left)


def _environments(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read deployments: two requests without new builds, else one for each environment and a hundred builds."""
    since, done = time_of(cursor, "since"), set(cursor.get("done", ()))
    then = dict(cursor.get("then", {}))
    if not then:
        is_quiet, answered_at = _is_quiet(http, place, since, now)
        then = {"since": written(answered_at - OVERLAP)}
        if is_quiet and not cursor.get("open"):
            yield Page((), then, left=0)
            return
    back_to = min(filter(None, (since, time_of(cursor, "open"))), default=None)
    environments = objects_of(list(list_all(http, place.api(ENVIRONMENTS), version=PREVIEW)))
    left = [one for one in environments if text_of(one, "id") not in done]
    for position, environment in enumerate(left, start=1):
        stages = _stages(_records(http, place, environment, back_to), environment)
        builds = _builds(http, place, {text_of(stage, "build_id") for stage in stages})
        records = [_record(place, stage, builds) for stage in stages]
        if (oldest := _oldest_open(stages, now)) is not None:
            then["open"] = min(written(oldest), then.get("open", "9"))
        done.add(text_of(environment, "id"))
        is_last = position == len(left)
        following = then if is_last else {**_last_reading(cursor), "then": then, "done": sorted(done)}
        yield Page(records, following, left=len(left) - position)
    if not left:
        yield Page((), then, left=0)


def _last_reading(cursor: Cursor) -> dict[str, Any]:
    return {name: cursor[name] for name in ("since", "open") if name in cursor}


def _is_quiet(http: Http, place: Place, since: datetime | None, now: datetime) -> tuple[bool, datetime]:
    """Whether no build has finished since and none is running, and the time of the answer."""
    path = place.api("build/builds")
    filters: dict[str, Any] = {"statusFilter": "completed", "queryOrder": "finishTimeDescending", "$top": 1}
    finished = get(http, path, {**filters, "minTime": written(since)} if since else filters)
    answered_at = response_time(finished.headers, now)
    if since is None or entries_in(finished, path):
        return False, answered_at
    running = get(http, path, {"statusFilter": "inProgress", "$top": 1})
    return not entries_in(running, path), answered_at


def _records(http: Http, place: Place, environment: Json, back_to: datetime | None) -> Iterator[Json]:
    """The records of an environment, newest first, back to a time."""
    number = text_of(environment, "id")
    path = place.api(ENVIRONMENTS, number, "environmentdeploymentrecords")
    # The specification says `top`, public clients `$top`; an unknown name is ignored in silence.
    try:
        for record in list_all(http, path, {"top": PER_PAGE, "$top": PER_PAGE}, version=PREVIEW):
            at = time_of(record, "finishTime") or time_of(record, "queueTime")
            if at is not None and back_to is not None and at < back_to - OVERLAP:
                return
            if isinstance(record, dict):
                if text_of(record, "environmentId") != number:
                    raise TransientError(f"Azure DevOps answered {path} with records of another environment.")
                yield record
    except GoneError:  # deleted since it was listed
        return


def _stages(records: Iterable[Json], environment: Json) -> list[Json]:
    """The deployments: for each attempt of a stage of a build, its records."""
    jobs: dict[tuple[str, str, str], list[Json]] = defaultdict(list)
    for record in records:
        build = text_of(object_of(record, "owner"), "id")
        if build:
            jobs[build, text_of(record, "stageName"), text_of(record, "stageAttempt") or "1"].append(record)
    number = text_of(environment, "id")
    return [
        {
            "id": f"{number}/{build}/{stage}/{attempt}"[:200],
            "environment": text_of(environment, "name"),
            "build_id": build,
            "result": found[0].get("result"),
            "jobs": [fields_of(record, _FIELDS) for record in found],
        }
        for (build, stage, attempt), found in jobs.items()
    ]


def _builds(http: Http, place: Place, ids: set[str]) -> Mapping[str, Json]:
    """The builds of these ids, as far as they exist."""
    wanted, path = sorted(ids), place.api("build/builds")
    found: dict[str, Json] = {}
    for start in range(0, len(wanted), PER_PAGE):
        listed = get(http, path, {"buildIds": ",".join(wanted[start : start + PER_PAGE])})
        found |= {text_of(build, "id"): trimmed(build) for build in objects_of(entries_in(listed, path))}
    return found


def _record(place: Place, stage: Json, builds: Mapping[str, Json]) -> RawRecord:
    build = stage["build_id"]
    page = place.page(f"_build/results?buildId={build}")
    return record_of(SOURCE, normalise_deployment, stage, build=builds.get(build), page=page)


def _oldest_open(stages: Sequence[Json], now: datetime) -> datetime | None:
    """The queue time of the oldest deployment that may still finish."""
    times = [
        at
        for stage in stages
        for job in stage["jobs"]
        if not job.get("result") and (at := time_of(job, "queueTime")) and at >= now - LONGEST_OPEN
    ]
    return min(times, default=None)
