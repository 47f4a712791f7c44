"""Deployments of classic releases, newest change first.

https://learn.microsoft.com/rest/api/azure/devops/release/deployments/list, at a host of their own.  Its published
example has a deployment that failed under the status notDeployed, and year 1 for a missing time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.connectors.azure.lists import PER_PAGE, list_without_offset
from integrations.connectors.azure.records import Place, account, branch, person_fields
from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.changes import GRAIN, Changes, ListedPage, written
from integrations.connectors.drafts import MISSING, DeploymentDraft
from integrations.connectors.errors import Cause, GoneError, PermanentError
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import fields_of, object_of, objects_of, record_of, text_of
from integrations.enums import RunStatus

SOURCE = "release_deployment"
PATH = "release/deployments"
_STATUSES: Mapping[str, RunStatus] = {
    "succeeded": RunStatus.SUCCESS,
    "partiallysucceeded": RunStatus.SUCCESS,
    "failed": RunStatus.FAILURE,
    "inprogress": RunStatus.RUNNING,
}
_OPERATIONS: Mapping[str, RunStatus] = {  # of one that is not deployed
    **dict.fromkeys(("canceled", "phasecanceled", "rejected", "cancelling"), RunStatus.CANCELLED),
    **dict.fromkeys(("phasefailed", "gatefailed"), RunStatus.FAILURE),
}
_FINISHED = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELLED})
_TIMES = ("queuedOn", "startedOn", "completedOn", "lastModifiedOn")
_FIELDS = ("id", "attempt", "deploymentStatus", "operationStatus")
_OF_ARTIFACT = ("sourceVersion", "repository", "branch")


def normalise_release_deployment(payload: Json) -> list[DeploymentDraft]:
    """`release_deployment` from a list, with the primary `artifact` of its release; `page`, of the release."""
    reader = Reader(payload)
    deployment = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    native, operation = (deployment.text(f"{name}Status", default="") for name in ("deployment", "operation"))
    status = _STATUSES.get(native.lower()) or _OPERATIONS.get(operation.lower(), RunStatus.QUEUED)
    changed_at = deployment.part_time("lastModifiedOn")
    return [
        DeploymentDraft(
            external_id=f"release-{deployment.identifier('id')}",
            updated_at=changed_at,
            repository=deployment.identifier("artifact.repository.id", default=""),
            native_environment=deployment.text("environment"),
            is_production=None,
            is_transient=None,
            status=status,
            native_status=native if native.lower() in _STATUSES else operation,
            sha=deployment.text("artifact.sourceVersion.id", default=MISSING),
            ref=branch(deployment.text("artifact.branch.id", default="")),
            url=reader.text("page", default=MISSING),
            deployed_by=account(deployment.object("requestedFor")),
            created_at=deployment.part_time("queuedOn") or deployment.part_time("startedOn"),
            started_at=deployment.part_time("startedOn"),
            finished_at=(deployment.part_time("completedOn") or changed_at) if status in _FINISHED else None,
            run=deployment.identifier("artifact.build.id", default=""),
            unplanned=None,
            left_out=tuple(reader.left_out),
        )
    ]


def release_deployments(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read deployments; none if the token may not read them, which the check of the connection reports."""
    path = place.releases(PATH)

    def page(http: Http, since: str, before: datetime | None, number: int) -> ListedPage:
        filters = {"minModifiedTime": since} if since else {}
        filters |= {"maxModifiedTime": written(before + GRAIN)} if before is not None else {}
        return list_without_offset(http, path, {**filters, "queryOrder": "descending"}, number)

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        return [
            record_of(SOURCE, normalise_release_deployment, _trimmed(one), page=_page(place, one)) for one in entries
        ]

    changes = Changes(
        list_page=page,
        read=read,
        answered=f"Azure DevOps answered {PATH}",
        time_field="lastModifiedOn",
        batch=PER_PAGE,
        tells_all=False,
    )
    try:
        yield from changes.pages(http, cursor, now=now)
    except PermanentError as problem:
        if problem.cause is not Cause.REFUSED and not isinstance(problem, GoneError):
            raise
        yield Page((), cursor, left=0)


def _page(place: Place, entry: Json) -> str:
    return place.page(f"_release?releaseId={text_of(object_of(entry, 'release'), 'id')}")


def _trimmed(entry: Json) -> Json:
    """The fields that are read, and those of the release's primary artifact that name its commit."""
    artifacts = objects_of(object_of(entry, "release").get("artifacts"))
    primary = next((one for one in artifacts if one.get("isPrimary") is True), next(iter(artifacts), {}))
    reference = object_of(primary, "definitionReference")
    is_build = text_of(primary, "type") == "Build"
    named = {name: name for name in _OF_ARTIFACT if name in reference} | ({"build": "version"} if is_build else {})
    times: dict[str, Any] = {
        name: entry[name] for name in _TIMES if not str(entry.get(name) or "0001").startswith("0001")
    }
    return {
        **fields_of(entry, _FIELDS),
        **times,
        "environment": object_of(entry, "releaseEnvironment").get("name"),
        "requestedFor": person_fields(entry.get("requestedFor")),
        "artifact": {name: {"id": object_of(reference, field).get("id")} for name, field in named.items()},
    }
