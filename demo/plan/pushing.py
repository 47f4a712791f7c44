"""Pushes what the demo's scripts and pipelines send: incidents that no pager knows, and quality reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpx

from demo.plan.delivery import Incident
from demo.plan.quality_reports import QualityReport
from demo.plan.repositories import REPOSITORIES, repository_named
from demo.plan.tools import Tools

_SERVICES = {repository.name: repository.service for repository in REPOSITORIES}


class PushRefusedError(Exception):
    """The push API refused a record; the message quotes its response."""

    def __init__(self, address: str, answer: str) -> None:
        super().__init__(f"{address} did not take what the demo pushed: {answer[:300]}")


def push_incidents(incidents: Iterable[Incident], *, tools: Tools, base_url: str, token: str) -> None:
    """Push the incidents; a second call changes nothing.  Raises PushRefusedError."""
    records = [pushed_record(incident, tools) for incident in incidents]
    with _client(token) as client:
        _push(client, f"{base_url}/ingest/v1/incidents/", json={"records": records})


def push_reports(reports: Iterable[QualityReport], *, tools: Tools, base_url: str, token: str) -> int:
    """Push each report as a file; return how many.  Raises PushRefusedError."""
    number = 0
    with _client(token) as client:
        for report in reports:
            params = {
                "repository": tools.page_of(report.repository),
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


def pushed_record(incident: Incident, tools: Tools) -> dict[str, Any]:
    """The incident as pushed: without the deployment that caused it, which a pager does not know."""
    record = {
        "id": f"INC-{incident.id}",
        "repository": tools.page_of(repository_named(incident.repository.name)),
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
