"""From the names that systems use for somebody to the person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models.functions import Lower

from orgtree.models import Identity, IdentityKind, Person, Placement
from orgtree.services.identity_names import IdentityName, UnusableNameError, readable_name

__all__ = [
    "IdentityMove",
    "IdentityName",
    "UnusableNameError",
    "identify",
    "move_identities",
    "on_identities_moved",
    "point_to",
]

_KINDS_THAT_NAME_A_PERSON = (IdentityKind.EMAIL, IdentityKind.LOGIN, IdentityKind.AGENT_ACCOUNT)


@dataclass(frozen=True, slots=True)
class IdentityMove:
    """An identity that changed its person; None: nobody."""

    identity_id: int
    previous_person_id: int | None
    person_id: int | None


MoveListener = Callable[[Sequence[IdentityMove]], None]
_move_listeners: list[MoveListener] = []


def on_identities_moved(listener: MoveListener) -> None:
    """Register, at start-up, who must know when identities change their person; called inside that transaction."""
    if listener not in _move_listeners:
        _move_listeners.append(listener)


def identify(sightings: Sequence[Sequence[IdentityName]]) -> list[int]:
    """The identity that each sighting stands for, as ids, in order.

    A sighting is all the names that one record carried for its author, e.g. e-mail address and installation id.
    The strongest name (order of IdentityKind, among equals the one named first) is the identity.  Missing identities
    are created; an e-mail address, a login or an agent account becomes a person, and the weaker names seen beside it
    point to the same person, unless they already point to another one.  A person without an e-mail address is
    provisional: once a login or account of theirs is seen with an address, they are the person of that address, under
    all their names.  An installation alone names nobody.

    Runs in the caller's transaction; safe under concurrency.  ValueError where a sighting is empty (a record that
    names nobody has IdentityName.unnamed).
    """
    ordered = [sorted(sighting, key=lambda name: name.strength) for sighting in sightings]
    if not all(ordered):
        raise ValueError("A sighting needs at least one name; use IdentityName.unnamed.")
    names = {name for sighting in ordered for name in sighting}
    known = _read(names)
    missing = sorted(names - known.keys())
    if missing:
        Identity.objects.bulk_create(
            [Identity(kind=name.kind, provider=name.provider, value=name.value) for name in missing],
            ignore_conflicts=True,
        )
        known = _read(names)
    unsettled = [sighting for sighting in ordered if not _is_settled(sighting, known)]
    if unsettled:
        _settle(unsettled, known)
    return [known[sighting[0]].identity_id for sighting in ordered]


def point_to(identities: Iterable[Identity], person: Person | None) -> None:
    """Let the identities belong to that person, or to nobody; whoever computes from them is told."""
    ids = [identity.pk for identity in identities]
    locked = Identity.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    person_id = person.pk if person else None
    move_identities([IdentityMove(i.pk, i.person_id, person_id) for i in locked if i.person_id != person_id])


@dataclass(slots=True)
class _Known:
    identity_id: int
    person_id: int | None
    person_has_email: bool


def _read(names: Iterable[IdentityName]) -> dict[IdentityName, _Known]:
    wanted = sorted(names)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT name.position, identity.id, identity.person_id, person.email IS NOT NULL
            FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS name (kind, provider, value, position)
            JOIN orgtree_identity identity USING (kind, provider, value)
            LEFT JOIN orgtree_person person ON person.id = identity.person_id
            """,
            [
                [name.kind.value for name in wanted],
                [name.provider for name in wanted],
                [name.value for name in wanted],
            ],
        )
        return {wanted[row[0] - 1]: _Known(*row[1:]) for row in cursor.fetchall()}


def _is_settled(sighting: Sequence[IdentityName], known: dict[IdentityName, _Known]) -> bool:
    strongest = sighting[0]
    if strongest.kind not in _KINDS_THAT_NAME_A_PERSON:
        return True
    person_id = known[strongest].person_id
    return person_id is not None and not any(_follows(name, known[name], known[strongest]) for name in sighting[1:])


def _follows(name: IdentityName, weaker: _Known, stronger: _Known) -> bool:
    """Whether a weaker name must yet be pointed to the person of the stronger one that it was seen with."""
    if weaker.person_id == stronger.person_id:
        return False
    return weaker.person_id is None or (
        name.kind in _KINDS_THAT_NAME_A_PERSON and stronger.person_has_email and not weaker.person_has_email
    )


def _settle(sightings: Sequence[Sequence[IdentityName]], known: dict[IdentityName, _Known]) -> None:
    """Give every sighting's strongest name a person, and let the weaker ones follow."""
    names = {name for sighting in sightings for name in sighting}
    # Locked first and read afterwards: what another transaction did meanwhile must be seen.
    ids = sorted(known[name].identity_id for name in names)
    list(Identity.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    known |= _read(names)

    moves: list[IdentityMove] = []
    for sighting in sightings:
        if known[sighting[0]].person_id is None and (person := _adopted_person(sighting, known)):
            _point(known[sighting[0]], person, moves)
            for other in known.values():
                other.person_has_email |= other.person_id == person.pk and person.email is not None
    newcomers = {sighting[0] for sighting in sightings if known[sighting[0]].person_id is None}
    for name, person in _people_for(sorted(newcomers)).items():
        _point(known[name], person, moves)
    for sighting in sightings:
        strongest = known[sighting[0]]
        for name in sighting[1:]:
            weaker = known[name]
            if _follows(name, weaker, strongest):
                for follower in [weaker] if weaker.person_id is None else _names_of(weaker.person_id, known):
                    moves.append(IdentityMove(follower.identity_id, follower.person_id, strongest.person_id))
                    follower.person_id, follower.person_has_email = strongest.person_id, strongest.person_has_email
    move_identities(moves)
    _forget_empty({move.previous_person_id for move in moves if move.previous_person_id is not None})


def _names_of(person_id: int, known: dict[IdentityName, _Known]) -> list[_Known]:
    """All identities of a provisional person: whoever it turns out to be, is so under each of its names."""
    here = [identity for identity in known.values() if identity.person_id == person_id]
    elsewhere = (
        Identity.objects.select_for_update(no_key=True)
        .filter(person_id=person_id)
        .exclude(pk__in=[identity.identity_id for identity in known.values()])
        .order_by("pk")
    )
    return here + [_Known(identity.pk, person_id, person_has_email=False) for identity in elsewhere]


def _point(identity: _Known, person: Person, moves: list[IdentityMove]) -> None:
    moves.append(IdentityMove(identity.identity_id, identity.person_id, person.pk))
    identity.person_id, identity.person_has_email = person.pk, person.email is not None


def _adopted_person(sighting: Sequence[IdentityName], known: dict[IdentityName, _Known]) -> Person | None:
    """The provisional person of a weaker name, who gets the address that was now seen beside it."""
    strongest = sighting[0]
    if strongest.kind == IdentityKind.EMAIL and _people_by_email([strongest.value]):
        return None
    for name in sighting[1:]:
        weaker = known[name]
        if name.kind not in _KINDS_THAT_NAME_A_PERSON or weaker.person_id is None or weaker.person_has_email:
            continue
        person = Person.objects.select_for_update(no_key=True).get(pk=weaker.person_id)
        if strongest.kind == IdentityKind.EMAIL and person.email is None:
            if person.full_name in {readable_name(other) for other in sighting[1:]}:
                person.full_name = readable_name(strongest)
            person.email = strongest.value
            person.save(update_fields=["full_name", "email"])
        return person
    return None


def _people_for(names: Sequence[IdentityName]) -> dict[IdentityName, Person]:
    """A person for each name: whoever has the e-mail address already, else a new one."""
    emails = [name.value for name in names if name.kind == IdentityKind.EMAIL]
    by_email = _people_by_email(emails)
    created = {
        name: Person(full_name=readable_name(name), email=name.value if name.kind == IdentityKind.EMAIL else None)
        for name in names
        if name.value not in by_email or name.kind != IdentityKind.EMAIL
    }
    # An import may be adding the same addresses at this moment.
    Person.objects.bulk_create(created.values(), ignore_conflicts=True)
    by_email = _people_by_email(emails)
    by_public_id = Person.objects.in_bulk([person.public_id for person in created.values()], field_name="public_id")
    return {
        name: by_email[name.value] if name.kind == IdentityKind.EMAIL else by_public_id[created[name].public_id]
        for name in names
    }


def _people_by_email(emails: Sequence[str]) -> dict[str, Person]:
    found = Person.objects.alias(lowered=Lower("email")).filter(lowered__in=emails)
    return {person.email.lower(): person for person in found if person.email is not None}


def move_identities(steps: Sequence[IdentityMove]) -> None:
    """Store where the identities ended up, after one step or several, and tell whoever computes from them.

    For a caller that holds locks on the identities' rows.
    """
    first: dict[int, int | None] = {}
    last: dict[int, int | None] = {}
    for step in steps:
        first.setdefault(step.identity_id, step.previous_person_id)
        last[step.identity_id] = step.person_id
    moves = [
        IdentityMove(identity_id, first[identity_id], person_id)
        for identity_id, person_id in sorted(last.items())
        if first[identity_id] != person_id
    ]
    if not moves:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE orgtree_identity identity SET person_id = move.person_id
            FROM unnest(%s::bigint[], %s::bigint[]) AS move (identity_id, person_id)
            WHERE identity.id = move.identity_id
            """,
            [[move.identity_id for move in moves], [move.person_id for move in moves]],
        )
    for listener in _move_listeners:
        listener(moves)


def _forget_empty(person_ids: set[int]) -> None:
    """Remove provisional people of whom nothing is left."""
    Person.objects.filter(pk__in=person_ids, email=None).exclude(
        pk__in=Identity.objects.filter(person_id__in=person_ids).values("person_id")
    ).exclude(pk__in=Placement.objects.filter(person_id__in=person_ids).values("person_id")).delete()
