"""Tokens that may read the API: make one, recognise one, revoke one.

A token is recognised by its SHA-256 in a unique index: nothing of the secret itself is compared, so the time an
answer takes tells nothing about it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from orgtree.models import ApiToken, TokenScope

PREFIX = "hwa_"  # lets secret scanners, and people, tell what a leaked string is
TIME_BETWEEN_USES_NOTED = timedelta(minutes=1)
LIFETIME = timedelta(days=365)  # unless said otherwise: a forgotten token ends by itself


def create_api_token(
    name: str,
    *,
    expires_at: datetime | None,
    user: User | None = None,
    scope: TokenScope = TokenScope.READ,
) -> tuple[ApiToken, str]:
    """The stored token and its secret, which exists nowhere else: show it once.  Without `expires_at` it never ends."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name, digest=_digest(secret), hint=secret[-4:], user=user, scope=scope, expires_at=expires_at
    )
    return token, secret


def in_a_year() -> datetime:
    """When a token ends for which nothing else was said."""
    return timezone.now() + LIFETIME


def find_api_token(secret: str) -> ApiToken | None:
    """The token of that secret with its user; None where there is none, it ended, or its user may not sign in.

    `last_used_at` moves at most once a minute.
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
    """Idempotent; holds from the next request on."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
