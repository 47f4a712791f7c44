"""Applies, logs and undoes decisions on the owners of identities.

An entry holds ids of people and identities only; names are looked up when it is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Lower

from core import sql
from orgtree.identities.identity_names import IdentityName
from orgtree.identities.moves import IdentityState, delete_empty_people, lock_identities, put_identities
from orgtree.identities.own_people import provisional_person
from orgtree.models import Identity, IdentityChange, IdentityKind, MatchProposal, MatchWork, Person, Standing

ProposalKey = tuple[int, int]  # identity, person
WrittenState = tuple[int | None, str, int | None]  # person, standing, identity it waits with; a list in JSON
_Proposals = dict[ProposalKey, MatchProposal.State]


class DecisionError(ValueError):
    """The decision cannot be applied; the message says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class Decision:
    """New states of identities by id, and of proposals where they do not follow from those."""

    action: IdentityChange.Action
    states: Mapping[int, IdentityState] = field(default_factory=dict)
    proposals: Mapping[ProposalKey, MatchProposal.State] = field(default_factory=dict)

    @property
    def identities(self) -> set[int]:
        """All affected identities."""
        return {*self.states, *(identity for identity, _ in self.proposals)}


class IdentityStep(TypedDict):
    identity: int
    before: WrittenState
    after: WrittenState


class ProposalStep(TypedDict):
    """States of a proposal; None: no proposal."""

    identity: int
    person: int
    before: str | None
    after: str | None


class RemovedPerson(TypedDict):
    """A provisional person removed for lack of identities."""

    id: int
    public_id: str


class Steps(TypedDict):
    """Content of an entry's `steps`."""

    identities: list[IdentityStep]
    proposals: list[ProposalStep]
    people_removed: list[RemovedPerson]


@transaction.atomic
def apply_decisions(decisions: Sequence[Decision], *, by: User | None) -> list[IdentityChange]:
    """Apply all decisions or none, and log each; `by` None: the operator on the command line.

    No two decisions may concern the same identity.
    """
    concerned = {identity for decision in decisions for identity in decision.identities}
    before = lock_identities(concerned)
    proposals_before = _proposals_of(concerned)
    people = {state.person_id for state in before.values() if state.person_id is not None}
    public_ids = dict(Person.objects.filter(pk__in=people).values_list("pk", "public_id"))

    put_identities({id_: state for decision in decisions for id_, state in decision.states.items()})
    _put_proposals({pair: state for decision in decisions for pair, state in decision.proposals.items()})
    removed = {person: public_ids[person] for person in delete_empty_people(people)}
    _compare_again()
    proposals_after = _proposals_of(concerned)
    return IdentityChange.objects.bulk_create(
        IdentityChange(
            action=decision.action,
            by=by,
            steps=Steps(
                identities=[
                    IdentityStep(identity=id_, before=_written(before[id_]), after=_written(state))
                    for id_, state in decision.states.items()
                ],
                proposals=list(_differences(decision.identities, proposals_before, proposals_after)),
                people_removed=[
                    RemovedPerson(id=person, public_id=str(removed[person]))
                    for person in sorted({before[id_].person_id or 0 for id_ in decision.states} & removed.keys())
                ],
            ),
        )
        for decision in decisions
    )


@transaction.atomic
def undo_change(change: IdentityChange, *, by: User | None) -> IdentityChange:
    """Undo that entry, and log the undo.

    Raises DecisionError if it was undone already, is itself an undo, or its identities have changed since.
    """
    change = IdentityChange.objects.select_for_update().get(pk=change.pk)
    if change.action == IdentityChange.Action.UNDONE:
        raise DecisionError("This entry is itself an undo. Make a new decision instead.")
    if IdentityChange.objects.filter(undoes=change).exists():
        raise DecisionError("This was already undone.")
    steps: Steps = change.steps
    now = lock_identities([step["identity"] for step in steps["identities"]])
    for step in steps["identities"]:
        if now[step["identity"]] != _state(step["after"]):
            named = Identity.objects.get(pk=step["identity"])
            raise DecisionError(f"{named} has changed since. Undo the later decisions about it first.")

    states = {step["identity"]: _state(step["before"]) for step in steps["identities"]}
    _restore_people(steps["people_removed"], states)
    put_identities(states)
    proposals = {(step["identity"], step["person"]): step["before"] for step in steps["proposals"]}
    _put_proposals({pair: MatchProposal.State(state) for pair, state in proposals.items() if state is not None})
    _withdraw(pair for pair, state in proposals.items() if state is None)
    delete_empty_people({state.person_id for state in now.values() if state.person_id is not None})
    _compare_again()
    undone = Steps(
        identities=[
            IdentityStep(identity=step["identity"], before=step["after"], after=step["before"])
            for step in steps["identities"]
        ],
        proposals=[],
        people_removed=[],
    )
    return IdentityChange.objects.create(action=IdentityChange.Action.UNDONE, by=by, steps=undone, undoes=change)


def _compare_again() -> None:
    """Schedule matching: changed names have other matches."""
    MatchWork.objects.create()


def _written(state: IdentityState) -> WrittenState:
    return (state.person_id, state.standing.value, state.waits_with_id)


def _state(written: WrittenState) -> IdentityState:
    person_id, standing, waits_with_id = written
    return IdentityState(person_id, Standing(standing), waits_with_id)


def _proposals_of(identities: Collection[int]) -> _Proposals:
    rows = MatchProposal.objects.filter(identity__in=identities).values_list("identity_id", "person_id", "state")
    return {(identity, person): MatchProposal.State(state) for identity, person, state in rows}


def _differences(identities: set[int], before: _Proposals, after: _Proposals) -> Iterable[ProposalStep]:
    for pair in sorted(before.keys() | after.keys()):
        if pair[0] in identities and before.get(pair) != after.get(pair):
            yield ProposalStep(identity=pair[0], person=pair[1], before=before.get(pair), after=after.get(pair))


def _put_proposals(states: _Proposals) -> None:
    """Store proposals in these states; a rejection is stored even without a proposal."""
    columns: list[list[int] | list[str]] = [
        [identity for identity, _ in states],
        [person for _, person in states],
        [state.value for state in states.values()],
    ]
    sql.execute(
        """
        INSERT INTO orgtree_matchproposal AS proposal (identity_id, person_id, state, confidence, method, evidence)
        SELECT identity_id, person_id, state, 0, '', '[]'
        FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS target (identity_id, person_id, state)
        WHERE state = 'rejected' AND EXISTS (SELECT FROM orgtree_person person WHERE person.id = person_id)
        ON CONFLICT (identity_id, person_id) DO NOTHING
        """,
        columns,
    )
    sql.execute(
        """
        UPDATE orgtree_matchproposal proposal SET state = target.state
        FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS target (identity_id, person_id, state)
        WHERE (target.identity_id, target.person_id) = (proposal.identity_id, proposal.person_id)
        """,
        columns,
    )


def _withdraw(pairs: Iterable[ProposalKey]) -> None:
    for identity, person in pairs:
        MatchProposal.objects.filter(identity=identity, person=person).delete()


def _restore_people(removed: Sequence[RemovedPerson], states: Mapping[int, IdentityState]) -> None:
    """Recreate removed people that these states reference, with their ids, named after their identities."""
    for person in removed:
        identities = Identity.objects.filter(pk__in=[id_ for id_, at in states.items() if at.person_id == person["id"]])
        names = [IdentityName(IdentityKind(i.kind), i.provider, i.value, i.seen_name) for i in identities]
        strongest = min(names, key=lambda name: (name.strength, name))
        restored = provisional_person(
            strongest, strongest.signed, id_=person["id"], public_id=UUID(person["public_id"])
        )
        if restored.email and Person.objects.alias(lowered=Lower("email")).filter(lowered=restored.email).exists():
            raise DecisionError(f"{restored.email} is now somebody's e-mail address. Change it there first.")
        restored.save(force_insert=True)
    needed = {state.person_id for state in states.values() if state.person_id is not None}
    if Person.objects.filter(pk__in=needed).count() < len(needed):
        raise DecisionError("The person to whom this identity belonged no longer exists.")
