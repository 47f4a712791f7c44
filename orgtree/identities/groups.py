"""People and open identities, grouped for matching."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core import sql
from orgtree.identities.identity_names import IdentityName, readable_name
from orgtree.identities.likeness import Somebody
from orgtree.identities.moves import PROVISIONAL_PEOPLE, IdentityState
from orgtree.models import IdentityKind, MatchProposal, Standing


class KnownIdentity(NamedTuple):
    id: int
    name: IdentityName
    state: IdentityState


@dataclass(frozen=True, slots=True)
class Group:
    """Identities of one person, or a waiting identity with its companions; strongest first.

    `somebody.key` is the person's id, or minus the id of the waiting identity.
    """

    somebody: Somebody
    identities: tuple[KnownIdentity, ...]

    @property
    def leader(self) -> KnownIdentity:
        return self.identities[0]


def read_groups() -> list[Group]:
    """All people, with or without identities, and all waiting identities; no bots or unmatched installations."""
    identities = _read_identities()
    groups = [
        _group(person_id, full_name, email, identities.pop(person_id, []), is_provisional=is_provisional)
        for person_id, full_name, email, is_provisional in _read_people()
    ]
    return groups + [_group(key, "", None, waiting, is_provisional=True) for key, waiting in sorted(identities.items())]


def rejected_pairs(groups: Iterable[Group]) -> frozenset[tuple[int, int]]:
    """Rejected pairs of keys, in both directions."""
    key_of = {identity.id: group.somebody.key for group in groups for identity in group.identities}
    rejected = MatchProposal.objects.filter(state=MatchProposal.State.REJECTED).values_list("identity", "person")
    pairs = {(key_of[identity], person) for identity, person in rejected if identity in key_of}
    return frozenset(pairs | {(person, key) for key, person in pairs})


def _group(
    key: int, full_name: str, email: str | None, identities: Sequence[KnownIdentity], *, is_provisional: bool
) -> Group:
    ordered = tuple(sorted(identities, key=lambda identity: (identity.name.strength, identity.name)))
    decided = not ordered or any(identity.state.standing == Standing.DECIDED for identity in ordered)
    signed = [identity.name.signed for identity in ordered if identity.name.signed]
    made_up = {readable_name(identity.name) for identity in ordered} if is_provisional else set()
    names = [full_name] if full_name and full_name not in made_up else []
    emails = [identity.name.value for identity in ordered if identity.name.kind == IdentityKind.EMAIL]
    somebody = Somebody(
        key,
        anchored=not is_provisional or decided,
        called=full_name or (signed[0] if signed else readable_name(ordered[0].name)),
        names=(*names, *signed),
        emails=tuple(dict.fromkeys([*([email.lower()] if email else []), *emails])),
        logins=tuple(
            (identity.name.provider, identity.name.value)
            for identity in ordered
            if identity.name.kind == IdentityKind.LOGIN
        ),
    )
    return Group(somebody, ordered)


def _read_people() -> list[tuple[int, str, str | None, bool]]:
    rows = sql.rows(
        f"""
        SELECT id, full_name, email, id IN ({PROVISIONAL_PEOPLE}) FROM orgtree_person ORDER BY id
        """  # noqa: S608  # a constant
    )
    return [(id_, full_name, email, is_provisional) for id_, full_name, email, is_provisional in rows]


def _read_identities() -> defaultdict[int, list[KnownIdentity]]:
    identities: defaultdict[int, list[KnownIdentity]] = defaultdict(list)
    rows = sql.rows(
        """
        SELECT coalesce(person_id, -coalesce(waits_with_id, id)),
               id, kind, provider, value, seen_name, person_id, standing, waits_with_id
        FROM orgtree_identity WHERE person_id IS NOT NULL OR standing = 'waiting'
        """
    )
    for key, id_, kind, provider, value, seen_name, person_id, standing, waits_with_id in rows:
        name = IdentityName(IdentityKind(kind), provider, value, seen_name)
        state = IdentityState(person_id, Standing(standing), waits_with_id)
        identities[key].append(KnownIdentity(id_, name, state))
    return identities
