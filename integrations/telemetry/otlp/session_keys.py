"""The session of a record, and the names of its author."""

from __future__ import annotations

import functools
import re
from datetime import date
from hashlib import blake2b
from typing import NamedTuple

from integrations.telemetry.agents.place import place_of
from integrations.telemetry.agents.values import Attributes, BadRecordError, key_of, text_of
from integrations.telemetry.agents.vocabulary import Vocabulary
from orgtree.identities.resolving import IdentityName, UnusableNameError
from orgtree.models import IdentityKind

LONGEST_SESSION_ID = 200
LONGEST_NAME = 400  # as sent; IdentityName decides which names may be stored
LONGEST_VERSION = 60
UNNAMED = "(no session id)"
# The organisation sets enduser.id, the same for every agent, so its logins have a provider of their own.
END_USER_PROVIDER = "enduser"
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


class AuthorNames(NamedTuple):
    """The author's names in a record, as sent; empty if absent.

    With a personal token, `identity` (an id) replaces all names.
    """

    agent: str
    end_user: str
    email: str
    account_uuid: str
    account_id: str
    installation: str
    identity: int = 0


class SessionKey(NamedTuple):
    """A session as named by one record.

    If the record names only its process, the process stands for the session (`is_process`); if it names neither, the
    day of its author does (`is_unnamed`).
    """

    agent: str
    external_id: str
    agent_version: str
    author: AuthorNames
    process: str = ""  # its process, for agents whose metrics name nothing else
    is_process: bool = False
    is_unnamed: bool = False  # a substitute for records without a session id
    place: str = ""  # place_of the record


def session_of(attributes: Attributes, vocabulary: Vocabulary) -> SessionKey | None:
    """The session of a record; None if it names none.

    Raises BadRecordError for an invalid session id or author name.
    """
    session = _first_key(attributes, vocabulary.session_keys)
    process = _first_key(attributes, vocabulary.process_keys)
    if not session and not process:
        return None
    author, version = _author_of(attributes, vocabulary)
    place = place_of(attributes)
    return SessionKey(
        vocabulary.agent, session or process, version, author, process, is_process=not session, place=place
    )


def unnamed_session_of(attributes: Attributes, vocabulary: Vocabulary, day: date) -> SessionKey:
    """The substitute session of a record that names neither session nor process: its author's day with the agent.

    There is one per day and installation, so that each has few rows.  Raises BadRecordError for an invalid author name.
    """
    author, version = _author_of(attributes, vocabulary)
    names = (author.installation, author.account_uuid, author.account_id, author.email, author.end_user)
    whose = next(filter(None, names), "")
    digest = blake2b(whose.encode(errors="replace"), digest_size=8).hexdigest()
    external_id = f"{UNNAMED} {day} {digest}"
    return SessionKey(vocabulary.agent, external_id, version, author, is_unnamed=True, place=place_of(attributes))


def _author_of(attributes: Attributes, vocabulary: Vocabulary) -> tuple[AuthorNames, str]:
    """The author's names, and the agent's version.  Raises BadRecordError."""

    def text(name: str, longest: int = LONGEST_NAME) -> str:
        return text_of(attributes.get(name), name, longest)

    author = AuthorNames(
        vocabulary.agent,
        end_user=text("enduser.id"),
        email=text("user.email") or _address_in(attributes, vocabulary.address_keys),
        account_uuid=text("user.account_uuid"),
        account_id=text("user.account_id"),
        installation=text("user.id") or text("installation.id"),
    )
    try:
        identity_names(author)
    except UnusableNameError as problem:
        raise BadRecordError(str(problem)) from None
    return author, text(vocabulary.version_key, LONGEST_VERSION)


def _address_in(attributes: Attributes, names: tuple[str, ...]) -> str:
    values = (value for name in names if isinstance(value := attributes.get(name), str))
    return next((value for value in values if len(value) <= LONGEST_NAME and _ADDRESS.fullmatch(value.strip())), "")


def _first_key(attributes: Attributes, names: tuple[str, ...]) -> str:
    for name in names:
        if key := key_of(attributes.get(name), name, LONGEST_SESSION_ID):
            return key
    return ""


@functools.lru_cache(maxsize=100_000)
def identity_names(author: AuthorNames) -> tuple[IdentityName, ...]:
    """The distinct names, at least one.  Raises UnusableNameError."""
    sent = (
        _address_or_login(author.end_user, END_USER_PROVIDER),
        _address_or_login(author.email, author.agent),
        _name(IdentityKind.AGENT_ACCOUNT, author.agent, author.account_uuid),
        _name(IdentityKind.AGENT_ACCOUNT, author.agent, author.account_id),
        _name(IdentityKind.INSTALLATION, author.agent, author.installation),
    )
    return tuple(dict.fromkeys(name for name in sent if name)) or (IdentityName.unnamed(author.agent),)


def _address_or_login(value: str, provider: str) -> IdentityName | None:
    if _ADDRESS.fullmatch(value.strip()):
        return IdentityName.of_address(value)  # a code host's no-reply address contains the login
    return _name(IdentityKind.LOGIN, provider, value)


def _name(kind: IdentityKind, provider: str, value: str) -> IdentityName | None:
    return IdentityName(kind, provider, value) if value.strip() else None
