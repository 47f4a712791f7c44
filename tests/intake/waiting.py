"""A CI tool whose builds name repositories of other connections."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import (
    AnyDraft,
    PipelineRunDraft,
)
from integrations.enums import ResourceKind, RunStatus
from integrations.intake.apply_placing_rules import apply_placing_rules
from integrations.intake.place_waiting import place_waiting
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import Stored, store_drafts
from integrations.models import (
    Connection,
    PipelineRun,
    Repository,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def host(name: str = "GitHub") -> Connection:
    return Connection.objects.create(provider="github", name=name)


def repository(connection: Connection, address: str, external_id: str = "") -> Repository:
    """A repository that the connection lists."""
    name = address.partition("/")[2]
    draft = ResourceDraft(ResourceKind.REPOSITORY, external_id or address, name, remote=address)
    with transaction.atomic():
        stored = store_resource(connection, draft).repository
    assert stored is not None
    return stored


def run(named: str, external_id: str = "1", minutes: int = 0, **fields: Any) -> PipelineRunDraft:
    at = NOON + timedelta(minutes=minutes)
    given: dict[str, Any] = {"status": RunStatus.SUCCESS, "started_at": at, "finished_at": at} | fields
    name = given.pop("name", "payments/main")
    return PipelineRunDraft(
        external_id=external_id, run=external_id, name=name, repository=named, updated_at=at, **given
    )


def tell(connection: Connection, *drafts: AnyDraft) -> Stored:
    with transaction.atomic():
        return store_drafts(connection, drafts)


def place() -> int:
    return place_waiting() + apply_placing_rules()


def placed(external_id: str = "1") -> Repository | None:
    found = PipelineRun.objects.filter(external_id=external_id, deleted_at=None).first()
    return found.repository if found else None
