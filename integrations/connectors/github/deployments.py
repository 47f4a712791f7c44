"""Deployments, listed by creation, with the statuses of those that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from integrations.connectors.addresses import NamedRun, run_in
from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import MISSING, DeploymentDraft, DeploymentStatusDraft, ProvidedParts
from integrations.connectors.errors import GoneError
from integrations.connectors.github.accounts import account
from integrations.connectors.github.graphql import details_of
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.newest_first import LISTED_AGAIN, NewestFirst
from integrations.connectors.github.queries import DEPLOYMENTS
from integrations.connectors.github.stream_repository import Place, record_of
from integrations.connectors.json_text import read_json
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import text_of, time_of
from integrations.enums import RunStatus

BATCH_OVER_GRAPHQL = 100
BATCH_OVER_REST = 25  # one request each
LONGEST_NAME = 200
MOST_FIXED = 100  # deployments that one can repair
_STATUSES: Mapping[str, RunStatus] = {
    "success": RunStatus.SUCCESS,
    "failure": RunStatus.FAILURE,
    "error": RunStatus.FAILURE,
    "in_progress": RunStatus.RUNNING,
    "queued": RunStatus.QUEUED,
    "pending": RunStatus.QUEUED,
    "waiting": RunStatus.QUEUED,
}


def normalise_deployment(payload: Json) -> list[DeploymentDraft]:
    """`deployment` from REST or a webhook, and `repository` (its id and page).

    All its statuses are in `details` (GraphQL) or `statuses` (REST); the single one of a webhook is in
    `deployment_status`; or there are none.  They give its outcome: integrations/delivery/rollouts/outcomes.py.
    """
    reader = Reader(payload)
    deployment = Reader(payload.get("deployment"), "deployment", parent=reader)
    whole = reader.has("details") or reader.has("statuses")
    statuses = _statuses(reader)
    page = reader.text("repository.html_url", default="")
    own, updated_at = _payload_fields(payload), deployment.part_time("updated_at")
    return [
        DeploymentDraft(
            external_id=deployment.identifier("id"),
            updated_at=max([*filter(None, [updated_at]), *(status.at for status in statuses)], default=None),
            repository=reader.identifier("repository.id"),
            native_environment=deployment.text("environment"),
            service=own.get("service", MISSING),
            rollback_of=own.get("rollback_of", MISSING),
            fixes=own.get("fixes", MISSING),
            unplanned=own.get("unplanned", MISSING),
            task=deployment.text("task", default="")[:LONGEST_NAME],
            is_production=deployment.boolean("production_environment", default=None),
            is_transient=deployment.boolean("transient_environment", default=None),
            sha=deployment.text("sha", default=MISSING),
            ref=deployment.text("ref", default=MISSING),
            url=f"{page}/deployments" if page else MISSING,
            deployed_by=account(deployment.object("creator")),
            created_at=deployment.part_time("created_at"),
            statuses=ProvidedParts(statuses, whole=whole),
            left_out=tuple(reader.left_out),
        )
    ]


def _payload_fields(payload: Json) -> dict[str, Any]:
    """The fields of a deployment's payload that Headway reads: service, rollback_of, fixes (ids) and unplanned.

    The payload is free-form: anything else in it is ignored.
    https://docs.github.com/en/rest/deployments/deployments#create-a-deployment
    """
    written = payload["deployment"].get("payload")
    if isinstance(written, str):  # GitHub returns text if it was sent as text
        try:
            written = read_json(written)
        except (ValueError, RecursionError):
            return {}
    if not isinstance(written, dict):
        return {}
    fields: dict[str, Any] = {}
    if isinstance(service := written.get("service"), str):
        fields["service"] = service.replace("\0", "")[:LONGEST_NAME]
    if rolled_back := _ids(written.get("rollback_of")):
        fields["rollback_of"] = rolled_back[0]
    fixed = written.get("fixes")
    if repaired := _ids(*fixed[:MOST_FIXED]) if isinstance(fixed, list) else _ids(fixed):
        fields["fixes"] = repaired
    if isinstance(unplanned := written.get("unplanned"), bool):
        fields["unplanned"] = unplanned
    return fields


def _ids(*written: Any) -> tuple[str, ...]:
    """The entries that are ids, as numbers or text, each once."""
    ids = [value for value in written if isinstance(value, (int, str)) and not isinstance(value, bool)]
    return tuple(dict.fromkeys(str(id_).replace("\0", "")[:LONGEST_NAME] for id_ in ids if id_ != ""))


def _statuses(reader: Reader) -> list[DeploymentStatusDraft]:
    """The statuses, each once: those with the same second and state are one."""
    if (details := reader.object("details")) is not None:
        statuses = details.parts("statuses.nodes", lambda status: _status(status, "createdAt"))
    elif reader.has("deployment_status"):
        one = reader.part("deployment_status", lambda status: _status(status, "created_at"))
        statuses = [] if one is None else [one]
    else:
        statuses = reader.parts("statuses", lambda status: _status(status, "created_at"))
    return list({status.external_id: status for status in statuses or ()}.values())


def _status(status: Reader, time: str) -> DeploymentStatusDraft:
    """A status; GraphQL gives statuses no number, so time and state identify them in both forms."""
    at, state = status.time(time), status.text("state").lower()
    addresses = (status.text(name, default="") for name in ("logUrl", "log_url", "target_url"))
    named = next((run for address in addresses if (run := run_in(address)).run), NamedRun())
    return DeploymentStatusDraft(
        external_id=f"{at:%Y-%m-%dT%H:%M:%SZ}/{state}"[:200],
        at=at,
        status=_STATUSES.get(state, RunStatus.OTHER),
        native_status=state,
        environment=status.text("environment", default="")[:LONGEST_NAME],
        run=named.run,
        job=named.job,
    )


def fetch_deployments(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read deployments; each is re-read for a day, because the list lacks its state and each status changes its time.

    Later changes arrive by webhook, or with the next full reading.
    """
    record = partial(record_of, "deployment", normalise_deployment, repository=place.repository)

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        if place.graphql:
            details = details_of(http, place.graphql, DEPLOYMENTS, [text_of(entry, "node_id") for entry in entries])
            return [record(entry, details=details.get(text_of(entry, "node_id"))) for entry in entries]
        return [record(entry, statuses=_read_statuses(http, place, entry)) for entry in entries]

    def is_young(item: Any) -> bool:
        created_at = time_of(item, "created_at")
        return created_at is not None and created_at > now - LISTED_AGAIN

    deployments = NewestFirst(
        path=place.path("deployments"),
        params={},
        sorted_by="created_at",
        read=read,
        batch=BATCH_OVER_GRAPHQL if place.graphql else BATCH_OVER_REST,
        is_open=is_young,
    )
    yield from deployments.pages(http, cursor, now=now)


def _read_statuses(http: Http, place: Place, entry: Json) -> list[Any] | None:
    number = text_of(entry, "id")
    if not number:
        return None
    try:
        return list(list_all(http, place.path("deployments", number, "statuses")))
    except GoneError:
        return None  # deleted since it was listed, and not yet noticed
