"""Changes of identities' owners: stored in bulk and announced to listeners."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from core import sql
from core.hooks import Hook
from orgtree.models import MatchProposal, Person, Standing
from orgtree.organisation.people_version import raise_people_version_on_commit


@dataclass(frozen=True, slots=True)
class IdentityMove:
    """An identity that changed its person; None: nobody."""

    identity_id: int
    previous_person_id: int | None
    person_id: int | None


@dataclass(frozen=True, slots=True)
class IdentityState:
    """Owner and status of an identity, and the id of the identity it waits with."""

    person_id: int | None
    standing: Standing
    waits_with_id: int | None = None


MoveListener = Callable[[Sequence[IdentityMove]], None]
BotListener = Callable[[Collection[int]], None]
# Called inside the transaction in which identities change their person.
move_listeners: Hook[MoveListener] = Hook()
# Called inside the transaction, before the listeners of moves.
bot_listeners: Hook[BotListener] = Hook()


def lock_identities(identity_ids: Collection[int]) -> dict[int, IdentityState]:
    """Lock these identities in a fixed order and return their current states."""
    rows = sql.rows(
        """
        SELECT id, person_id, standing, waits_with_id FROM orgtree_identity
        WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE
        """,
        [list(identity_ids)],
    )
    return {id_: IdentityState(person, Standing(standing), waits) for id_, person, standing, waits in rows}


def move_identities(people: Mapping[int, int | None]) -> None:
    """Give identities another person, by their ids (None: nobody), and notify listeners.

    A waiting identity or a bot becomes decided when it gets a person.
    """
    if not people:
        return
    states = {}
    for id_, state in lock_identities(people).items():
        person_id = people[id_]
        if person_id == state.person_id:
            continue
        if person_id is None:
            states[id_] = replace(state, person_id=None)
        else:
            is_decided = state.standing != Standing.FOUND
            states[id_] = IdentityState(person_id, Standing.DECIDED if is_decided else Standing.FOUND)
    put_identities(states)


def put_identities(states: Mapping[int, IdentityState]) -> None:
    """Store each identity's state by id, and notify listeners.  The caller holds the row locks."""
    if not states:
        return
    ids = sorted(states)
    rows = sql.rows(
        """
        UPDATE orgtree_identity identity
        SET person_id = state.person_id, standing = state.standing, waits_with_id = state.waits_with_id
        FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[])
            AS state (identity_id, person_id, standing, waits_with_id),
            orgtree_identity before
        WHERE identity.id = state.identity_id AND before.id = identity.id
        RETURNING identity.id, before.standing, identity.standing, before.person_id, identity.person_id
        """,
        [
            ids,
            [states[id_].person_id for id_ in ids],
            [states[id_].standing.value for id_ in ids],
            [states[id_].waits_with_id for id_ in ids],
        ],
    )
    rows.sort()
    moves = [IdentityMove(id_, before, after) for id_, _, _, before, after in rows if before != after]
    _notify(moves, [row[:3] for row in rows])


def _notify(moves: Sequence[IdentityMove], standings: Sequence[tuple[int, str, str]]) -> None:
    """Notify listeners; `standings` are (identity id, before, after)."""
    answered = [id_ for id_, before, after in standings if before == Standing.WAITING != after]
    if answered:
        _close_proposals(answered)
        moves = [*moves, *_resolve_companions(answered)]
    bots = [id_ for id_, before, after in standings if (before == Standing.BOT) != (after == Standing.BOT)]
    if bots:
        for bot_listener in bot_listeners:
            bot_listener(bots)
    if moves:
        for listener in move_listeners:
            listener(moves)
        raise_people_version_on_commit()


def _resolve_companions(identity_ids: Sequence[int]) -> list[IdentityMove]:
    """Companions of resolved identities get the same person, or none."""
    resolved = sql.rows(
        """
        UPDATE orgtree_identity companion
        SET person_id = leader.person_id, waits_with_id = NULL,
            standing = CASE WHEN leader.standing = 'bot' THEN 'bot' ELSE 'found' END
        FROM orgtree_identity leader
        WHERE companion.waits_with_id = leader.id AND leader.id = ANY (%s) AND companion.standing = 'waiting'
        RETURNING companion.id, companion.person_id
        """,
        [list(identity_ids)],
    )
    return [IdentityMove(id_, None, person_id) for id_, person_id in resolved if person_id is not None]


def _close_proposals(identity_ids: Sequence[int]) -> None:
    """Close proposals of resolved identities as confirmed or passed over."""
    sql.execute(
        """
        UPDATE orgtree_matchproposal proposal
        SET state = CASE WHEN identity.person_id = proposal.person_id THEN %s ELSE %s END
        FROM orgtree_identity identity
        WHERE identity.id = proposal.identity_id AND identity.id = ANY (%s) AND proposal.state = %s
        """,
        [
            *(MatchProposal.State.CONFIRMED.value, MatchProposal.State.PASSED_OVER.value),
            *(list(identity_ids), MatchProposal.State.WAITING.value),
        ],
    )


def delete_empty_people(person_ids: Collection[int]) -> list[int]:
    """Delete provisional people without identities among these; returns the deleted ids."""
    if not person_ids:
        return []
    empty = sql.column(f"{PROVISIONAL_PEOPLE} AND person.id = ANY (%s) AND {HAS_NO_IDENTITY}", [list(person_ids)])
    Person.objects.filter(pk__in=empty).delete()
    return empty


# People created from synced data with nothing but identities: no attributes, and nothing references them.
PROVISIONAL_PEOPLE = """
    SELECT person.id FROM orgtree_person person
    WHERE person.found_in_data AND person.user_id IS NULL
      AND NOT EXISTS (SELECT FROM orgtree_employment known WHERE known.person_id = person.id)
      AND NOT EXISTS (SELECT FROM orgtree_personattribute known WHERE known.person_id = person.id)
      AND NOT EXISTS (SELECT FROM orgtree_reporting known WHERE person.id IN (known.person_id, known.manager_id))
      AND NOT EXISTS (SELECT FROM orgtree_membership known WHERE known.person_id = person.id)
      AND NOT EXISTS (SELECT FROM orgtree_placement known WHERE known.person_id = person.id)
      AND NOT EXISTS (SELECT FROM orgtree_unit known WHERE known.leader_id = person.id)
"""
HAS_NO_IDENTITY = "NOT EXISTS (SELECT FROM orgtree_identity identity WHERE identity.person_id = person.id)"
