"""Pushes what the demo's scripts and pipelines send: incidents that no pager knows, and quality reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpx

from demo.plan.delivery import Incident
from demo.plan.quality_reports import QualityReport
from demo.plan.repositories import CODE_HOST, ORGANISATION_LOGIN, REPOSITORIES

_SERVICES = {repository.name: repository.service for repository in REPOSITORIES}


class PushRefusedError(Exception):
    """The push API refused a record; the message quotes its answer."""

    def __init__(self, address: str, answer: str) -> None:
        super().__init__(f"{address} did not take what the demo pushed: {answer[:300]}")


def push_incident(incident: Incident, *, base_url: str, token: str) -> None:
    """Push an incident; a second time changes nothing.  Raises PushRefusedError."""
    with _client(token) as client:
        _push(client, f"{base_url}/ingest/v1/incidents/", json={"records": [pushed_record(incident)]})


def push_reports(reports: Iterable[QualityReport], *, base_url: str, token: str) -> int:
    """Push each report as a file; return how many.  Raises PushRefusedError."""
    number = 0
    with _client(token) as client:
        for report in reports:
            params = {
                "repository": address_of(report.repository.name),
                "sha": report.sha,
                "name": report.name,
                "branch": "main",
                "at": report.at.isoformat(),
            }
            _push(client, f"{base_url}/ingest/v1/{report.kind}/", params=params, content=report.file)
            number += 1
    return number


def _client(token: str) -> httpx.Client:
    return httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False)


def _push(client: httpx.Client, address: str, **request: Any) -> None:
    try:
        answer = client.post(address, **request)
    except httpx.TransportError as problem:
        raise PushRefusedError(address, str(problem) or type(problem).__name__) from problem
    if answer.status_code != httpx.codes.OK:
        raise PushRefusedError(address, f"{answer.status_code} {answer.text}")
    for result in answer.json()["results"]:
        if result["error"]:
            raise PushRefusedError(address, result["error"])


def address_of(repository: str) -> str:
    """The address by which a pipeline names a repository."""
    return f"{CODE_HOST}/{ORGANISATION_LOGIN}/{repository}"


def pushed_record(incident: Incident) -> dict[str, Any]:
    """The incident as pushed: without the deployment that caused it, which a pager does not know."""
    record = {
        "id": f"INC-{incident.id}",
        "repository": address_of(incident.repository.name),
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
