"""The people in drafts: from logins and addresses to identities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from integrations.bots import REVIEW_BOTS, bot_name
from integrations.connectors.drafts import Who
from integrations.connectors.git.agent_signatures import is_bot
from orgtree.identities.resolving import IdentityName, UnusableNameError, identify
from orgtree.models import Identity, IdentityKind

LONGEST_NAME = 300
LONGEST_PROVIDER = 36  # leaves room for a suffix


def identify_people(provider: str, named: Iterable[Who]) -> Mapping[Who, int]:
    """The identity of each person: by the login at the provider, else by the address, else by the account.

    If a person has both, the address identifies the login's owner.  Bots and generic names get an identity without a
    person: their work is visible, and counted as unmatched.
    """
    people = list(dict.fromkeys(named))
    if not people:
        return {}
    names = [_names((who.at or provider)[:LONGEST_PROVIDER], who) for who in people]
    identities = dict(zip(people, identify(names), strict=True))
    logins = {
        who: known[0]
        for who, known in zip(people, names, strict=True)
        if known[0].kind == IdentityKind.LOGIN and len(known) > 1
    }
    return identities | _identities_of_logins(logins)


@lru_cache(maxsize=10_000)  # the same people page after page
def _names(provider: str, who: Who) -> tuple[IdentityName, ...]:
    """The primary name, followed by those that identify its owner."""
    is_named = bot_name(who.login) in REVIEW_BOTS
    if who.bot or is_named or is_bot(who.name or who.login, who.email) or is_bot(who.login, ""):
        return (_nobody(f"{provider}-bot", who.login or who.email or who.name or who.account),)
    names = []
    login = who.login.lower()  # as in the no-reply addresses of commits; logins ignore case at every code host
    for kind, value in ((IdentityKind.LOGIN, login), (IdentityKind.EMAIL, who.email)):
        try:
            if kind == IdentityKind.EMAIL:
                names.append(IdentityName.of_address(value, signed=who.name))
            else:
                names.append(IdentityName(kind, provider, value, signed=who.name))
        except UnusableNameError:
            continue
    return tuple(names) or (_nobody(provider, who.account or who.name or who.login or who.email),)


def _nobody(provider: str, value: str) -> IdentityName:
    printable = "".join(character if character.isprintable() else "�" for character in value)
    return IdentityName(IdentityKind.INSTALLATION, provider, printable[:LONGEST_NAME].strip() or "unnamed")


def _identities_of_logins(logins: Mapping[Who, IdentityName]) -> dict[Who, int]:
    """The identities of logins; `identify` prefers the address, and every update of a login contains the login
    itself.
    """
    if not logins:
        return {}
    identities = {
        (provider, value): id_
        for id_, provider, value in Identity.objects.filter(
            kind=IdentityKind.LOGIN, value__in={name.value for name in logins.values()}
        ).values_list("pk", "provider", "value")
    }
    return {who: identities[name.provider, name.value] for who, name in logins.items()}
