"""Records that could not be understood: replayed once a newer Headway, or a fix at the provider, allows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from integrations.connectors.base import Connector
from integrations.connectors.errors import SchemaError
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, QuarantinedPayload
from integrations.sync.clients import connector_of

LONGEST_PATH = 300


def count_quarantined() -> int:
    """How many records of all connections are in quarantine."""
    return QuarantinedPayload.objects.filter(replayed_at=None).count()


@dataclass(frozen=True, slots=True)
class Replayed:
    understood: int
    refused: int


def replay(connection: Connection, payloads: Iterable[QuarantinedPayload]) -> Replayed:
    """Normalise the payloads again and store those that are understood now; the others get their current reason."""
    connector = connector_of(connection)
    outcomes = [_replay(connection, connector, payload) for payload in payloads]
    return Replayed(outcomes.count(True), outcomes.count(False))


@transaction.atomic
def _replay(connection: Connection, connector: Connector, payload: QuarantinedPayload) -> bool:
    mine = QuarantinedPayload.objects.select_for_update().filter(pk=payload.pk, replayed_at=None)
    if not mine.exists():
        return True  # somebody else was quicker
    try:
        drafts = connector.replay(payload.source, payload.payload)
    except SchemaError as problem:
        mine.update(path=problem.path[:LONGEST_PATH], problem=problem.problem)
        return False
    store_drafts(connection, drafts)
    mine.update(replayed_at=timezone.now())
    return True
