"""Unsubscribe links, which work without signing in.

They are signed, do nothing else and never expire: an e-mail may be read years later.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core import signing

from programs.models import Channel, OptOut

SALT = "programs.unsubscribe"


class NoSuchLinkError(Exception):
    """Signed by nobody here, or for a deleted account."""


def unsubscribe_token(account: User, channel: Channel) -> str:
    return signing.Signer(salt=SALT).sign_object([account.pk, channel.value]).replace(":", "~")


def read_token(token: str) -> tuple[User, Channel]:
    """Raises NoSuchLinkError."""
    try:
        account_id, word = signing.Signer(salt=SALT).unsign_object(token.replace("~", ":"))
        return User.objects.get(pk=int(account_id)), Channel(word)
    except (signing.BadSignature, User.DoesNotExist, ValueError, TypeError) as problem:
        raise NoSuchLinkError from problem


def unsubscribe(account: User, channel: Channel) -> None:
    """No messages of any kind any more; what waits is not sent either.  Twice is as once."""
    OptOut.objects.get_or_create(account=account, channel=channel, kind="")


def is_unsubscribed(account: User, channel: Channel) -> bool:
    return OptOut.objects.filter(account=account, channel=channel, kind="").exists()
