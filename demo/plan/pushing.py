"""The demo's incidents, pushed as a script of an organisation would push them that has no connector for its pager."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpx

from demo.plan.delivery import Incident
from demo.plan.repositories import CODE_HOST, ORGANISATION_LOGIN, REPOSITORIES

_AT_ONCE = 1000  # what one request may hold
_SERVICES = {repository.name: repository.service for repository in REPOSITORIES}


class IncidentsRefusedError(Exception):
    """The push API did not take them; what it said."""

    def __init__(self, address: str, answer: str) -> None:
        super().__init__(f"{address} did not take the demo's incidents: {answer[:300]}")


def push_incidents(incidents: Iterable[Incident], *, base_url: str, token: str) -> int:
    """How many there are; pushing them again changes nothing.  Raises IncidentsRefusedError."""
    records = [pushed_record(incident) for incident in incidents]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=base_url, headers=headers, timeout=60, trust_env=False) as client:
        for begin in range(0, len(records), _AT_ONCE):
            _push(client, records[begin : begin + _AT_ONCE])
    return len(records)


def _push(client: httpx.Client, records: list[dict[str, Any]]) -> None:
    address = f"{client.base_url}/ingest/v1/incidents/"
    try:
        answer = client.post("/ingest/v1/incidents/", json={"records": records})
    except httpx.TransportError as problem:
        raise IncidentsRefusedError(address, str(problem) or type(problem).__name__) from problem
    if answer.status_code != httpx.codes.OK:
        raise IncidentsRefusedError(address, f"{answer.status_code} {answer.text}")
    for result in answer.json()["results"]:
        if result["error"]:
            raise IncidentsRefusedError(address, f"{result['id']}: {result['error']}")


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
