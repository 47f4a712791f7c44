"""Whose record is it?  The names that a record or its resource carries for its author."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from integrations.telemetry.decode_values import BadRecord, key_of, text_of
from integrations.telemetry.vocabularies.vocabulary import Attributes, Vocabulary
from orgtree.models import IdentityKind
from orgtree.services.identities import IdentityName, UnusableNameError

LONGEST_SESSION_ID = 200
LONGEST_NAME = 400  # as sent; what may be stored is IdentityName's to say
LONGEST_VERSION = 60
# enduser.id is set by the organisation, the same for every agent, so its logins are no agent's logins.
END_USER_PROVIDER = "enduser"
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


class SessionKey(NamedTuple):
    """A session as one record names it: with all the names of its author, as sent."""

    agent: str
    external_id: str
    agent_version: str
    end_user: str
    email: str
    account_uuid: str
    account_id: str
    installation: str

    @property
    def names(self) -> tuple[IdentityName, ...]:
        return names_of(self.agent, *self[3:])


def session_of(attributes: Attributes, vocabulary: Vocabulary) -> SessionKey | None:
    """The session that a record belongs to; None where it names none.

    Raises BadRecord for a session id or a name of its author that cannot be kept.
    """
    for name in vocabulary.session_keys:
        if external_id := key_of(attributes.get(name), name, LONGEST_SESSION_ID):
            break
    else:
        return None
    get = attributes.get
    author = (
        text_of(get("enduser.id"), "enduser.id", LONGEST_NAME),
        text_of(get("user.email"), "user.email", LONGEST_NAME),
        text_of(get("user.account_uuid"), "user.account_uuid", LONGEST_NAME),
        text_of(get("user.account_id"), "user.account_id", LONGEST_NAME),
        text_of(get("user.id") or get("installation.id"), "user.id", LONGEST_NAME),
    )
    try:
        names_of(vocabulary.agent, *author)
    except UnusableNameError as problem:
        raise BadRecord(str(problem)) from None
    version = text_of(get(vocabulary.version_key), vocabulary.version_key, LONGEST_VERSION)
    return SessionKey(vocabulary.agent, external_id, version, *author)


@functools.lru_cache(maxsize=100_000)
def names_of(
    agent: str, end_user: str, email: str, account_uuid: str, account_id: str, installation: str
) -> tuple[IdentityName, ...]:
    """The distinct names, at least one.  Raises UnusableNameError."""
    sent = (
        _address_or_login(end_user, END_USER_PROVIDER),
        _address_or_login(email, agent),
        (IdentityKind.AGENT_ACCOUNT, agent, account_uuid),
        (IdentityKind.AGENT_ACCOUNT, agent, account_id),
        (IdentityKind.INSTALLATION, agent, installation),
    )
    names = dict.fromkeys(IdentityName(kind, provider, value) for kind, provider, value in sent if value.strip())
    return tuple(names) or (IdentityName.unnamed(agent),)


def _address_or_login(value: str, provider: str) -> tuple[IdentityKind, str, str]:
    if _ADDRESS.fullmatch(value.strip()):
        return IdentityKind.EMAIL, "", value
    return IdentityKind.LOGIN, provider, value
