"""Encrypts the secrets of all connections under the present key."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from integrations.models import Connection
from integrations.models.encrypted import UnreadableSecrets


class Command(BaseCommand):
    help = "Encrypt the secrets of all connections under the present HEADWAY_SECRET_KEY."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")

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
        if options["json"]:
            self.stdout.write(json.dumps({"rotated": rotated, "unreadable": lost}))
        else:
            self.stdout.write(f"Encrypted under the present key: the secrets of {rotated} connections.")
        if lost:
            raise CommandError(
                f"These were encrypted under a key that is not in HEADWAY_OLD_SECRET_KEYS: {', '.join(lost)}. "
                "Name that key there and run this again, or enter their secrets anew."
            )
