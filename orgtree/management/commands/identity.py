"""Assigns a login or an address to a person."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.commands import JsonCommand
from orgtree.identities.decisions import declare
from orgtree.identities.identity_names import IdentityName, UnusableNameError
from orgtree.models import IdentityKind, Person


class Command(JsonCommand):
    help = "Assign LOGIN to the person with the address EMAIL, with everything that it did and will do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("login", metavar="LOGIN", help="A login, or another e-mail address of the person.")
        parser.add_argument("email", metavar="EMAIL", help="The person's e-mail address, as listed under People.")
        parser.add_argument(
            "--provider", default="", help="The login's provider: github, gitlab, …; by default every provider."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = _name(options["login"], options["provider"].strip().lower())
        email = options["email"].strip()
        person = Person.objects.filter(email__iexact=email).first()
        if person is None:
            raise CommandError(
                f"Nobody has the address {email}. Import people first, or enter it as listed under People."
            )
        changed = declare(name, person, by=None)
        self.print_result(
            options,
            {"identity": name.value, "provider": name.provider, "email": person.email, "changed": changed},
            [f"{name.value} {'is now' if changed else 'was already'} {person.full_name}"],
        )


def _name(login: str, provider: str) -> IdentityName:
    try:
        if "@" not in login:
            return IdentityName(IdentityKind.LOGIN, provider, login)
        if provider:
            raise CommandError("An e-mail address has no provider. Omit --provider, or give a login.")
        return IdentityName.of_address(login)
    except UnusableNameError as problem:
        raise CommandError(f"{problem} Give a login such as ada-k, or an address.") from None
