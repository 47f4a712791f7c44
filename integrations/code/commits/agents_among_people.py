"""Agents that were mistaken for people before they were known: an upgrade with a longer list marks them as bots."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from integrations.connectors.git.agent_signatures import agent_of_signature
from orgtree.identities.decisions import mark_bots
from orgtree.models import Identity, IdentityKind, Person, Standing


@transaction.atomic
def mark_known_agents() -> int:
    """Mark identities of known agents as bots, together with their unmatched names; return how many.

    Their addresses are removed from the people that had them.  An admin's decisions about an identity, and what was
    entered about a person, stay.
    """
    guessed = Identity.objects.filter(
        Q(person=None) | Q(person__found_in_data=True),
        kind__in=[IdentityKind.EMAIL, IdentityKind.LOGIN],
        standing__in=[Standing.FOUND, Standing.WAITING],
    )
    agents = {
        id_: value
        for id_, kind, value, name in guessed.values_list("pk", "kind", "value", "seen_name").iterator()
        if agent_of_signature(name, _address_of(kind, value))
    }
    changes = mark_bots(Identity.objects.filter(pk__in=agents), by=None) if agents else []
    Person.objects.filter(found_in_data=True, email__in=agents.values()).update(email=None)
    return len(changes)


def _address_of(kind: str, value: str) -> str:
    """The address of an identity; for a login, the no-reply address from which it was read."""
    return value if kind == IdentityKind.EMAIL else f"{value}@users.noreply.github.com"
