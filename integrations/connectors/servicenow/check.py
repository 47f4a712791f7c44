"""Checks what the user of the connection may read: tables and fields, and whether its queries take times as UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrations.connectors.base import CheckedPermission, Http, Json
from integrations.connectors.changes import ListedPage
from integrations.connectors.deployment_rules import Rules
from integrations.connectors.errors import PermanentError
from integrations.connectors.servicenow import change_requests, incidents
from integrations.connectors.servicenow.change_requests import deployment_of
from integrations.connectors.servicenow.tables import (
    CHANGE_REQUESTS,
    CHANGED,
    ID,
    INCIDENTS,
    SERVICES,
    all_of,
    list_page,
    value_of,
)
from integrations.connectors.unchecked import object_of, text_of

SERVICE_FIELDS = ("sys_id", "name", "operational_status", "sys_updated_on")
# The fields without which a row is of no use.
_NEEDED = {SERVICES: ("name",), INCIDENTS: ("opened_at", "state"), CHANGE_REQUESTS: ("state", "type")}
_ROLES = {SERVICES: "cmdb_read", INCIDENTS: "sn_incident_read", CHANGE_REQUESTS: "sn_change_read"}
_NAMES = {SERVICES: "Services", INCIDENTS: "Incidents", CHANGE_REQUESTS: "Change requests"}


def checked(http: Http, *, services: str, counted: str, rules: Rules) -> Iterator[CheckedPermission]:
    """Each table in turn, by its latest rows.  Raises CredentialRefusedError, which makes the others useless."""
    permission, _ = _table(http, SERVICES, services, SERVICE_FIELDS)
    yield permission
    permission, page = _table(http, INCIDENTS, counted, incidents.FIELDS)
    yield permission
    if page is not None and page.items:
        yield _times(http, page)
    permission, page = _table(http, CHANGE_REQUESTS, "", change_requests.FIELDS)
    yield permission
    if page is not None and page.items:
        deployed = [row for row in page.items if deployment_of(rules, row, _service_of(row)) is not None]
        what = f"{len(deployed)} of the latest {len(page.items)} change requests match a rule for deployments"
        yield CheckedPermission(what, works=True)


def _table(http: Http, table: str, query: str, fields: Sequence[str]) -> tuple[CheckedPermission, ListedPage | None]:
    name, role = _NAMES[table], f"Grant the user the role {_ROLES[table]}, or itil."
    try:
        page = list_page(http, table, all_of(query, f"ORDERBYDESC{CHANGED}"), fields)
    except PermanentError as problem:
        return CheckedPermission(name, works=False, remedy=f"{problem.problem} {role}"), None
    rows = [row for row in page.items if isinstance(row, dict)]
    if not rows and page.total:
        return CheckedPermission(name, works=False, remedy=f"There are some, but access rules hide them. {role}"), page
    if not rows and table == SERVICES:
        return CheckedPermission(name, works=False, remedy=f"None is visible. {role}"), page
    hidden = [
        field for field in (*_NEEDED[table], ID, CHANGED) if rows and not any(value_of(row, field) for row in rows)
    ]
    if hidden:
        remedy = f"Access rules hide {', '.join(hidden)}. Let the user read the fields that the documentation lists."
        return CheckedPermission(name, works=False, remedy=remedy), page
    return CheckedPermission(name if rows else f"{name}: none is visible", works=True), page


def _times(http: Http, page: ListedPage) -> CheckedPermission:
    """Whether a time in a query means the same as in a row; for a user in another time zone, windows would be
    shifted.
    """
    row = page.items[0]
    at, id_ = value_of(row, CHANGED).removesuffix("Z"), value_of(row, ID)
    found = list_page(http, INCIDENTS, all_of(f"{CHANGED}={at}", f"{ID}={id_}"), (ID,)).items
    remedy = "" if found else "Set the time zone of the user to GMT: ServiceNow shifts the times in its queries."
    return CheckedPermission("Times in UTC", works=bool(found), remedy=remedy)


def _service_of(row: Json) -> str:
    names = (text_of(object_of(row, name), "display_value") for name in ("business_service", "cmdb_ci"))
    return next(filter(None, names), "")
