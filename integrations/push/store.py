"""Stores pushed records for their token, and deletes them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from integrations.connectors.drafts import AnyDraft
from integrations.enums import Kind
from integrations.intake.deleted_records import mark_deleted
from integrations.intake.store_drafts import Outcome, store_drafts
from integrations.intake.unplaced import waiting_for_place
from integrations.models import Connection
from integrations.models.connections import PUSH
from integrations.push.own_records import REFUSED, claim, others, stored_records
from integrations.telemetry.otlp.ingest_tokens import Sender

CONNECTION_NAME = "Push API"  # the only connection of pushed records
STATUSES = {Outcome.ADDED: "created", Outcome.CHANGED: "updated", Outcome.UNCHANGED: "unchanged"}


def store_claimed(sender: Sender, kind: Kind, drafts: Sequence[AnyDraft]) -> list[tuple[str, str]]:
    """Store drafts of one kind, in the caller's transaction; return the status and the problem of each, in order.

    The status of a record that belongs to another token is empty.
    """
    if not drafts:
        return []
    connection = push_connection()
    ids = {draft.external_id for draft in drafts}
    refused = claim(sender, kind, ids, stored_records(connection, kind, ids))
    own = [draft for draft in drafts if draft.external_id not in refused]
    outcomes = iter(store_drafts(connection, own).outcomes)
    waiting = waiting_for_place(connection, own)
    results = []
    for draft in drafts:
        if draft.external_id in refused:
            results.append(("", f"id: {REFUSED}"))
            continue
        status, problem = STATUSES.get(next(outcomes), "waiting"), ""
        if status == "waiting":
            row = waiting.get((draft.kind, draft.external_id))
            problem = f"repository: {row.detail if row else 'Too many records wait for theirs.'}"
        results.append((status, problem))
    return results


def push_connection() -> Connection:
    """The connection of pushed records, created on first use; an admin may have renamed it.

    If it was removed while its facts were kept, it is reused.
    """
    connection = Connection.objects.filter(provider=PUSH).order_by("pk").first()
    if connection is None:
        # Somebody may have given the name to another connection.
        taken = Connection.objects.filter(name=CONNECTION_NAME).exists()
        name = f"{CONNECTION_NAME} (built in)" if taken else CONNECTION_NAME
        connection, _ = Connection.objects.get_or_create(name=name, defaults={"provider": PUSH})
    if connection.removed_at is not None:
        connection.removed_at = None
        connection.save(update_fields=["removed_at"])
    return connection


def forget_record(kind: Kind, record_id: str, sender: Sender | None = None) -> bool:
    """Mark the pushed record as deleted; return whether it existed.  Raises PermissionError if it is not the
    sender's.
    """
    with transaction.atomic():
        connection = push_connection()
        if sender and others(sender, kind, [record_id], stored_records(connection, kind, [record_id])):
            raise PermissionError(REFUSED)
        return mark_deleted(connection, kind, [record_id]) > 0
