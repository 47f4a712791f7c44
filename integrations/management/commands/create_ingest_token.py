"""Makes a token for programs that send, and prints it once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core.commands import JsonCommand, add_token_arguments, token_end, token_name
from integrations.models import IngestScope, IngestToken
from integrations.telemetry.otlp.ingest_tokens import LIFETIME, OnlyTelemetryError, create_ingest_token
from orgtree.models import Person


class Command(JsonCommand):
    help = "Create a token that may send telemetry or pushed records, and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        add_token_arguments(parser, example="laptops")
        parser.add_argument(
            "--scope",
            choices=IngestScope.values,
            default=IngestScope.TELEMETRY.value,
            help="What it may send: telemetry of agents (by default), or records to the push API.",
        )
        parser.add_argument(
            "--all-records",
            action="store_true",
            help="With --scope push: it may change records that others wrote, too (by default only its own).",
        )
        parser.add_argument(
            "--person",
            metavar="ADDRESS",
            default="",
            help="E-mail address of the person for whom all its telemetry counts, whatever it claims.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = token_name(options["name"], IngestToken._meta.get_field("name").max_length or 0)
        end = token_end(options["expires"], timezone.now() + LIFETIME)
        try:
            token, secret = create_ingest_token(
                name,
                scope=IngestScope(options["scope"]),
                lifetime=None if end is None else end - timezone.now(),
                person=_person(options["person"]),
                changes_all=options["all_records"],
            )
        except OnlyTelemetryError as problem:
            raise CommandError(str(problem)) from None
        document = {
            **{"id": token.pk, "name": token.name, "token": secret, "scope": token.scope},
            "expires_at": token.expires_at and token.expires_at.isoformat(),
            "person": options["person"] or None,
        }
        self.print_result(options, document, [secret])


def _person(address: str) -> Person | None:
    if not address:
        return None
    person = Person.objects.filter(email__iexact=address).first()
    if person is None:
        raise CommandError(f"Nobody has the address “{address[:100]}”. Write it as the list of people has it.")
    return person
