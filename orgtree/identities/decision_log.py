"""Decisions about whose identities are: carried out, written to the log, and taken back.

An entry holds ids alone, of people and identities; what they are called is looked up when it is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models.functions import Lower

from orgtree.identities.identity_names import IdentityName
from orgtree.identities.moves import IdentityState, forget_empty, lock_identities, put_identities
from orgtree.identities.own_people import found_person
from orgtree.models import Identity, IdentityChange, IdentityKind, MatchProposal, MatchWork, Person, Standing

ProposalKey = tuple[int, int]  # identity, person
WrittenState = tuple[
    int | None, str, int | None
]  # person, standing, identity that it waits with; JSON has it as a list
_Proposals = dict[ProposalKey, MatchProposal.State]


class DecisionError(ValueError):
    """A decision that cannot be carried out; the message says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one decision makes of identities (by id), and of proposals where that does not follow from it."""

    action: IdentityChange.Action
    states: Mapping[int, IdentityState] = field(default_factory=dict)
    proposals: Mapping[ProposalKey, MatchProposal.State] = field(default_factory=dict)

    @property
    def identities(self) -> set[int]:
        """All that it speaks of."""
        return {*self.states, *(identity for identity, _ in self.proposals)}


class IdentityStep(TypedDict):
    identity: int
    before: WrittenState
    after: WrittenState


class ProposalStep(TypedDict):
    """States of a proposal; None: there is none."""

    identity: int
    person: int
    before: str | None
    after: str | None


class RemovedPerson(TypedDict):
    """Somebody merely found, of whom nothing was left."""

    id: int
    public_id: str


class Steps(TypedDict):
    """What an entry's `steps` holds."""

    identities: list[IdentityStep]
    proposals: list[ProposalStep]
    people_removed: list[RemovedPerson]


@transaction.atomic
def carry_out(decisions: Sequence[Decision], *, by: User | None) -> list[IdentityChange]:
    """Let the decisions hold, all or none, and add an entry for each; by None: by the operator of the machine.

    No two of them may speak of the same identity.
    """
    concerned = {identity for decision in decisions for identity in decision.identities}
    before = lock_identities(concerned)
    proposals_before = _proposals_of(concerned)
    people = {state.person_id for state in before.values() if state.person_id is not None}
    public_ids = dict(Person.objects.filter(pk__in=people).values_list("pk", "public_id"))

    put_identities({id_: state for decision in decisions for id_, state in decision.states.items()})
    _put_proposals({pair: state for decision in decisions for pair, state in decision.proposals.items()})
    removed = {person: public_ids[person] for person in forget_empty(people)}
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
def take_back(change: IdentityChange, *, by: User | None) -> IdentityChange:
    """Let everything be as it was before that entry, and add an entry that says so.

    Raises DecisionError where that cannot be: it was taken back already, is itself a taking back, or what it changed
    has changed again since.
    """
    change = IdentityChange.objects.select_for_update().get(pk=change.pk)
    if change.action == IdentityChange.Action.UNDONE:
        raise DecisionError("This is itself a taking back. Decide anew instead.")
    if IdentityChange.objects.filter(undoes=change).exists():
        raise DecisionError("This was taken back already.")
    steps: Steps = change.steps
    now = lock_identities([step["identity"] for step in steps["identities"]])
    for step in steps["identities"]:
        if now[step["identity"]] != _state(step["after"]):
            named = Identity.objects.get(pk=step["identity"])
            raise DecisionError(f"{named} has changed since. Take back the later decisions about it first.")

    states = {step["identity"]: _state(step["before"]) for step in steps["identities"]}
    _bring_back(steps["people_removed"], states)
    put_identities(states)
    proposals = {(step["identity"], step["person"]): step["before"] for step in steps["proposals"]}
    _put_proposals({pair: MatchProposal.State(state) for pair, state in proposals.items() if state is not None})
    _withdraw(pair for pair, state in proposals.items() if state is None)
    forget_empty({state.person_id for state in now.values() if state.person_id is not None})
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
    """Who has other names now is like others."""
    MatchWork.objects.create()


def _written(state: IdentityState) -> WrittenState:
    return (state.person_id, state.standing.value, state.waits_with_id)


def _state(written: WrittenState) -> IdentityState:
    person_id, standing, waits_with_id = written
    return IdentityState(person_id, Standing(standing), waits_with_id)


def _proposals_of(identities: Collection[int]) -> _Proposals:
    found = MatchProposal.objects.filter(identity__in=identities).values_list("identity_id", "person_id", "state")
    return {(identity, person): MatchProposal.State(state) for identity, person, state in found}


def _differences(identities: set[int], before: _Proposals, after: _Proposals) -> Iterable[ProposalStep]:
    for pair in sorted(before.keys() | after.keys()):
        if pair[0] in identities and before.get(pair) != after.get(pair):
            yield ProposalStep(identity=pair[0], person=pair[1], before=before.get(pair), after=after.get(pair))


def _put_proposals(states: _Proposals) -> None:
    """Bring proposals into these states; a rejection is kept even where nothing was proposed."""
    columns: list[list[int] | list[str]] = [
        [identity for identity, _ in states],
        [person for _, person in states],
        [state.value for state in states.values()],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orgtree_matchproposal AS proposal (identity_id, person_id, state, confidence, method, evidence)
            SELECT identity_id, person_id, state, 0, '', '[]'
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS wanted (identity_id, person_id, state)
            WHERE state = 'rejected' AND EXISTS (SELECT FROM orgtree_person person WHERE person.id = person_id)
            ON CONFLICT (identity_id, person_id) DO NOTHING
            """,
            columns,
        )
        cursor.execute(
            """
            UPDATE orgtree_matchproposal proposal SET state = wanted.state
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS wanted (identity_id, person_id, state)
            WHERE (wanted.identity_id, wanted.person_id) = (proposal.identity_id, proposal.person_id)
            """,
            columns,
        )


def _withdraw(pairs: Iterable[ProposalKey]) -> None:
    for identity, person in pairs:
        MatchProposal.objects.filter(identity=identity, person=person).delete()


def _bring_back(removed: Sequence[RemovedPerson], states: Mapping[int, IdentityState]) -> None:
    """Let the people be there whom these states need: those removed under their old ids, named by their identities."""
    for person in removed:
        identities = Identity.objects.filter(pk__in=[id_ for id_, at in states.items() if at.person_id == person["id"]])
        names = [IdentityName(IdentityKind(i.kind), i.provider, i.value, i.seen_name) for i in identities]
        strongest = min(names, key=lambda name: (name.strength, name))
        found = found_person(strongest, strongest.signed, id_=person["id"], public_id=UUID(person["public_id"]))
        if found.email and Person.objects.alias(lowered=Lower("email")).filter(lowered=found.email).exists():
            raise DecisionError(f"{found.email} is entered as somebody's address now. Change it there first.")
        found.save(force_insert=True)
    needed = {state.person_id for state in states.values() if state.person_id is not None}
    if Person.objects.filter(pk__in=needed).count() < len(needed):
        raise DecisionError("The person whom this identity belonged to is not there any more.")
