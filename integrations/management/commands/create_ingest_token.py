"""Makes a token for programs that send, and prints it once."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations.models import IngestScope, IngestToken
from integrations.services.ingest_tokens import LIFETIME, OnlyTelemetryError, create_ingest_token
from orgtree.models import Person


class Command(BaseCommand):
    help = "Create a token that may send telemetry or pushed records, and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="What or who uses it, e.g. laptops.")
        parser.add_argument(
            "--scope",
            choices=IngestScope.values,
            default=IngestScope.TELEMETRY.value,
            help="What it may send: telemetry of agents (by default), or records to the push API.",
        )
        parser.add_argument(
            "--expires",
            metavar="DATE",
            default="",
            help="The first day on which it no longer works, e.g. 2027-01-31, or never; by default in a year.",
        )
        parser.add_argument(
            "--person",
            metavar="ADDRESS",
            default="",
            help="E-mail address of whom all its telemetry counts for, whatever it claims.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        longest = IngestToken._meta.get_field("name").max_length or 0
        if not name or len(name) > longest or "\x00" in name:
            raise CommandError(f"A token's name has 1 to {longest} characters.")
        try:
            token, secret = create_ingest_token(
                name,
                scope=IngestScope(options["scope"]),
                lifetime=_lifetime(options["expires"]),
                person=_person(options["person"]),
            )
        except OnlyTelemetryError as problem:
            raise CommandError(str(problem)) from None
        if options["json"]:
            document = {
                **{"id": token.pk, "name": token.name, "token": secret, "scope": token.scope},
                **{
                    "expires_at": token.expires_at and token.expires_at.isoformat(),
                    "person": options["person"] or None,
                },
            }
            self.stdout.write(json.dumps(document))
        else:
            self.stdout.write(secret)


def _lifetime(written: str) -> timedelta | None:
    if written in ("", "never"):
        return None if written else LIFETIME
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise CommandError(f"“{written}” is no day. Write --expires 2027-01-31, or never.") from None
    if day <= timezone.localdate():
        raise CommandError("A token must end after today.")
    return timezone.make_aware(datetime.combine(day, time.min)) - timezone.now()


def _person(address: str) -> Person | None:
    if not address:
        return None
    found = Person.objects.filter(email__iexact=address).first()
    if found is None:
        raise CommandError(f"Nobody has the address “{address[:100]}”. Write it as the list of people has it.")
    return found
