"""Resolves the names that systems use for somebody to identities and people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core import sql
from orgtree.identities.identity_names import IdentityName, UnusableNameError, readable_name
from orgtree.identities.installations import note_signers
from orgtree.identities.moves import (
    IdentityMove,
    IdentityState,
    delete_empty_people,
    lock_identities,
    move_identities,
    move_listeners,
    put_identities,
)
from orgtree.identities.names import better_name
from orgtree.identities.own_people import certain_owners, people_for
from orgtree.models import Identity, IdentityKind, Person, Standing

__all__ = [
    "IdentityMove",
    "IdentityName",
    "UnusableNameError",
    "identify",
    "move_identities",
    "move_listeners",
]

_KINDS_THAT_NAME_A_PERSON = (IdentityKind.EMAIL, IdentityKind.LOGIN, IdentityKind.AGENT_ACCOUNT)
_SETTLED_AS_NOBODY = (Standing.WAITING, Standing.BOT)


def identify(sightings: Sequence[Sequence[IdentityName]]) -> list[int]:
    """The identity id of each sighting, in order.

    A sighting is all names that one record carries for its author, e.g. e-mail address and installation id.  The
    strongest name (order of IdentityKind, then the first) is the identity.  Missing identities are created; an e-mail
    address, a login or an agent account becomes a person, and weaker names of the sighting get the same person unless
    they have another one. A login declared without a provider applies to every provider.  A person without an e-mail
    address is provisional: once one of their logins or accounts is seen with an address, they become the person of that
    address, with all their names. An installation alone identifies nobody, and one with several signers has no owner.
    Matching decides afterwards whether a new person is a known one (match_identities); waiting identities and bots stay
    unmatched.

    Runs in the caller's transaction; safe under concurrency.  Raises ValueError for an empty sighting (use
    IdentityName.unnamed).
    """
    ordered = [sorted(sighting, key=lambda name: name.strength) for sighting in sightings]
    if not all(ordered):
        raise ValueError("A sighting needs at least one name; use IdentityName.unnamed.")
    signed = _signed_names(name for sighting in ordered for name in sighting)
    known = _read(signed)
    missing = sorted(signed.keys() - known.keys())
    if missing:
        Identity.objects.bulk_create(
            [
                Identity(kind=name.kind, provider=name.provider, value=name.value, seen_name=signed[name])
                for name in missing
            ],
            ignore_conflicts=True,
        )
        known = _read(signed)
    unresolved = [sighting for sighting in ordered if not _is_resolved(sighting, known)]
    renamed = {name for name, now in signed.items() if _is_better(now, known[name].seen_name)}
    if unresolved or renamed:
        known = _lock({name for sighting in unresolved for name in sighting} | renamed, known)
        _assign_people(unresolved, known, signed)
        _rename({name: signed[name] for name in renamed}, known)
    note_signers(
        {
            (known[name].identity_id, known[sighting[0]].identity_id)
            for sighting in ordered
            if sighting[0].kind in _KINDS_THAT_NAME_A_PERSON
            for name in sighting[1:]
            if name.kind == IdentityKind.INSTALLATION
        }
    )
    return [known[sighting[0]].identity_id for sighting in ordered]


@dataclass(slots=True)
class _Known:
    identity_id: int
    person_id: int | None
    person_has_email: bool
    standing: Standing = Standing.FOUND
    seen_name: str = ""
    is_shared: bool = False

    @property
    def is_nobody(self) -> bool:
        """Whether its status says that it has no person, for now or for good."""
        return self.standing in _SETTLED_AS_NOBODY


def _is_better(name: str, before: str) -> bool:
    """Whether the name is better than the stored one; usually both are equal."""
    return name not in ("", before) and better_name(name, before) == name


def _signed_names(names: Iterable[IdentityName]) -> dict[IdentityName, str]:
    """The best signed name of each identity name; empty without any."""
    signed: dict[IdentityName, str] = {}
    for name in names:
        before = signed.get(name)
        if before is None or (name.signed and name.signed != before):
            signed[name] = better_name(before, name.signed) if before else name.signed
    return signed


def _read(names: Iterable[IdentityName]) -> dict[IdentityName, _Known]:
    ordered = sorted(names)
    rows = sql.rows(
        """
        SELECT name.position, identity.id, identity.person_id, person.email IS NOT NULL,
               identity.standing, identity.seen_name, identity.is_shared
        FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS name (kind, provider, value, position)
        JOIN orgtree_identity identity USING (kind, provider, value)
        LEFT JOIN orgtree_person person ON person.id = identity.person_id
        """,
        [
            [name.kind.value for name in ordered],
            [name.provider for name in ordered],
            [name.value for name in ordered],
        ],
    )
    return {
        ordered[position - 1]: _Known(id_, person, has_email, Standing(standing), seen_name, is_shared)
        for position, id_, person, has_email, standing, seen_name, is_shared in rows
    }


def _lock(names: Iterable[IdentityName], known: Mapping[IdentityName, _Known]) -> dict[IdentityName, _Known]:
    """Lock the identities, then read them again to see concurrent changes."""
    names = list(names)
    lock_identities([known[name].identity_id for name in names])
    return {**known, **_read(names)}


def _is_resolved(sighting: Sequence[IdentityName], known: Mapping[IdentityName, _Known]) -> bool:
    strongest = known[sighting[0]]
    if sighting[0].kind not in _KINDS_THAT_NAME_A_PERSON or strongest.standing == Standing.BOT:
        return True
    if strongest.standing == Standing.WAITING:
        return not any(_waits_with(known[name], strongest) for name in sighting[1:])
    return strongest.person_id is not None and not any(_follows(name, known[name], strongest) for name in sighting[1:])


def _follows(name: IdentityName, weaker: _Known, stronger: _Known) -> bool:
    """Whether a weaker name still has to get the person of the stronger one."""
    if weaker.person_id == stronger.person_id or weaker.standing == Standing.BOT or weaker.is_shared:
        return False
    return weaker.person_id is None or (
        name.kind in _KINDS_THAT_NAME_A_PERSON and stronger.person_has_email and not weaker.person_has_email
    )


def _waits_with(weaker: _Known, stronger: _Known) -> bool:
    """Whether a weaker name still has to wait with the stronger one."""
    return weaker is not stronger and weaker.person_id is None and not weaker.is_nobody and not weaker.is_shared


def _assign_people(
    sightings: Sequence[Sequence[IdentityName]],
    known: Mapping[IdentityName, _Known],
    signed: Mapping[IdentityName, str],
) -> None:
    """Assign a person to the strongest name of every sighting, then to the weaker ones."""
    moves: list[IdentityMove] = []
    _adopt([sighting for sighting in sightings if len(sighting) > 1], known, moves)
    newcomers = {
        sighting[0]
        for sighting in sightings
        if known[sighting[0]].person_id is None and not known[sighting[0]].is_nobody
    }
    for name, person in people_for({name: signed[name] for name in sorted(newcomers)}).items():
        _assign_person(known[name], person, moves)
    waiting: dict[int, IdentityState] = {}
    for sighting in sightings:
        strongest = known[sighting[0]]
        for name in sighting[1:]:
            weaker = known[name]
            if strongest.is_nobody:
                if strongest.standing == Standing.WAITING and _waits_with(weaker, strongest):
                    weaker.standing = Standing.WAITING
                    waiting[weaker.identity_id] = IdentityState(None, Standing.WAITING, strongest.identity_id)
            elif _follows(name, weaker, strongest):
                for follower in [weaker] if weaker.person_id is None else _names_of(weaker.person_id, known):
                    moves.append(IdentityMove(follower.identity_id, follower.person_id, strongest.person_id))
                    follower.person_id, follower.person_has_email = strongest.person_id, strongest.person_has_email
                    follower.standing = Standing.FOUND
    put_identities(waiting)
    move_identities({move.identity_id: move.person_id for move in moves})
    delete_empty_people({move.previous_person_id for move in moves if move.previous_person_id is not None})


def _names_of(person_id: int, known: Mapping[IdentityName, _Known]) -> list[_Known]:
    """All identities of a provisional person, which change owner together."""
    here = [identity for identity in known.values() if identity.person_id == person_id]
    elsewhere = (
        Identity.objects.select_for_update(no_key=True)
        .filter(person_id=person_id)
        .exclude(pk__in=[identity.identity_id for identity in known.values()])
        .order_by("pk")
    )
    return here + [_Known(identity.pk, person_id, person_has_email=False) for identity in elsewhere]


def _assign_person(identity: _Known, person: Person, moves: list[IdentityMove]) -> None:
    moves.append(IdentityMove(identity.identity_id, identity.person_id, person.pk))
    identity.person_id, identity.person_has_email = person.pk, person.email is not None


def _adopt(
    sightings: Sequence[Sequence[IdentityName]], known: Mapping[IdentityName, _Known], moves: list[IdentityMove]
) -> None:
    """Give provisional people of weaker names the address that was seen with them."""
    addresses = {sighting[0] for sighting in sightings if sighting[0].kind == IdentityKind.EMAIL}
    owned = certain_owners(sorted(addresses))
    for sighting in sightings:
        strongest = known[sighting[0]]
        if strongest.person_id is not None or strongest.is_nobody:
            continue
        if sighting[0] in owned:
            continue
        if person := _adopted_person(sighting, known):
            _assign_person(strongest, person, moves)
            for other in known.values():
                other.person_has_email |= other.person_id == person.pk and person.email is not None


def _adopted_person(sighting: Sequence[IdentityName], known: Mapping[IdentityName, _Known]) -> Person | None:
    """The provisional person of a weaker name, updated with the address seen with it."""
    strongest = sighting[0]
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


def _rename(signed: Mapping[IdentityName, str], known: Mapping[IdentityName, _Known]) -> None:
    """Store each identity's best signed name, and rename people whose name was generated."""
    better = {
        name: best
        for name, now in signed.items()
        if (best := better_name(now, known[name].seen_name)) != known[name].seen_name
    }
    if not better:
        return
    names = sorted(better, key=lambda name: known[name].identity_id)
    columns: list[list[int] | list[str]] = [
        [known[name].identity_id for name in names],
        [better[name] for name in names],
        [readable_name(name) for name in names],
        [known[name].seen_name for name in names],
        [better_name(readable_name(name), better[name]) for name in names],
    ]
    sql.execute(
        """
        WITH seen AS (
            SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
                AS seen (identity_id, name, made_up, before, called)
        ), named AS (
            UPDATE orgtree_identity identity SET seen_name = seen.name
            FROM seen WHERE identity.id = seen.identity_id
            RETURNING identity.person_id, seen.made_up, seen.before, seen.called
        )
        UPDATE orgtree_person person SET full_name = named.called
        FROM named
        WHERE person.id = named.person_id AND person.found_in_data
          AND person.full_name IN (named.made_up, named.before) AND person.full_name <> named.called
        """,
        columns,
    )
