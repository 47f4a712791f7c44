"""Sentences about deployments and incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

from integrations.connectors.drafts import DeploymentDraft, IncidentDraft
from integrations.enums import RunStatus
from tests.delivery.pull_requests.histories import sha_of
from tests.intake.conftest import SHOP
from tests.worked.sentences import Line, sentence

_ENDS = {"is deployed": RunStatus.SUCCESS, "fails to deploy": RunStatus.FAILURE}


@sentence(r"(?P<name>\w+) (?P<end>is deployed|fails to deploy)(?: to (?P<environment>.+))?")
def deploys(line: Line, name: str, end: str, environment: str | None) -> None:
    """Deploy to an environment, by default to production."""
    began = line.text(r"begun at (\d\d:\d\d)")
    unplanned = True if line.says("unplanned") else False if line.says("as planned") else None
    line.story.deployments[name] = DeploymentDraft(
        external_id=name,
        repository=SHOP,
        native_environment=environment or "production",
        status=_ENDS[end],
        native_status=_ENDS[end].value,
        service=line.text("service (.+)"),
        sha=sha_of(line.text("with commit (.+)")),
        started_at=datetime.combine(line.at, time.fromisoformat(began), line.at.tzinfo) if began else None,
        finished_at=line.at,
        rollback_of=line.text("a rollback of (.+)"),
        fixes=tuple(fixed for (fixed,) in line.texts("a fix of (.+)")),
        unplanned=unplanned,
    )


@sentence(r"incident (?P<name>\w+) begins")
def begins(line: Line, name: str) -> None:
    line.story.incidents[name] = IncidentDraft(
        external_id=name,
        repository=SHOP,
        service=line.text("service (.+)"),
        started_at=line.at,
        caused_by=line.text("caused by (.+)"),
    )


@sentence(r"incident (?P<name>\w+) is resolved")
def is_resolved(line: Line, name: str) -> None:
    line.story.incidents[name] = replace(line.story.incidents[name], resolved_at=line.at)
