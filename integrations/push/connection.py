"""The connection of pushed records: a single one, created with the first record."""

from __future__ import annotations

from django.db import transaction

from integrations.enums import Kind
from integrations.intake.deleted_records import mark_deleted
from integrations.models import Connection
from integrations.models.connections import PUSH

NAME = "Push API"


def push_connection() -> Connection:
    """Created on first use; an admin may have renamed it.  A removed one with its facts kept is used again."""
    connection = Connection.objects.filter(provider=PUSH).order_by("pk").first()
    if connection is None:
        # Somebody may have given the name to another connection.
        name = f"{NAME} (built in)" if Connection.objects.filter(name=NAME).exists() else NAME
        connection, _ = Connection.objects.get_or_create(name=name, defaults={"provider": PUSH})
    if connection.removed_at is not None:
        connection.removed_at = None
        connection.save(update_fields=["removed_at"])
    return connection


def forget_record(kind: Kind, record_id: str) -> bool:
    """Mark the pushed record as deleted; whether there was one."""
    with transaction.atomic():
        return mark_deleted(push_connection(), kind, [record_id]) > 0
