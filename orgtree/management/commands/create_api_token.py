"""Makes a token for reading the API, and prints it once."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from orgtree.models import ApiToken, TokenScope
from orgtree.services.api_tokens import create_api_token, in_a_year


class Command(BaseCommand):
    help = "Create a token that may read the API, and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="What or who uses it, e.g. dashboard.")
        parser.add_argument(
            "--user", metavar="U", default="", help="User name or e-mail address; without one it reads aggregates only."
        )
        parser.add_argument(
            "--scope",
            choices=TokenScope.values,
            default=TokenScope.READ.value,
            help="What it may be used for: reading figures (by default), or writing people and units.",
        )
        parser.add_argument(
            "--expires",
            metavar="DATE",
            default="",
            help="The first day on which it no longer works, e.g. 2027-01-31, or never; by default in a year.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        longest = ApiToken._meta.get_field("name").max_length or 0
        if not name or len(name) > longest or "\x00" in name:
            raise CommandError(f"A token's name has 1 to {longest} characters.")
        user = _user(options["user"]) if options["user"] else None
        token, secret = create_api_token(
            name, user=user, scope=TokenScope(options["scope"]), expires_at=_expiry(options["expires"])
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


def _expiry(written: str) -> datetime | None:
    if not written:
        return in_a_year()
    if written == "never":
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise CommandError(f"“{written}” is no day. Write --expires 2027-01-31, or never.") from None
    if day <= timezone.localdate():
        raise CommandError("A token must end after today.")
    return timezone.make_aware(datetime.combine(day, time.min))


def _user(name: str) -> User:
    found = list(User.objects.filter(Q(username=name) | Q(email__iexact=name), is_active=True)[:2])
    if len(found) != 1:
        raise CommandError(f"There is {'more than one' if found else 'no active'} account “{name}”.")
    return found[0]
