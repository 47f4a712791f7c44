"""Creates an API token and prints it once."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from orgtree.access.api_tokens import create_api_token, in_a_year
from orgtree.access.token_arguments import add_token_arguments, token_end, token_name
from orgtree.models import ApiToken, TokenScope


class Command(BaseCommand):
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
        if options["json"]:
            account = user.get_username() if user else None
            expires = token.expires_at.isoformat() if token.expires_at else None
            document = {
                **{"id": token.pk, "name": token.name, "user": account, "token": secret},
                **{"scope": token.scope, "expires_at": expires},
            }
            self.stdout.write(json.dumps(document))
        else:
            self.stdout.write(secret)


def _user(name: str) -> User:
    accounts = list(User.objects.filter(Q(username=name) | Q(email__iexact=name), is_active=True)[:2])
    if len(accounts) != 1:
        raise CommandError(f"There is {'more than one' if accounts else 'no active'} account “{name}”.")
    return accounts[0]
