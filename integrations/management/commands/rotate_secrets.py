"""Encrypts the secrets of all connections under the current key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from core.commands import JsonCommand
from integrations.models import Connection
from integrations.models.fields import UnreadableSecrets


class Command(JsonCommand):
    help = "Encrypt the secrets of all connections under the present HEADWAY_SECRET_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        lost: list[str] = []
        rotated = 0
        with transaction.atomic():
            for connection in Connection.objects.select_for_update().order_by("pk"):
                if isinstance(connection.secrets, UnreadableSecrets):
                    lost.append(connection.name)
                elif connection.secrets:
                    connection.save(update_fields=["secrets"])
                    rotated += 1
        line = f"Encrypted under the present key: the secrets of {rotated} connections."
        self.print_result(options, {"rotated": rotated, "unreadable": lost}, [line])
        if lost:
            raise CommandError(
                f"These were encrypted under a key that is not in HEADWAY_OLD_SECRET_KEYS: {', '.join(lost)}. "
                "Name that key there and run this again, or enter their secrets again."
            )
