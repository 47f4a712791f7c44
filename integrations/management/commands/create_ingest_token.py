"""Creates a token for programs that send data, and prints it once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core.commands import JsonCommand, add_token_arguments, token_end, token_name
from integrations.models import IngestScope, IngestToken
from integrations.telemetry.otlp.ingest_tokens import (
    LIFETIME,
    TokenPersonError,
    create_ingest_token,
    replace_ingest_token,
)
from orgtree.models import Person


class Command(JsonCommand):
    help = "Create a token that may send telemetry or pushed records, and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        add_token_arguments(parser, example="laptops")
        parser.add_argument(
            "--scope",
            choices=IngestScope.values,
            default="",
            help="What it may send: telemetry of agents (by default), records to the push API, or collector reports.",
        )
        parser.add_argument(
            "--all-records",
            action="store_true",
            help="With --scope push: let the token also change records that other tokens wrote (default: "
            "only its own).",
        )
        parser.add_argument(
            "--person",
            metavar="ADDRESS",
            default="",
            help="E-mail address of the person for whom all its telemetry counts, whatever it claims; for the "
            "collector, of the person whose machine it is.",
        )
        parser.add_argument(
            "--replaces",
            metavar="NAME",
            default="",
            help="Name or id of a lost or leaked token. The new token takes over its rights and its "
            "records, and the old token is revoked.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = token_name(options["name"], IngestToken._meta.get_field("name").max_length or 0)
        end = token_end(options["expires"], timezone.now() + LIFETIME)
        lifetime = None if end is None else end - timezone.now()
        if options["replaces"]:
            if options["scope"] or options["person"] or options["all_records"]:
                raise CommandError("A token has the rights of the one that it replaces: leave out the other options.")
            token, secret = replace_ingest_token(_replaced(options["replaces"]), name=name, lifetime=lifetime)
        else:
            try:
                token, secret = create_ingest_token(
                    name,
                    scope=IngestScope(options["scope"] or IngestScope.TELEMETRY),
                    lifetime=lifetime,
                    person=_person(options["person"]),
                    changes_all=options["all_records"],
                )
            except TokenPersonError as problem:
                raise CommandError(str(problem)) from None
        person = token.identity and token.identity.person
        document = {
            **{"id": token.pk, "name": token.name, "token": secret, "scope": token.scope},
            "expires_at": token.expires_at and token.expires_at.isoformat(),
            "person": options["person"] or (person and person.email),
        }
        self.print_result(options, document, [secret])


def _person(address: str) -> Person | None:
    if not address:
        return None
    person = Person.objects.filter(email__iexact=address).first()
    if person is None:
        raise CommandError(f"Nobody has the address “{address[:100]}”. Write it as the list of people has it.")
    return person


def _replaced(named: str) -> IngestToken:
    """The token with this name or id: the valid one, or the only one that existed."""
    known = IngestToken.objects.filter(name__iexact=named.strip()).order_by("-pk")
    if not known and named.isdecimal():
        known = IngestToken.objects.filter(pk=min(int(named), 2**63 - 1))
    found = list(known.filter(revoked_at=None) or known)
    if not found:
        raise CommandError(f"No token is called “{named[:100]}”. Admin lists them under Ingest tokens.")
    if len(found) > 1:
        ids = ", ".join(f"{token.pk} (…{token.hint})" for token in found[:10])
        raise CommandError(f"{len(found)} tokens are called “{named[:100]}”. Give the id of one: {ids}.")
    return found[0]
