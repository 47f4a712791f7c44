"""Creates an API token and prints it once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.db.models import Q

from core.commands import JsonCommand, add_token_arguments, token_end, token_name
from orgtree.access.api_tokens import create_api_token, in_a_year
from orgtree.models import ApiToken, TokenScope


class Command(JsonCommand):
    help = "Create a token that may read the API, and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        add_token_arguments(parser, example="dashboard")
        parser.add_argument(
            "--user", metavar="U", default="", help="User name or e-mail address; without one it reads aggregates only."
        )
        parser.add_argument(
            "--scope",
            choices=TokenScope.values,
            default=TokenScope.READ.value,
            help="What it may be used for: reading figures (by default), or writing people and units.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = token_name(options["name"], ApiToken._meta.get_field("name").max_length or 0)
        user = _user(options["user"]) if options["user"] else None
        token, secret = create_api_token(
            name, user=user, scope=TokenScope(options["scope"]), expires_at=token_end(options["expires"], in_a_year())
        )
        document = {
            **{"id": token.pk, "name": token.name, "user": user and user.get_username(), "token": secret},
            **{"scope": token.scope, "expires_at": token.expires_at and token.expires_at.isoformat()},
        }
        self.print_result(options, document, [secret])


def _user(name: str) -> User:
    accounts = list(User.objects.filter(Q(username=name) | Q(email__iexact=name), is_active=True)[:2])
    if len(accounts) != 1:
        raise CommandError(f"There is {'more than one' if accounts else 'no active'} account “{name}”.")
    return accounts[0]
