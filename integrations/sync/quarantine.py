"""Records that could not be parsed: replayed when a newer Headway, or a fix at the provider, makes it possible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from integrations.connectors.base import Connector
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import SchemaError
from integrations.connectors.json_text import read_delivery
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, QuarantinedPayload
from integrations.sync.clients import connector_of
from integrations.sync.resources import of_picked

LONGEST_PATH = 300
OF_WEBHOOK = "webhook "  # precedes the event in the source of a whole delivery that could not be read


def count_quarantined() -> int:
    """The number of records of all connections in quarantine."""
    return QuarantinedPayload.objects.filter(replayed_at=None).count()


@dataclass(frozen=True, slots=True)
class Replayed:
    understood: int
    refused: int


def replay(connection: Connection, payloads: Iterable[QuarantinedPayload]) -> Replayed:
    """Normalise the payloads again and store those that can be parsed now; the others get their current reason."""
    connector = connector_of(connection)
    outcomes = [_replay(connection, connector, payload) for payload in payloads]
    return Replayed(outcomes.count(True), outcomes.count(False))


@transaction.atomic
def _replay(connection: Connection, connector: Connector, payload: QuarantinedPayload) -> bool:
    mine = QuarantinedPayload.objects.select_for_update().filter(pk=payload.pk, replayed_at=None)
    if not mine.exists():
        return True  # another process was quicker
    try:
        drafts = _drafts_of(connector, payload)
    except SchemaError as problem:
        mine.update(path=problem.path[:LONGEST_PATH], problem=problem.problem)
        return False
    store_drafts(connection, drafts if payload.resource_id else of_picked(connection, drafts))  # a webhook's has none
    mine.update(replayed_at=timezone.now())
    return True


def _drafts_of(connector: Connector, payload: QuarantinedPayload) -> Sequence[AnyDraft]:
    """The drafts of a record, or of all records of a whole delivery, which is stored as text.  Raises SchemaError."""
    if not payload.source.startswith(OF_WEBHOOK):
        return connector.replay(payload.source, payload.payload)
    delivery = read_delivery(str(payload.payload["body"]).encode())
    records = connector.deliveries(payload.source.removeprefix(OF_WEBHOOK), delivery) or ()
    return [draft for record in records for draft in record.normalise(record.payload)]
