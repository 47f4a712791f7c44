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
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integrations.models import IngestScope, IngestToken
from orgtree.models import Identity, IdentityKind, Person, Standing

PREFIX = "hwi_"  # lets secret scanners, and people, tell what a leaked string is
LIFETIME = timedelta(days=365)  # unless said otherwise: a forgotten token ends by itself
SECONDS_KNOWN = 2.0  # how long a revoked token may go on in another process
TIME_BETWEEN_USES_NOTED = timedelta(minutes=1)
MOST_KNOWN = 10_000
IDENTITY_PROVIDER = "ingest token"  # of the identities that tokens with a person have
MISSING = "The ingest token is missing, wrong or revoked. Send the header Authorization: Bearer <ingest token>."

_lock = threading.Lock()
_known: dict[bytes, _Known] = {}


class RefusedTokenError(Exception):
    """A token that may not send this; the message names the remedy.  `is_known`: it may send something else."""

    def __init__(self, message: str, *, is_known: bool = False) -> None:
        super().__init__(message)
        self.is_known = is_known


class OnlyTelemetryError(ValueError):
    """A pushed record names its people, often several: only telemetry can belong to one."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever sends with a token: `names` are the addresses and logins, in small letters, of the token's person."""

    token_id: int
    scope: str = ""
    expires_at: datetime | None = None
    identity_id: int | None = None
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Known:
    sender: Sender
    until: float  # time.monotonic()


def create_ingest_token(
    name: str,
    *,
    scope: IngestScope = IngestScope.TELEMETRY,
    lifetime: timedelta | None = LIFETIME,
    person: Person | None = None,
) -> tuple[IngestToken, str]:
    """The stored token and its secret, which exists nowhere else: show it once.

    Without `lifetime` it never ends.  Raises OnlyTelemetryError for another scope with a person.
    """
    if person is not None and scope is not IngestScope.TELEMETRY:
        raise OnlyTelemetryError("Only a token for telemetry can belong to a person: pushed records name theirs.")
    secret = PREFIX + secrets.token_urlsafe(32)
    digest = _digest(secret)
    with transaction.atomic():
        token = IngestToken.objects.create(
            name=name,
            digest=digest,
            hint=secret[-4:],
            scope=scope,
            expires_at=None if lifetime is None else timezone.now() + lifetime,
            identity=None if person is None else _identity_of(digest, person),
        )
    return token, secret


def replace_ingest_token(old: IngestToken) -> str:
    """The secret of a new token in the place of the old one, which stops at once; for as long as new ones are.

    One from before tokens had a scope becomes one for telemetry.
    """
    with transaction.atomic():
        scope = IngestScope(old.scope) if old.scope else IngestScope.TELEMETRY
        person = old.identity.person if old.identity else None
        secret = create_ingest_token(old.name, scope=scope, person=person)[1]
        revoke_ingest_token(old)
    return secret


def find_ingest_token(secret: str) -> int | None:
    """The id of the token with that secret, whatever it may send; None where there is none, or it ended."""
    sender = _find(secret)
    return None if sender is None or _is_over(sender) else sender.token_id


def sender_of(secret: str, scope: IngestScope) -> Sender:
    """Who sends with that secret, if it may send this.  Raises RefusedTokenError.

    An answer is remembered for SECONDS_KNOWN; `last_used_at` moves at most once a minute.
    """
    sender = _find(secret)
    if sender is None:
        raise RefusedTokenError(MISSING)
    remedy = f"Create one with `manage.py create_ingest_token NAME --scope {scope}` and send it instead."
    if _is_over(sender):
        raise RefusedTokenError(
            f"This ingest token expired on {timezone.localtime(sender.expires_at):%Y-%m-%d}. {remedy}"
        )
    if sender.scope not in ("", scope):
        token_scope = IngestScope(sender.scope).label.lower()
        raise RefusedTokenError(
            f"This ingest token is for {token_scope}, not for {scope.label.lower()}. {remedy}", is_known=True
        )
    return sender


def sender_of_token(token: IngestToken) -> Sender:
    return Sender(token.pk, token.scope, token.expires_at, token.identity_id, _names_of(token.identity_id))


def revoke_ingest_token(token: IngestToken) -> None:
    """Idempotent; holds at once in this process and within SECONDS_KNOWN in every other."""
    IngestToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    with _lock:
        _known.clear()


def _identity_of(digest: bytes, person: Person) -> Identity:
    return Identity.objects.create(
        kind=IdentityKind.AGENT_ACCOUNT,
        provider=IDENTITY_PROVIDER,
        value=digest.hex()[:16],
        person=person,
        seen_name=person.full_name,
        standing=Standing.DECIDED,
    )


def _find(secret: str) -> Sender | None:
    digest = _digest(secret)
    now = time.monotonic()
    known = _known.get(digest)
    if known and known.until > now:
        return known.sender
    token = IngestToken.objects.filter(digest=digest, revoked_at=None).first()
    sender = None if token is None else sender_of_token(token)
    with _lock:
        if sender is None:
            _known.pop(digest, None)
            return None
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[digest] = _Known(sender, now + SECONDS_KNOWN)
    if not _is_over(sender):
        _note_use(sender.token_id)
    return sender


def _is_over(sender: Sender) -> bool:
    return sender.expires_at is not None and sender.expires_at <= timezone.now()


def _names_of(identity_id: int | None) -> frozenset[str]:
    if identity_id is None:
        return frozenset()
    kinds = (IdentityKind.EMAIL, IdentityKind.LOGIN)
    theirs = Identity.objects.filter(person__identities=identity_id, kind__in=kinds).values_list("value", flat=True)
    addresses = Person.objects.filter(identities=identity_id).exclude(email=None).values_list("email", flat=True)
    return frozenset(str(name).lower() for name in (*theirs, *addresses))


def _note_use(token_id: int) -> None:
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - TIME_BETWEEN_USES_NOTED)
    IngestToken.objects.filter(stale, pk=token_id).update(last_used_at=now)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
