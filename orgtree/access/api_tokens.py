"""API tokens: create, find and revoke them.

A token is found by its SHA-256 in a unique index: the secret itself is never compared, so response times reveal nothing
about it.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from core.secret_links import secret_digest
from orgtree.models import ApiToken, TokenScope

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
        name=name, digest=secret_digest(secret), hint=secret[-4:], user=user, scope=scope, expires_at=expires_at
    )
    return token, secret


def in_a_year() -> datetime:
    """The default expiry of a token."""
    return timezone.now() + LIFETIME


def find_api_token(secret: str) -> ApiToken | None:
    """The token with that secret and its user; None if unknown, expired, revoked, or its user is inactive.

    Updates `last_used_at` at most once a minute.
    """
    now = timezone.now()
    open_ended = Q(expires_at=None) | Q(expires_at__gt=now)
    usable = ApiToken.objects.select_related("user").filter(open_ended, digest=secret_digest(secret), revoked_at=None)
    token = usable.first()
    if token is None or (token.user is not None and not token.user.is_active):
        return None
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - TIME_BETWEEN_USES_NOTED)
    if token.last_used_at is None or token.last_used_at < now - TIME_BETWEEN_USES_NOTED:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def revoke_api_token(token: ApiToken) -> None:
    """Revoke the token.  Idempotent; effective from the next request."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
