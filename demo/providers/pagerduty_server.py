"""A simulated PagerDuty that shows the incidents of a delivery history: what is built from a repository is a service.

with PagerDutyServer(history, token="x") as pagerduty:
    connect to pagerduty.url with that key
    pagerduty.advance(to)      # what happened until then is there now
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from demo.plan.delivery import DeliveryHistory, Deployment, Incident, Repository, Urgency
from demo.providers.faults import Answer, Fault, Request
from demo.providers.simulated_server import SimulatedServer

MOST_OF_A_LIST = 10_000
_CHANGES = re.compile("/services/(PSVC[0-9]+)/change_events")
_INCIDENT = re.compile("/incidents/(P[0-9]+)(/log_entries)?")
_PRIORITIES = {Urgency.CRITICAL: "P1", Urgency.HIGH: "P2", Urgency.LOW: "P4"}


class PagerDutyServer(SimulatedServer):
    """`at` is the instant that is shown, the history's end where none is given; `page` the most entries of a list.

    `services` are the names of services by repository; those of others are called as their repositories.
    `escalations` is how often every incident was escalated.  `web` is the address of its pages, where that is not
    the API's.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        token: str,
        at: datetime | None = None,
        services: Mapping[str, str] = MappingProxyType({}),
        faults: Iterable[Fault] = (),
        page: int = 100,
        web: str = "",
        port: int = 0,
    ) -> None:
        super().__init__("PagerDuty", faults=faults, port=port)
        self._page_size, self._web = page, web or self.url
        self.escalations = 0
        self.on_call = [
            {
                "escalation_policy": {"id": "PESC1"},
                "escalation_level": level,
                "user": {"id": f"PU{one.id}", "email": one.email},
            }
            for level, one in enumerate((one for one in history.accounts[:4] if one.email and not one.is_bot), start=1)
        ]
        self._history, self._token, self._services = history, token, services
        self.at = at or history.ends_at

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant from the next request on."""
        self.at = to

    def show(self, history: DeliveryHistory) -> None:
        self._history = history

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Token token={self._token}":
            return _refusal(401, "Invalid credentials")
        if (named := _CHANGES.fullmatch(request.path)) is not None:
            return self._page(request, "change_events", self._changes(request, named[1]))
        if (named := _INCIDENT.fullmatch(request.path)) is not None:
            return self._answer_for(request, self._incident(named[1]), is_log=bool(named[2]))
        lists: dict[str, Callable[[], list[Any]]] = {
            "/services": lambda: [self._service(one) for one in self._history.repositories],
            "/incidents": lambda: self._incidents(request),
            "/log_entries": list,
            "/oncalls": lambda: self.on_call,
            "/change_events": lambda: self._changes(request, None),
        }
        if request.path not in lists:
            return _refusal(404, "Not Found")
        return self._page(request, request.path.removeprefix("/"), lists[request.path]())

    def _answer_for(self, request: Request, incident: Incident | None, *, is_log: bool) -> Answer:
        if incident is None:
            return _refusal(404, "Not Found")
        if is_log:
            return self._page(request, "log_entries", self._log(incident))
        return Answer.of({"incident": self.document(incident)})

    def _incidents(self, request: Request) -> list[dict[str, Any]]:
        """List the incidents of a service, newest first, within at most half a year unless all are requested."""
        found = [one for one in self._history.incidents if one.started_at <= self.at]
        if services := request.query.get("service_ids[]"):
            found = [one for one in found if _service_id(one.repository) in services.split(",")]
        if "since" in request.query and request.query.get("date_range") != "all":
            since, until = (datetime.fromisoformat(request.query[name]) for name in ("since", "until"))
            if (until - since).days > 180:
                raise ValueError("The window is too wide.")
            found = [one for one in found if since <= one.started_at < until]
        documents = [self.document(one) for one in sorted(found, key=lambda one: one.started_at, reverse=True)]
        statuses = request.query.get("statuses[]", "triggered,acknowledged,resolved").split(",")
        return [one for one in documents if one["status"] in statuses]

    def _changes(self, request: Request, service: str | None) -> list[dict[str, Any]]:
        """Deployments to production, of which its tool tells PagerDuty, the last one first."""
        since, until = (datetime.fromisoformat(request.query[name]) for name in ("since", "until"))
        found = [
            (deployment, finished)
            for deployment in self._history.deployments
            if deployment.environment == "production"
            for finished in (deployment.statuses[-1].at if deployment.statuses else deployment.created_at,)
            if since <= finished <= min(until, self.at) and service in (None, _service_id(deployment.repository))
        ]
        return [self._change(*one) for one in sorted(found, key=lambda one: one[1], reverse=True)]

    def _incident(self, id_: str) -> Incident | None:
        return next((one for one in self._history.incidents if f"P{one.id}" == id_ and one.started_at <= self.at), None)

    def document(self, incident: Incident) -> dict[str, Any]:
        happened = [entry["created_at"] for entry in self._log(incident)]
        resolved = incident.resolved_at is not None and incident.resolved_at <= self.at
        acknowledged = incident.acknowledged_at is not None and incident.acknowledged_at <= self.at
        return {
            "id": f"P{incident.id}",
            "type": "incident",
            "incident_number": incident.id,
            "title": incident.title,
            "description": incident.title,
            "html_url": f"{self._web}/incidents/P{incident.id}",
            "status": "resolved" if resolved else "acknowledged" if acknowledged else "triggered",
            "urgency": "low" if incident.urgency is Urgency.LOW else "high",
            "priority": {"summary": _PRIORITIES[incident.urgency]},
            "service": {"id": _service_id(incident.repository), "summary": self._name(incident.repository)},
            "created_at": _written(incident.started_at),
            "updated_at": happened[0],
            "last_status_change_at": happened[0],
            "resolved_at": _written(incident.resolved_at) if resolved and incident.resolved_at else None,
            "resolve_reason": None,
        }

    def _log(self, incident: Incident) -> list[dict[str, Any]]:
        """List the incident's log entries until now, newest first."""
        moments = (
            ("trigger_log_entry", incident.started_at),
            *[("escalate_log_entry", incident.started_at)] * self.escalations,
            ("acknowledge_log_entry", incident.acknowledged_at),
            ("resolve_log_entry", incident.resolved_at),
        )
        entries = [
            {"id": f"R{incident.id}{kind[0]}", "type": kind, "created_at": _written(at)}
            for kind, at in moments
            if at is not None and at <= self.at
        ]
        return entries[::-1]

    def _page(self, request: Request, name: str, entries: Sequence[Any]) -> Answer:
        limit, offset = int(request.query.get("limit", "25")), int(request.query.get("offset", "0"))
        if limit + offset > MOST_OF_A_LIST:
            return _refusal(400, "Offset and limit must be at most 10000 together.")
        limit = min(limit, self._page_size)
        more = offset + limit < len(entries)
        page = list(entries[offset : offset + limit])
        return Answer.of({name: page, "limit": limit, "offset": offset, "more": more, "total": None})

    def _service(self, repository: Repository) -> dict[str, Any]:
        return {
            "id": _service_id(repository),
            "type": "service",
            "name": self._name(repository),
            "summary": self._name(repository),
            "status": "active",
            "created_at": _written(repository.created_at),
            "escalation_policy": {"id": "PESC1", "type": "escalation_policy_reference"},
            "html_url": f"{self._web}/services/{_service_id(repository)}",
        }

    def _change(self, deployment: Deployment, at: datetime) -> dict[str, Any]:
        return {
            "id": f"C{deployment.id}",
            "type": "change_event",
            "summary": f"{deployment.repository.name} {deployment.sha[:7]} to {deployment.environment}",
            "timestamp": _written(at),
            "source": "deploy.example.com",
            "integration": {"id": "PINT1", "type": "inbound_integration_reference", "summary": "GitHub Actions"},
            "services": [{"id": _service_id(deployment.repository), "summary": self._name(deployment.repository)}],
            "custom_details": {"environment": deployment.environment, "sha": deployment.sha},
            "links": [],
        }

    def _name(self, repository: Repository) -> str:
        """The name of the repository's service."""
        return self._services.get(repository.name) or repository.name


def _service_id(repository: Repository) -> str:
    return f"PSVC{repository.id}"


def _refusal(status: int, message: str) -> Answer:
    return Answer.of({"error": {"message": message, "code": 2000 + status}}, status=status)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
