"""Invitations: an admin enters addresses, each gets a one-time link that creates an account.

A link is found by the SHA-256 of its token in a unique index.  The page does not say why a link fails: it may be a
guess.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from core.secret_links import secret_digest
from orgtree.access.who_sees import name_of
from orgtree.models import Invitation, Person

logger = logging.getLogger(__name__)
LIFETIME = timedelta(days=14)
LONGEST_EMAIL = 150  # limit of Django's user names: the address is the user name
MOST_AT_ONCE = 500


def can_send_mail() -> bool:
    """Whether a mail server is configured."""
    return bool(settings.EMAIL_HOST)


def send_invitation(invitation: Invitation, url: str) -> bool:
    """Send the invitation and return whether that worked.  Failures are logged: the link is shown anyway."""
    if not can_send_mail():
        return False
    inviter = name_of(invitation.invited_by) if invitation.invited_by else "An admin"
    try:
        send_mail(
            "You are invited to Headway",
            f"{inviter} invites you to Headway.\n\nCreate your account here; the link works once, until "
            f"{invitation.expires_at:%d %B %Y}:\n{url}\n",
            None,
            [invitation.email],
        )
    except OSError as problem:  # the base of smtplib's errors
        logger.warning("An invitation could not be sent by mail: %s", type(problem).__name__)
        return False
    return True


class CannotInviteError(ValueError):
    """An address cannot be invited; the message says why."""


@dataclass(frozen=True)
class Invited:
    """An invitation with the token of its link, which is not stored: show it once."""

    invitation: Invitation
    token: str


def invite(emails: Iterable[str], *, by: User) -> list[Invited]:
    """Invite all addresses or none.  Raises CannotInviteError for the first invalid one.

    An address with an open invitation gets a new link; the old one stops working.
    """
    addresses = list(dict.fromkeys(email.strip().lower() for email in emails if email.strip()))
    if len(addresses) > MOST_AT_ONCE:
        raise CannotInviteError(
            f"“{addresses[MOST_AT_ONCE]}” is one too many: invite at most {MOST_AT_ONCE} at a time."
        )
    for email in addresses:
        _check(email)
    with transaction.atomic():
        taken_names = {name.lower() for pair in _accounts(addresses).values_list("email", "username") for name in pair}
        for email in addresses:
            if email in taken_names:
                raise CannotInviteError(f"“{email}” already has an account.")
        Invitation.objects.filter(email__in=addresses, accepted_at=None, withdrawn_at=None).update(
            withdrawn_at=timezone.now()
        )
        return [_open(email, by) for email in addresses]


def renew(invitation: Invitation, *, by: User) -> Invited:
    """A new link for the same address; the old one stops working.  Raises CannotInviteError."""
    with transaction.atomic():
        stored = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if stored.accepted_at or stored.withdrawn_at:
            raise CannotInviteError("This invitation was accepted or withdrawn. Invite the address again.")
        stored.withdrawn_at = timezone.now()
        stored.save(update_fields=["withdrawn_at"])
        return _open(stored.email, by)


def withdraw(invitation: Invitation) -> None:
    """Withdraw the invitation; the link stops working at once.  Idempotent."""
    Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None).update(withdrawn_at=timezone.now())


def find_invitation(token: str) -> Invitation | None:
    """The open invitation of that link; None if unknown or expired."""
    return _usable().select_related("invited_by").filter(digest=secret_digest(token)).first()


def accept(token: str, password: str) -> User | None:
    """The new account, matched to a person by address; None if the link does not work (any more)."""
    with transaction.atomic():
        invitation = _usable().select_for_update(of=("self",)).filter(digest=secret_digest(token)).first()
        if invitation is None or _accounts([invitation.email]).exists():
            return None
        first, _, last = _name_of(invitation.email).partition(" ")
        user = User.objects.create_user(
            invitation.email, invitation.email, password, first_name=first[:150], last_name=last[:150]
        )
        invitation.accepted_at, invitation.accepted_by = timezone.now(), user
        invitation.save(update_fields=["accepted_at", "accepted_by"])
        return user


def people_without_account() -> QuerySet[Person]:
    """People with an address but no account and no open invitation, by name."""
    own = User.objects.annotate(lowered=Lower("email")).filter(lowered=Lower(OuterRef("email")))
    invited = _usable().filter(email=Lower(OuterRef("email")))
    without = Person.objects.filter(~Exists(own), ~Exists(invited), email__isnull=False, user=None)
    return without.order_by("full_name", "pk")


def _open(email: str, by: User) -> Invited:
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        email=email, digest=secret_digest(token), invited_by=by, expires_at=timezone.now() + LIFETIME
    )
    return Invited(invitation, token)


def _check(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError:
        raise CannotInviteError(f"“{email}” is not an e-mail address.") from None
    if len(email) > LONGEST_EMAIL:
        raise CannotInviteError(f"“{email[:40]}” is longer than {LONGEST_EMAIL} characters.")


def _accounts(addresses: Sequence[str]) -> QuerySet[User]:
    """Accounts whose e-mail address or user name is one of these lower-case addresses."""
    lowered = User.objects.annotate(lowered_email=Lower("email"), lowered_name=Lower("username"))
    return lowered.filter(Q(lowered_email__in=addresses) | Q(lowered_name__in=addresses))


def _usable() -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())


def _name_of(email: str) -> str:
    person = Person.objects.filter(email__iexact=email).first()
    return person.full_name if person else ""
