"""Ingest tokens: create, look up, revoke.

A token is looked up by its SHA-256 in a unique index; the secret itself is never compared, so response times reveal
nothing about it.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from cachetools import TTLCache
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.secret_links import secret_digest
from integrations.models import CollectedLines, CollectorMachine, IngestScope, IngestToken, KnownName, PushedRecord
from orgtree.models import Identity, IdentityKind, Person, Standing

PREFIX = "hwi_"  # lets secret scanners and people recognise a leaked token
LIFETIME = timedelta(days=365)  # default: forgotten tokens expire
SECONDS_KNOWN = 2.0  # for which other processes may still accept a revoked token
TIME_BETWEEN_USES_NOTED = timedelta(minutes=1)
MOST_KNOWN = 10_000
IDENTITY_PROVIDER = "ingest token"  # provider of the identities of personal tokens
MISSING = "The ingest token is missing, wrong or revoked. Send the header Authorization: Bearer <ingest token>."

_lock = threading.Lock()
_known: TTLCache[bytes, Sender] = TTLCache(MOST_KNOWN, ttl=SECONDS_KNOWN)


class RefusedTokenError(Exception):
    """The token may not send this; the message names the remedy.  `is_known` if the token is valid for another
    scope.
    """

    def __init__(self, message: str, *, is_known: bool = False) -> None:
        super().__init__(message)
        self.is_known = is_known


class TokenPersonError(ValueError):
    """The person does not fit the scope: pushed records name their own people, while a collector always belongs to one
    person.
    """


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender behind a token: `names` are the lower-case addresses and logins of the token's person.

    `changes_all` allows changing pushed records of others.  `most_new_names` applies per kind and day; None is no
    limit.
    """

    token_id: int
    scope: str = ""
    expires_at: datetime | None = None
    identity_id: int | None = None
    names: frozenset[str] = frozenset()
    changes_all: bool = False
    most_new_names: int | None = None


def create_ingest_token(
    name: str,
    *,
    scope: IngestScope = IngestScope.TELEMETRY,
    lifetime: timedelta | None = LIFETIME,
    person: Person | None = None,
    changes_all: bool = False,
) -> tuple[IngestToken, str]:
    """Create a token; return it with its secret, which is not stored and must be shown once.

    Without `lifetime` it never expires.  Raises TokenPersonError if the scope must have a person, or must not have one.
    """
    if person is not None and scope is IngestScope.PUSH:
        raise TokenPersonError("A token for pushed records cannot belong to a person: they name theirs.")
    if person is None and scope is IngestScope.COLLECTOR:
        raise TokenPersonError("A token for the collector belongs to the person whose machine it is on.")
    secret = PREFIX + secrets.token_urlsafe(32)
    digest = secret_digest(secret)
    with transaction.atomic():
        token = IngestToken.objects.create(
            name=name,
            digest=digest,
            hint=secret[-4:],
            scope=scope,
            changes_all=changes_all,
            expires_at=None if lifetime is None else timezone.now() + lifetime,
            identity=None if person is None else _identity_of(digest, person),
        )
    return token, secret


def replace_ingest_token(
    old: IngestToken, *, name: str = "", lifetime: timedelta | None = LIFETIME
) -> tuple[IngestToken, str]:
    """Replace a token by a new one with the same permissions, and revoke the old one.

    The new one takes over its pushed records; a revoked token can be replaced as well.  A token without a scope (from
    older versions) becomes one for telemetry, or for records if it has pushed any.
    """
    with transaction.atomic():
        has_pushed = PushedRecord.objects.filter(token=old).exists()
        scope = IngestScope(old.scope or (IngestScope.PUSH if has_pushed else IngestScope.TELEMETRY))
        person = old.identity.person if old.identity else None
        new, secret = create_ingest_token(
            name or old.name, scope=scope, lifetime=lifetime, person=person, changes_all=old.changes_all
        )
        PushedRecord.objects.filter(token=old).update(token=new)
        KnownName.objects.filter(token=old).update(token=new)  # the daily bound does not start over
        CollectorMachine.objects.filter(token=old).update(token=new)
        CollectedLines.objects.filter(token=old).update(token=new)
        IngestToken.objects.filter(pk=new.pk).update(most_new_names=old.most_new_names)
        revoke_ingest_token(old)
    return new, secret


def find_ingest_token(secret: str) -> int | None:
    """The id of the token with that secret, of any scope; None if there is none, or if it has expired.

    Looking a token up does not count as using it; only sending with it does.
    """
    valid = IngestToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)
    found: int | None = valid.filter(digest=secret_digest(secret)).values_list("pk", flat=True).first()
    return found


def sender_of(secret: str, scope: IngestScope) -> Sender:
    """The sender with that secret, if its scope allows this.  Raises RefusedTokenError.

    Results are cached for SECONDS_KNOWN; `last_used_at` moves at most once a minute.
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
    names = _names_of(token.identity_id)
    return Sender(
        token.pk, token.scope, token.expires_at, token.identity_id, names, token.changes_all, token.most_new_names
    )


def revoke_ingest_token(token: IngestToken) -> None:
    """Revoke a token.  Idempotent; takes effect at once in this process, and within SECONDS_KNOWN in others."""
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
    digest = secret_digest(secret)
    with _lock:
        known: Sender | None = _known.get(digest)
    if known:
        return known
    token = IngestToken.objects.filter(digest=digest, revoked_at=None).first()
    if token is None:
        return None
    sender = sender_of_token(token)
    with _lock:
        _known[digest] = sender
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
