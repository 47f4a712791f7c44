"""The custom fields of a site that are read: listed by the provider, chosen by an admin, stored with the connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from integrations.connectors.base import MappedField
from integrations.connectors.registered import connectors
from integrations.models import Connection
from integrations.sync.clients import open_client
from integrations.sync.enqueue import enqueue_sync


def has_mapped_fields(connection: Connection) -> bool:
    known = connectors().get(connection.provider)
    return known is not None and any(field.mapped for field in known.fields)


def mapped_fields_of(connection: Connection) -> Sequence[MappedField]:
    """The custom fields under the connection's settings, saved or not.  Raises ConnectorError."""
    with open_client(connection, reserve=0.0) as (connector, http):
        return connector.mapped_fields(http)


def save_mapped_fields(connection: Connection, chosen: Mapping[str, str]) -> bool:
    """Store the choice, by setting, and read everything again with it; return False if it is unchanged."""
    with transaction.atomic():
        stored = Connection.objects.select_for_update().get(pk=connection.pk)
        if all(stored.settings.get(setting, "") == names for setting, names in chosen.items()):
            return False
        stored.settings = {**stored.settings, **chosen}
        stored.save(update_fields=["settings"])
        enqueue_sync(stored, full=True)
    return True
