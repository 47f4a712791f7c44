"""Tokens that may send data: make one, recognise one, revoke one.

A token is recognised by its SHA-256 in a unique index: nothing of the secret itself is compared, so the time an
answer takes tells nothing about it.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from integrations.models import IngestToken

PREFIX = "hwi_"  # lets secret scanners, and people, tell what a leaked string is
SECONDS_KNOWN = 2.0  # how long a revoked token may go on in another process
TIME_BETWEEN_USES_NOTED = timedelta(minutes=1)
MOST_KNOWN = 10_000

_lock = threading.Lock()
_known: dict[bytes, _Known] = {}


@dataclass(frozen=True, slots=True)
class _Known:
    token_id: int
    until: float  # time.monotonic()


def create_ingest_token(name: str) -> tuple[IngestToken, str]:
    """The stored token and its secret, which exists nowhere else: show it once."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = IngestToken.objects.create(name=name, digest=_digest(secret), hint=secret[-4:])
    return token, secret


def find_ingest_token(secret: str) -> int | None:
    """The id of the token with that secret, None where there is none or it was revoked.

    An answer is remembered for SECONDS_KNOWN; `last_used_at` moves at most once a minute.
    """
    digest = _digest(secret)
    now = time.monotonic()
    known = _known.get(digest)
    if known and known.until > now:
        return known.token_id
    token_id = IngestToken.objects.filter(digest=digest, revoked_at=None).values_list("id", flat=True).first()
    with _lock:
        if token_id is None:
            _known.pop(digest, None)
            return None
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[digest] = _Known(token_id, now + SECONDS_KNOWN)
    _note_use(token_id)
    return token_id


def revoke_ingest_token(token: IngestToken) -> None:
    """Idempotent; holds at once in this process and within SECONDS_KNOWN in every other."""
    IngestToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    with _lock:
        _known.clear()


def _note_use(token_id: int) -> None:
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - TIME_BETWEEN_USES_NOTED)
    IngestToken.objects.filter(stale, pk=token_id).update(last_used_at=now)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
