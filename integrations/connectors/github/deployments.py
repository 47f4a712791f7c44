"""Deployments with their statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.connectors.base import Json
from integrations.connectors.drafts import MISSING, DeploymentDraft, DeploymentStatusDraft, Missing, ProvidedParts
from integrations.connectors.github.accounts import account
from integrations.connectors.json_text import read_json
from integrations.connectors.reader import Reader
from integrations.enums import RunStatus

LONGEST_NAME = 200
MOST_FIXED = 100  # deployments that one can repair
INACTIVE = "inactive"  # another deployment took its place: one that went well stays so
_STATUSES: Mapping[str, RunStatus] = {
    "success": RunStatus.SUCCESS,
    "failure": RunStatus.FAILURE,
    "error": RunStatus.FAILURE,
    "in_progress": RunStatus.RUNNING,
    "queued": RunStatus.QUEUED,
    "pending": RunStatus.QUEUED,
    "waiting": RunStatus.QUEUED,
}
_FINAL = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE})
_ORDER = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.OTHER, RunStatus.FAILURE, RunStatus.SUCCESS)


def normalise_deployment(payload: Json) -> list[DeploymentDraft]:
    """`deployment` as REST or a webhook has it, and `repository` (its id and page).

    Its statuses are all in `details` (GraphQL) or `statuses` (REST); or the single one of a webhook is in
    `deployment_status`; or there are none.
    """
    reader = Reader(payload)
    deployment = Reader(payload.get("deployment"), "deployment")
    whole = reader.has("details") or reader.has("statuses")
    statuses = _statuses(reader)
    outcome = _outcome(statuses) if whole else _news(statuses)
    page = reader.text("repository.html_url", default="")
    own = _payload_fields(payload)
    return [
        DeploymentDraft(
            external_id=deployment.identifier("id"),
            updated_at=max([deployment.time("updated_at"), *(status.at for status in statuses)]),
            repository=reader.identifier("repository.id"),
            native_environment=deployment.text("environment"),
            service=own.get("service", MISSING),
            rollback_of=own.get("rollback_of", MISSING),
            fixes=own.get("fixes", MISSING),
            unplanned=own.get("unplanned", MISSING),
            status=outcome.status,
            native_status=outcome.native_status,
            sha=deployment.text("sha"),
            ref=deployment.text("ref"),
            url=f"{page}/deployments" if page else MISSING,
            deployed_by=account(deployment.object("creator")),
            created_at=deployment.time("created_at"),
            started_at=outcome.started_at,
            finished_at=outcome.finished_at,
            statuses=ProvidedParts(statuses, whole=whole),
        )
    ]


def _payload_fields(payload: Json) -> dict[str, Any]:
    """The fields of a deployment's payload that Headway reads: service, rollback_of, fixes (ids) and unplanned.

    The payload is free-form: anything else in it is ignored.
    https://docs.github.com/en/rest/deployments/deployments#create-a-deployment
    """
    written = payload["deployment"].get("payload")
    if isinstance(written, str):  # as GitHub returns it if it was sent as text
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
    """Those that are ids, as numbers or text, each once."""
    ids = [value for value in written if isinstance(value, (int, str)) and not isinstance(value, bool)]
    return tuple(dict.fromkeys(str(id_).replace("\0", "")[:LONGEST_NAME] for id_ in ids if id_ != ""))


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: RunStatus | Missing = MISSING
    native_status: str | Missing = MISSING
    started_at: datetime | Missing | None = MISSING
    finished_at: datetime | Missing | None = MISSING


def _outcome(statuses: Sequence[DeploymentStatusDraft]) -> _Outcome:
    """The outcome of a deployment with all these statuses, in order of time."""
    before = [status for status in statuses if status.native_status != INACTIVE]
    last = before[-1] if before else None
    started_at = next((status.at for status in reversed(before) if status.status is RunStatus.RUNNING), None)
    if last is not None and last.status in _FINAL:
        return _Outcome(last.status, last.native_status, started_at, last.at)
    if statuses and statuses[-1].native_status == INACTIVE:  # another one came before it had ended
        return _Outcome(RunStatus.CANCELLED, INACTIVE, started_at, statuses[-1].at)
    if last is None:
        return _Outcome(RunStatus.QUEUED, "", None, None)
    return _Outcome(last.status, last.native_status, started_at, None)


def _news(statuses: Sequence[DeploymentStatusDraft]) -> _Outcome:
    """What one status changes; fields that it does not provide stay as they are."""
    for status in statuses:
        if status.native_status == INACTIVE:
            continue
        if status.status in _FINAL:
            return _Outcome(status.status, status.native_status, finished_at=status.at)
        started_at = status.at if status.status is RunStatus.RUNNING else MISSING
        return _Outcome(status.status, status.native_status, started_at, None)
    return _Outcome()


def _statuses(reader: Reader) -> list[DeploymentStatusDraft]:
    """In order of time; those of one second in their usual order."""
    if (details := reader.object("details")) is not None:
        statuses = [_status(status, "createdAt") for status in details.objects("statuses.nodes")]
    elif (one := reader.object("deployment_status")) is not None:
        statuses = [_status(one, "created_at")]
    else:
        statuses = [_status(status, "created_at") for status in reader.objects("statuses")]
    once = {status.external_id: status for status in statuses}
    return sorted(
        once.values(), key=lambda status: (status.at, status.native_status == INACTIVE, _ORDER.index(status.status))
    )


def _status(status: Reader, time: str) -> DeploymentStatusDraft:
    """GraphQL gives statuses no number: time and state name them in both forms."""
    at, state = status.time(time), status.text("state").lower()
    meaning = _STATUSES.get(state, RunStatus.OTHER)
    return DeploymentStatusDraft(
        external_id=f"{at:%Y-%m-%dT%H:%M:%SZ}/{state}"[:200], at=at, status=meaning, native_status=state
    )
