"""Incidents that no pager knows, as somebody's script pushes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

from demo.plan.delivery import Incident
from demo.plan.repositories import CODE_HOST, ORGANISATION_LOGIN, REPOSITORIES

_SERVICES = {repository.name: repository.service for repository in REPOSITORIES}


class IncidentRefusedError(Exception):
    """The push API did not take it; what it said."""

    def __init__(self, address: str, answer: str) -> None:
        super().__init__(f"{address} did not take the demo's incident: {answer[:300]}")


def push_incident(incident: Incident, *, base_url: str, token: str) -> None:
    """Pushing it again changes nothing.  Raises IncidentRefusedError."""
    address = f"{base_url}/ingest/v1/incidents/"
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(headers=headers, timeout=60, trust_env=False) as client:
            answer = client.post(address, json={"records": [pushed_record(incident)]})
    except httpx.TransportError as problem:
        raise IncidentRefusedError(address, str(problem) or type(problem).__name__) from problem
    if answer.status_code != httpx.codes.OK:
        raise IncidentRefusedError(address, f"{answer.status_code} {answer.text}")
    for result in answer.json()["results"]:
        if result["error"]:
            raise IncidentRefusedError(address, result["error"])


def pushed_record(incident: Incident) -> dict[str, Any]:
    """Without the deployment that caused it, which a pager does not know."""
    record = {
        "id": f"INC-{incident.id}",
        "repository": f"{CODE_HOST}/{ORGANISATION_LOGIN}/{incident.repository.name}",
        "service": _SERVICES.get(incident.repository.name) or incident.repository.name,
        "title": incident.title,
        "severity": str(incident.urgency),
        "started_at": incident.started_at.isoformat(),
        "acknowledged_at": _when(incident.acknowledged_at),
        "resolved_at": _when(incident.resolved_at),
    }
    return {name: value for name, value in record.items() if value is not None}


def _when(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
