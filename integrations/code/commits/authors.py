"""Identities of commit authors and committers."""

from __future__ import annotations

from collections.abc import Iterable

from integrations.connectors.git.agent_signatures import is_bot
from integrations.connectors.git.history import Signature
from orgtree.identities.resolving import IdentityName, UnusableNameError, identify
from orgtree.models import Identity, IdentityKind, Standing

BOTS, UNADDRESSED = "git-bot", "git"
LONGEST = 300


def identify_authors(signatures: Iterable[Signature]) -> dict[tuple[str, str], int]:
    """(name, e-mail) as signed → identity id.

    An address identifies a person, a host's no-reply address a login.  Bots, and signatures without a usable address,
    get an identity without a person: their commits count as unmatched.
    """
    signed = sorted({(signature.name, signature.email) for signature in signatures})
    return dict(zip(signed, identify([[_name(name, email)] for name, email in signed]), strict=True))


def marked_bots(identity_ids: Iterable[int]) -> frozenset[int]:
    """The identities among these that an admin marked as bots."""
    marked = Identity.objects.filter(pk__in=set(identity_ids), standing=Standing.BOT)
    return frozenset(marked.values_list("pk", flat=True))


def _name(name: str, email: str) -> IdentityName:
    if is_bot(name, email):
        return _nobody(BOTS, email or name)
    try:
        return IdentityName.of_address(email, signed=name)
    except UnusableNameError:
        return _nobody(UNADDRESSED, f"{name} <{email}>")


def _nobody(provider: str, value: str) -> IdentityName:
    printable = "".join(character if character.isprintable() else "�" for character in value)
    return IdentityName(IdentityKind.INSTALLATION, provider, printable[:LONGEST].strip() or "unsigned")
