"""API tokens: create, find and revoke them, read them from a command's arguments, and check what they permit.

A token is found by its SHA-256 in a unique index: the secret itself is never compared, so response times reveal nothing
about it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from orgtree.models import ApiToken, TokenScope

if TYPE_CHECKING:  # it imports the default permissions itself
    from rest_framework.views import APIView

PREFIX = "hwa_"  # lets secret scanners and people recognise a leaked token
TIME_BETWEEN_USES_NOTED = timedelta(minutes=1)
LIFETIME = timedelta(days=365)  # default, so that forgotten tokens expire


def create_api_token(
    name: str,
    *,
    expires_at: datetime | None,
    user: User | None = None,
    scope: TokenScope = TokenScope.READ,
) -> tuple[ApiToken, str]:
    """The stored token and its secret, which is not stored: show it once.  Without `expires_at` it never expires."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name, digest=_digest(secret), hint=secret[-4:], user=user, scope=scope, expires_at=expires_at
    )
    return token, secret


def in_a_year() -> datetime:
    """The default expiry of a token."""
    return timezone.now() + LIFETIME


def find_api_token(secret: str) -> ApiToken | None:
    """The token of that secret with its user; None if unknown, expired, revoked, or its user is inactive.

    Updates `last_used_at` at most once a minute.
    """
    now = timezone.now()
    open_ended = Q(expires_at=None) | Q(expires_at__gt=now)
    usable = ApiToken.objects.select_related("user").filter(open_ended, digest=_digest(secret), revoked_at=None)
    token = usable.first()
    if token is None or (token.user is not None and not token.user.is_active):
        return None
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - TIME_BETWEEN_USES_NOTED)
    if token.last_used_at is None or token.last_used_at < now - TIME_BETWEEN_USES_NOTED:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def revoke_api_token(token: ApiToken) -> None:
    """Idempotent; effective from the next request."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def add_token_arguments(parser: CommandParser, *, example: str) -> None:
    parser.add_argument("name", metavar="NAME", help=f"What or who uses it, e.g. {example}.")
    parser.add_argument(
        "--expires",
        metavar="DATE",
        default="",
        help="The first day on which it no longer works, e.g. 2027-01-31, or never; by default in a year.",
    )


def token_name(written: str, longest: int) -> str:
    """Raises CommandError for an empty or too long name."""
    name = written.strip()
    if not name or len(name) > longest or "\x00" in name:
        raise CommandError(f"A token's name has 1 to {longest} characters.")
    return name


def token_end(written: str, by_default: datetime) -> datetime | None:
    """The expiry; None: never.  Raises CommandError."""
    if written in ("", "never"):
        return None if written else by_default
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise CommandError(f"“{written}” is not a day. Write --expires 2027-01-31, or never.") from None
    if day <= timezone.localdate():
        raise CommandError("A token must end after today.")
    return timezone.make_aware(datetime.combine(day, time.min))


class TokenScopeAllows(BasePermission):
    """A view requires the token scope in `token_scope`, by default READ.  Sessions pass.

    Views open to several scopes set `token_scopes` instead.
    """

    message = (
        "This token is for something else. Create one with `manage.py create_api_token NAME --scope …`, or on the page "
        "“My account”."
    )

    def has_permission(self, request: Request, view: APIView) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            return True
        allowed = getattr(view, "token_scopes", None) or (getattr(view, "token_scope", TokenScope.READ),)
        return token.scope in allowed


class MayWritePeople(BasePermission):
    """Signed-in admins, and people-scoped tokens of an admin or without a user."""

    message = "Only admins, and tokens with `--scope people`, can write people and units."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, ApiToken) and request.auth.user is None:
            return request.auth.scope == TokenScope.PEOPLE
        return bool(getattr(request.user, "is_superuser", False))
