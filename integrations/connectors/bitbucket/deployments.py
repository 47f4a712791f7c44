"""Deployments of a repository's environments, made by steps of pipelines.

Lists can only be sorted by start.  Those that were never started come first and are not deployments, so the state is
part of the request.  Deployments in progress are read before the finished ones, so that none is missed by ending in
between; the next reading goes back to the start of the oldest of them.  A cursor is {} or
  {"since"}                            everything that started before `since` was read
  this, and {"then", "page"}           a reading is in progress

https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.bitbucket.lists import Listed, list_all, list_page
from integrations.connectors.bitbucket.pipelines import COMPLETED, LONGEST_OPEN, RESULTS
from integrations.connectors.bitbucket.records import Place, bare, state_of, uuid_in
from integrations.connectors.changes import OVERLAP, written
from integrations.connectors.drafts import MISSING, DeploymentDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import as_record, fields_of, object_of, objects_of, record_of, text_of, time_of
from integrations.enums import RunStatus

SOURCE = "bitbucket_deployment"
IN_PROGRESS = "IN_PROGRESS"
_TYPES = {"Production": True, "Staging": False, "Test": False}
_FIELDS = ("uuid", "state", "last_update_time", "environment", "step")


def normalise_deployment(payload: Json) -> list[DeploymentDraft]:
    """`bitbucket_deployment` with its `repository`, and the `name` and `type` of its environment, if they are known."""
    reader = Reader(payload)
    deployment = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    native = deployment.text("state.status.name", default="") or deployment.text("state.name", default="")
    is_running = deployment.text("state.name", default="") == IN_PROGRESS
    status = RunStatus.RUNNING if is_running else RESULTS.get(native, RunStatus.OTHER)
    started_at, ended_at = deployment.part_time("state.started_on"), deployment.part_time("state.completed_on")
    return [
        DeploymentDraft(
            external_id=uuid_in(deployment, "uuid"),
            updated_at=deployment.part_time("last_update_time") or ended_at or started_at,
            repository=reader.identifier("repository.id"),
            native_environment=reader.text("name", default="") or uuid_in(deployment, "environment.uuid"),
            is_production=_TYPES.get(reader.text("type", default="")),
            is_transient=None,
            status=status,
            native_status=native,
            sha=deployment.text("release.commit.hash", default=MISSING),
            url=deployment.text("release.url", default=MISSING),
            deployed_by=None,
            created_at=deployment.part_time("release.created_on") or started_at,
            started_at=started_at,
            finished_at=None if is_running else ended_at,
            run=uuid_in(deployment, "release.pipeline.uuid", ""),
            job=uuid_in(deployment, "step.uuid", ""),
            unplanned=None,
            left_out=tuple(reader.left_out),
        )
    ]


def fetch_deployments(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read deployments: two requests without new ones, and one for the environments with some."""
    since, then, number = time_of(cursor, "since"), str(cursor.get("then", "")), int(cursor.get("page", 1))
    ended = {"since": cursor["since"]} if since else {}
    running: list[Json] = []
    if not then:
        listed = _listed(http, place, IN_PROGRESS, 1)
        answered_at = response_time(listed.headers, now)
        running = [item for item in map(as_record, listed.items) if state_of(item) == IN_PROGRESS]
        starts = [at for item in running if (at := _started(item)) and at >= answered_at - LONGEST_OPEN]
        then = written(min([answered_at, *starts]) - OVERLAP)
    while True:
        listed = _listed(http, place, COMPLETED, number)
        items = [item for item in map(as_record, listed.items) if state_of(item) in ("", COMPLETED)]
        young = [item for item in items if since is None or (at := _started(item)) is None or at >= since]
        records = _records(http, place, [*running, *young])
        if not listed.next or len(young) < len(items):
            yield Page(records, {"since": then}, left=0)
            return
        number, running = number + 1, []
        yield Page(records, {**ended, "then": then, "page": number})


def _listed(http: Http, place: Place, state: str, number: int) -> Listed:
    params = {"sort": "-state.started_on", "state.name": state, "page": number}
    return list_page(http, place.path("deployments/"), params)


def _started(item: Json) -> datetime | None:
    return time_of(item.get("state"), "started_on")


def _records(http: Http, place: Place, items: Sequence[Json]) -> list[RawRecord]:
    environments = _environments(http, place) if items else {}
    return [
        record_of(
            SOURCE,
            normalise_deployment,
            _stored(item),
            id_field="uuid",
            repository=place.repository,
            **environments.get(bare(text_of(item.get("environment"), "uuid")), {}),
        )
        for item in items
    ]


def _environments(http: Http, place: Place) -> Mapping[str, Json]:
    """Id → name and type of each environment; empty if the token may not read them, in which case ids are shown."""
    try:
        listed = objects_of(list(list_all(http, place.path("environments/"))))
    except PermanentError:
        return {}
    return {
        bare(text_of(one, "uuid")): {
            "name": text_of(one, "name"),
            "type": text_of(object_of(one, "environment_type"), "name"),
        }
        for one in listed
    }


def _stored(item: Json) -> Json:
    """The fields that are read; the commit is next to the release or inside it."""
    release: Any = item.get("release")
    if isinstance(release, dict):
        kept = fields_of(release, ("pipeline", "url", "created_on", "commit"))
        release = {**kept, "commit": fields_of(kept.get("commit", item.get("commit")), ("hash",))}
    return {**fields_of(item, _FIELDS), "release": release}
