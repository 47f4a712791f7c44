"""People for unmatched identities: the certain owner, else a new provisional person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from orgtree.identities.identity_names import IdentityName, readable_name
from orgtree.identities.names import better_name
from orgtree.models import IdentityKind, Person


def people_for(names: Mapping[IdentityName, str]) -> dict[IdentityName, Person]:
    """A person for each name (mapped to its signed name): the certain owner, else a new provisional person."""
    if not names:
        return {}
    known = certain_owners(list(names))
    created = {name: provisional_person(name, signed) for name, signed in names.items() if name not in known}
    # A concurrent import may add the same addresses.
    Person.objects.bulk_create(created.values(), ignore_conflicts=True)
    if created:
        by_email = _people_by_email([name.value for name in created if name.kind == IdentityKind.EMAIL])
        known |= {name: by_email[name.value] for name in created if name.kind == IdentityKind.EMAIL}
    stored = Person.objects.raw(
        "SELECT * FROM orgtree_person WHERE public_id = ANY (%s)", [[person.public_id for person in created.values()]]
    )
    by_public_id = {person.public_id: person for person in stored}
    return {name: known.get(name) or by_public_id[created[name].public_id] for name in names}


def provisional_person(
    name: IdentityName, signed: str, *, id_: int | None = None, public_id: UUID | None = None
) -> Person:
    """An unsaved person known only by this name."""
    person = Person(
        pk=id_,
        full_name=better_name(readable_name(name), signed),
        email=name.value if name.kind == IdentityKind.EMAIL else None,
        found_in_data=True,
    )
    if public_id is not None:
        person.public_id = public_id
    return person


def certain_owners(names: Sequence[IdentityName]) -> dict[IdentityName, Person]:
    """Certain owners: people with that e-mail address, or with that login declared for every provider."""
    by_email = _people_by_email([name.value for name in names if name.kind == IdentityKind.EMAIL])
    by_login = _people_by_login({name.value.lower() for name in names if name.kind == IdentityKind.LOGIN})
    owners = {
        name: by_email.get(name.value) if name.kind == IdentityKind.EMAIL else by_login.get(name.value.lower())
        for name in names
        if name.kind in (IdentityKind.EMAIL, IdentityKind.LOGIN)
    }
    return {name: person for name, person in owners.items() if person is not None}


def _people_by_email(emails: Sequence[str]) -> dict[str, Person]:
    if not emails:
        return {}
    # An array: Django takes seconds for a list of ten thousand parameters.
    people = Person.objects.raw("SELECT * FROM orgtree_person WHERE lower(email) = ANY (%s)", [list(emails)])
    return {person.email.lower(): person for person in people if person.email is not None}


def _people_by_login(logins: set[str]) -> dict[str, Person]:
    if not logins:
        return {}
    declared = Person.objects.raw(
        """
        SELECT person.*, lower(identity.value) AS login
        FROM orgtree_identity identity JOIN orgtree_person person ON person.id = identity.person_id
        WHERE identity.kind = 'login' AND identity.provider = '' AND lower(identity.value) = ANY (%s)
        """,
        [list(logins)],
    )
    return {vars(person)["login"]: person for person in declared}
