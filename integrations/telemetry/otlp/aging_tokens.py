"""Ingest tokens that should be replaced, for the health page and `manage.py doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from integrations.models import IngestToken

EXPIRES_SOON = timedelta(days=30)
LONG_UNUSED = timedelta(days=90)


@dataclass(frozen=True)
class AgingToken:
    """A token that is valid or expired recently, and why it should be replaced."""

    name: str
    hint: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint}): {self.reason}"


def aging_tokens(now: datetime) -> list[AgingToken]:
    """Tokens to replace, in order of creation; tokens that expired longer ago are left out."""
    tokens = IngestToken.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now - EXPIRES_SOON), revoked_at=None
    ).order_by("created_at", "pk")
    aging = ((token, ", ".join(_reasons(token, now))) for token in tokens)
    return [AgingToken(token.name, token.hint, reasons) for token, reasons in aging if reasons]


def _reasons(token: IngestToken, now: datetime) -> list[str]:
    reasons = []
    if not token.scope:
        reasons.append("no scope")
    if token.expires_at is None:
        reasons.append("no expiry")
    elif token.expires_at <= now:
        reasons.append(f"expired on {token.expires_at:%Y-%m-%d}")
    elif token.expires_at <= now + EXPIRES_SOON:
        reasons.append(f"expires on {token.expires_at:%Y-%m-%d}")
    if max(filter(None, (token.created_at, token.last_used_at))) < now - LONG_UNUSED:
        reasons.append(f"not used for {LONG_UNUSED.days} days")
    return reasons
