"""From the names that systems use for somebody to the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orgtree.models import IdentityKind


@dataclass(frozen=True, slots=True)
class IdentityName:
    """One name as a system sent it: kind, provider (empty for e-mail addresses) and value."""

    kind: IdentityKind
    provider: str
    value: str


def identify(sightings: Sequence[Sequence[IdentityName]]) -> list[int]:
    """The identity that each sighting stands for, as ids, in order.

    A sighting is all the names that one record carried for its author, e.g. e-mail address and installation id.
    The strongest name (order of IdentityKind) is the identity.  Missing identities are created; an e-mail address
    or an agent account becomes a person, and the weaker names seen beside it point to the same person, unless
    they already point to another one.  Runs in the caller's transaction; safe under concurrency.
    """
    raise NotImplementedError
