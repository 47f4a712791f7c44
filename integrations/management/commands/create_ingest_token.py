"""Makes a token for agents that send telemetry, and prints it once."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.models import IngestToken
from integrations.services.ingest_tokens import create_ingest_token


class Command(BaseCommand):
    help = "Create a token that may send telemetry and pushed records, and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="What or who uses it, e.g. laptops.")
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        longest = IngestToken._meta.get_field("name").max_length or 0
        if not name or len(name) > longest or "\x00" in name:
            raise CommandError(f"A token's name has 1 to {longest} characters.")
        token, secret = create_ingest_token(name)
        if options["json"]:
            self.stdout.write(json.dumps({"id": token.pk, "name": token.name, "token": secret}))
        else:
            self.stdout.write(secret)
