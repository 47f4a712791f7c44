"""Change requests that an admin's rules count as deployments, by their service and type.

https://www.servicenow.com/docs/r/it-service-management/change-management/c_ChangeStateModel.html

They are one source of deployments, and never count in addition to another source of the same service: their `task`
marks them, and integrations/delivery/rollouts/ applies that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord
from integrations.connectors.deployment_rules import Rules, deployment_by, is_unplanned
from integrations.connectors.drafts import DeploymentDraft, Who
from integrations.connectors.reader import Reader
from integrations.connectors.servicenow.incidents import shown
from integrations.connectors.servicenow.tables import CHANGE_REQUESTS, changed_rows, of_service, value_of
from integrations.connectors.unchecked import object_of
from integrations.enums import CHANGE_REQUEST, RunStatus

SOURCE = "change_request"
FIELDS = (
    *("sys_id", "number", "type", "category", "state", "close_code", "business_service", "cmdb_ci", "assigned_to"),
    *("assigned_to.email", "opened_at", "work_start", "work_end", "closed_at", "correlation_id", "sys_updated_on"),
)
REVIEW, CLOSED, CANCELLED = "0", "3", "4"
_STATES: Mapping[str, RunStatus] = {
    **dict.fromkeys(("-5", "-4", "-3", "-2"), RunStatus.QUEUED),
    "-1": RunStatus.RUNNING,
    CANCELLED: RunStatus.CANCELLED,
}
_OUTCOMES: Mapping[str, RunStatus] = {
    **dict.fromkeys(("successful", "successful_issues"), RunStatus.SUCCESS),
    "unsuccessful": RunStatus.FAILURE,
}


def deployment_of(rules: Rules, row: Json, service: str) -> Json | None:
    """The values by the first rule that matches service/type; None: the change is no deployment."""
    texts = {name: value_of(row, name) for name in row if isinstance(row.get(name), dict)}
    return deployment_by(rules.of(f"{service}/{value_of(row, 'type')}"), texts)


def normalise_change_request(payload: Json) -> list[DeploymentDraft]:
    """`change_request` is a row; `service` the name of the one whose list it was in, `deployment` the values by its
    rule (none: the change is no deployment), `page` the instance's address.
    """
    reader = Reader(payload)
    row = reader.object(SOURCE) or Reader(None, SOURCE)
    values = reader.object("deployment") or Reader({}, "deployment")
    service = reader.text("service", default="")
    status = _status(row)
    is_over = status in (RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELLED)
    ended_at = row.part_time("work_end.value") or row.part_time("closed_at.value")
    return [
        DeploymentDraft(
            external_id=row.identifier("sys_id.value"),
            updated_at=row.part_time("sys_updated_on.value"),
            deleted=payload.get("deployment") is None,
            repository=values.text("repository", default="") or service,
            service=values.text("service", default="") or service,
            native_environment=values.text("environment", default=""),
            status=status,
            native_status=": ".join(filter(None, (shown(row, "state"), shown(row, "close_code")))),
            sha=values.text("sha", default=""),
            url=f"{reader.text('page', default='')}/change_request.do?sys_id={row.identifier('sys_id.value')}",
            deployed_by=_who(row),
            created_at=row.part_time("opened_at.value"),
            started_at=row.part_time("work_start.value"),
            finished_at=ended_at if is_over else None,
            unplanned=is_unplanned(values.text("unplanned", default="")),
            task=CHANGE_REQUEST,
            left_out=tuple(reader.left_out),
        )
    ]


def _status(row: Reader) -> RunStatus:
    """The status by the change's state; once implemented, or in a state of the instance's own, by its close code."""
    state = row.text("state.value", default="")
    if state in _STATES:
        return _STATES[state]
    outcome = _OUTCOMES.get(row.text("close_code.value", default=""))
    return outcome or (RunStatus.RUNNING if state == REVIEW else RunStatus.OTHER)


def _who(row: Reader) -> Who | None:
    account = row.text("assigned_to.value", default="")
    if not account:
        return None
    name = row.text("assigned_to.display_value", default="")
    return Who(account=account, name=name, email=row.text("assigned_to_email.value", default=""))


def fetch_change_requests(
    http: Http, resource: FetchedResource, cursor: Cursor, *, rules: Rules, page: str, now: datetime
) -> Iterator[Page]:
    """Read all changes of the service from an empty cursor, else those that changed.  Without rules nothing is
    requested.
    """
    if not rules.rules:
        yield Page((), {}, left=0, complete=True)
        return

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        return [
            RawRecord(
                {
                    SOURCE: entry["row"],
                    "service": resource.name,
                    "deployment": deployment_of(rules, object_of(entry, "row"), resource.name),
                    "page": page,
                },
                normalise_change_request,
                entry["id"],
                SOURCE,
            )
            for entry in entries
        ]

    changes = changed_rows(CHANGE_REQUESTS, of_service(resource.external_id), FIELDS, read=read)
    yield from changes.pages(http, cursor, now=now)
