"""A simulated ServiceNow that shows a history's incidents, and a change request for each deployment to production.

with ServiceNowServer(history, token="x") as servicenow:
    connect to servicenow.url as the user "reader" with that password
    servicenow.advance(to)      # what happened until then is there now

A service is what is built from a repository.  Queries are evaluated over the rows as they are then, as far as a reader
needs them: conditions with =, !=, <, <=, >, >=, IN, with ^ and ^OR, and the order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from demo.plan.delivery import DeliveryHistory, Deployment, DeploymentState, Incident, Repository, Urgency
from demo.providers.faults import Answer, Fault, Request
from demo.providers.simulated_server import SimulatedServer
from integrations.connectors.base import basic_auth

USER, CLIENT, BEARER = "reader", "client-1", "token-of-oauth"
BY_DEFAULT = 10_000
Row = dict[str, tuple[str, str]]  # by field: the value, and what is displayed
_TABLE = re.compile("/api/now/table/([a-z_]+)")
_CONDITION = re.compile("([a-z_.]+?)(!=|>=|<=|=|>|<|IN)(.*)")
_PRIORITIES = {Urgency.CRITICAL: ("1", "1 - Critical"), Urgency.HIGH: ("2", "2 - High"), Urgency.LOW: ("4", "4 - Low")}
_UNSUCCESSFUL = ("unsuccessful", "Unsuccessful")
_CLOSE_CODES = {
    DeploymentState.SUCCESS: ("successful", "Successful"),
    DeploymentState.FAILURE: _UNSUCCESSFUL,
    DeploymentState.ERROR: _UNSUCCESSFUL,
}
_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda value, given: value == given,
    "!=": lambda value, given: value != given,
    ">=": lambda value, given: value >= given,
    "<=": lambda value, given: value <= given,
    ">": lambda value, given: value > given,
    "<": lambda value, given: value < given,
    "IN": lambda value, given: value in given.split(","),
}


class ServiceNowServer(SimulatedServer):
    """`at` is the instant that is shown, the history's end where none is given.

    `services` are the names of services by repository; those of others are called as their repositories.  `edits` are
    fields of rows by sys_id; access rules hide the rows `hidden` and the fields `hidden_fields`.  `zone` is the user's,
    in which times are displayed; `shifted` moves the times in queries as well.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        token: str,
        user: str = USER,
        at: datetime | None = None,
        services: Mapping[str, str] = MappingProxyType({}),
        faults: Iterable[Fault] = (),
        web: str = "",
        port: int = 0,
    ) -> None:
        super().__init__("ServiceNow", faults=faults, port=port)
        self._history, self._services, self._web = history, services, web or self.url
        self._user, self._token = user, token
        self.edits: dict[str, Row] = {}
        self.hidden: set[str] = set()
        self.hidden_fields: set[str] = set()
        self.zone = ZoneInfo("Europe/Berlin")
        self.shifted = timedelta()
        self.advance(at or history.ends_at)

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant, which is the server's own time, from the next request on."""
        self.at = to
        self.clock_ahead = to - datetime.now(UTC)

    def show(self, history: DeliveryHistory) -> None:
        self._history = history

    def answer_of(self, request: Request) -> Answer:
        if request.path == "/oauth_token.do":
            return self._exchange(request)
        if request.headers.get("authorization") not in (basic_auth(self._user, self._token), f"Bearer {BEARER}"):
            return _error(401, "User Not Authenticated", "Required to provide Auth information")
        named = _TABLE.fullmatch(request.path)
        tables: Mapping[str, Callable[[], list[Row]]] = {
            "cmdb_ci_service": lambda: [self._service(one) for one in self._history.repositories],
            "incident": lambda: [self._incident(one) for one in self._history.incidents if one.started_at <= self.at],
            "change_request": lambda: [self._change(one) for one in self._deployed()],
        }
        if named is None or named[1] not in tables:
            return _error(400, f"Invalid table {request.path.rpartition('/')[2]}", None)
        return self._page(request, [row | self.edits.get(row["sys_id"][0], {}) for row in tables[named[1]]()])

    def _exchange(self, request: Request) -> Answer:
        """https://www.servicenow.com/docs/r/platform-security/authentication/r_OAuthAPIRequestParameters.html"""
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        of_user = form.get("grant_type") == "password"
        known = (form.get("username"), form.get("password")) == (self._user, self._token) if of_user else True
        if not known or (form.get("client_id"), form.get("client_secret")) != (CLIENT, self._token):
            return Answer.of({"error": "access_denied", "error_description": "access_denied"}, status=401)
        return Answer.of({"access_token": BEARER, "token_type": "Bearer", "expires_in": 1799, "scope": "useraccount"})

    def _page(self, request: Request, rows: Sequence[Row]) -> Answer:
        """https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html"""
        found = self._found(rows, request.query.get("sysparm_query", ""))
        limit = int(request.query.get("sysparm_limit", BY_DEFAULT))
        offset = int(request.query.get("sysparm_offset", "0"))
        fields = [name for name in request.query["sysparm_fields"].split(",") if name not in self.hidden_fields]
        page = [row for row in found[offset : offset + limit] if row["sys_id"][0] not in self.hidden]
        result = [{name: _sent(request, *row.get(name, ("", ""))) for name in fields} for row in page]
        headers = {"X-Total-Count": str(len(found))}
        if offset + limit < len(found):
            headers["Link"] = f'<{self.url}{request.path}?sysparm_offset={offset + limit}>;rel="next"'
        return Answer.of({"result": result}, headers=headers)

    def _found(self, rows: Sequence[Row], query: str) -> list[Row]:
        found, order = list(rows), []
        groups: list[list[re.Match[str]]] = []
        for part in filter(None, query.split("^")):
            if part.startswith("ORDERBY"):
                order.append((part.removeprefix("ORDERBY").removeprefix("DESC"), part.startswith("ORDERBYDESC")))
                continue
            condition = _CONDITION.fullmatch(part.removeprefix("OR"))
            if condition is None:
                raise ValueError(part)
            groups.append([*groups.pop(), condition] if part.startswith("OR") else [condition])
        for group in groups:
            found = [row for row in found if any(self._holds(row, condition) for condition in group)]
        for name, descends in reversed(order):
            found.sort(key=lambda row: row.get(name, ("", ""))[0], reverse=descends)
        return found

    def _holds(self, row: Row, condition: re.Match[str]) -> bool:
        name, operator, given = condition.groups()
        if self.shifted and name.endswith("_on"):
            given = _written(datetime.fromisoformat(given) + self.shifted)
        return _COMPARE[operator](row.get(name, ("", ""))[0], given)

    # Rows -----------------------------------------------------------------------------------------------------

    def _service(self, repository: Repository) -> Row:
        return {
            "sys_id": _same(service_id(repository)),
            "name": _same(self._name(repository)),
            "operational_status": ("1", "Operational"),
            "sys_updated_on": self._time(repository.created_at),
        }

    def _incident(self, incident: Incident) -> Row:
        """https://www.servicenow.com/docs/r/it-service-management/incident-management/c_IncidentManagement.html"""
        resolved = incident.resolved_at is not None and incident.resolved_at <= self.at
        acknowledged = incident.acknowledged_at is not None and incident.acknowledged_at <= self.at
        state = ("6", "Resolved") if resolved else ("2", "In Progress") if acknowledged else ("1", "New")
        moments = (incident.started_at, incident.acknowledged_at, incident.resolved_at)
        return {
            "sys_id": _same(f"{incident.id:032x}"),
            "number": _same(f"INC{incident.id:07}"),
            "short_description": _same(incident.title),
            "state": state,
            "priority": _PRIORITIES[incident.urgency],
            "business_service": (service_id(incident.repository), self._name(incident.repository)),
            "cmdb_ci": ("", ""),
            "opened_at": self._time(incident.started_at),
            "resolved_at": self._time(incident.resolved_at if resolved else None),
            "closed_at": ("", ""),
            "caused_by": ("", "") if incident.caused_by is None else _same(change_id(incident.caused_by)),
            "parent_incident": ("", ""),
            "sys_updated_on": self._time(max(at for at in moments if at is not None and at <= self.at)),
        }

    def _deployed(self) -> list[Deployment]:
        """Deployments to production that have begun, of those that came to an end."""
        return [
            one
            for one in self._history.deployments
            if one.environment == "production" and len(one.statuses) > 1 and one.created_at <= self.at
        ]

    def _change(self, deployment: Deployment) -> Row:
        """https://www.servicenow.com/docs/r/it-service-management/change-management/c_ChangeStateModel.html"""
        seen = [status for status in deployment.statuses if status.at <= self.at]
        began = next((one.at for one in seen if one.state is DeploymentState.IN_PROGRESS), None)
        ended = next((one for one in seen if one.state in _CLOSE_CODES), None)
        account = deployment.by
        return {
            "sys_id": _same(change_id(deployment.id)),
            "number": _same(f"CHG{deployment.id:07}"),
            "type": ("emergency", "Emergency") if deployment.fixes else ("normal", "Normal"),
            "category": ("software", "Software"),
            "state": ("3", "Closed") if ended else ("-1", "Implement") if began else ("-2", "Scheduled"),
            "close_code": _CLOSE_CODES[ended.state] if ended else ("", ""),
            "business_service": ("", ""),
            "cmdb_ci": (service_id(deployment.repository), self._name(deployment.repository)),
            "assigned_to": (f"{account.id:032x}", account.name) if account else ("", ""),
            "assigned_to.email": _same(account.email if account else ""),
            "opened_at": self._time(deployment.created_at),
            "work_start": self._time(began),
            "work_end": self._time(ended.at if ended else None),
            "closed_at": self._time(ended.at if ended else None),
            "correlation_id": _same(deployment.sha),
            "sys_updated_on": self._time(max((one.at for one in seen), default=deployment.created_at)),
        }

    def _name(self, repository: Repository) -> str:
        return self._services.get(repository.name) or repository.name

    def _time(self, at: datetime | None) -> tuple[str, str]:
        """A time in UTC, and as the user sees it."""
        return ("", "") if at is None else (_written(at), at.astimezone(self.zone).strftime("%d.%m.%Y %H:%M:%S"))


def service_id(repository: Repository) -> str:
    return f"5{repository.id:031x}"


def change_id(deployment: int) -> str:
    return f"c{deployment:031x}"


def _same(text: str) -> tuple[str, str]:
    return text, text


def _sent(request: Request, value: str, displayed: str) -> object:
    both = request.query.get("sysparm_display_value") == "all"
    return {"display_value": displayed, "value": value} if both else value


def _error(status: int, message: str, detail: str | None) -> Answer:
    return Answer.of({"error": {"message": message, "detail": detail}, "status": "failure"}, status=status)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
