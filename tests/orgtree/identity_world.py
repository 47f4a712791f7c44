"""Helpers for identity tests: known people, sightings and their states."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from orgtree.identities.moves import move_identities
from orgtree.identities.resolving import IdentityName, identify
from orgtree.models import Employment, Identity, IdentityKind, MatchProposal, Person


def employed(full_name: str, email: str) -> Person:
    """Somebody of the people file."""
    person = Person.objects.create(full_name=full_name, email=email)
    Employment.objects.create(person=person, during=DateRange(date(2026, 1, 1), None))
    return person


def signed(name: str, email: str) -> IdentityName:
    """As a commit names its author."""
    return IdentityName.of_address(email, signed=name)


def account(value: str) -> IdentityName:
    return IdentityName(IdentityKind.AGENT_ACCOUNT, "claude_code", value)


def seen(*names: IdentityName) -> Identity:
    """One record with these names; the identity that it is stored under."""
    with transaction.atomic():
        (identity_id,) = identify([names])
    return Identity.objects.get(pk=identity_id)


def of(name: IdentityName) -> Identity:
    return Identity.objects.get(kind=name.kind, provider=name.provider, value=name.value)


def assign_identities(identities: Iterable[Identity], person: Person | None) -> None:
    """The identities move to that person, or to nobody, as code that resolves names moves them."""
    move_identities({identity.pk: person.pk if person else None for identity in identities})


def waiting() -> dict[str, list[str]]:
    """Each waiting identity with the people it may be, the likeliest first."""
    names: dict[str, list[str]] = {}
    proposals = MatchProposal.objects.filter(state=MatchProposal.State.WAITING).order_by("-confidence", "person_id")
    for proposal in proposals.select_related("identity", "person"):
        names.setdefault(proposal.identity.value, []).append(proposal.person.full_name)
    return names


def partition() -> dict[str, str]:
    """Each identity with what its person is called; "": nobody."""
    return {
        identity.value: identity.person.full_name if identity.person else ""
        for identity in Identity.objects.select_related("person")
    }
