"""Decisions on identities: confirm or reject proposals, assign, declare, merge, split, mark bots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from orgtree.identities.decision_log import Decision, DecisionError, apply_decisions
from orgtree.identities.identity_names import IdentityName
from orgtree.identities.moves import IdentityState
from orgtree.identities.own_people import people_for
from orgtree.models import Identity, IdentityChange, IdentityKind, MatchProposal, Person, Standing

Action = IdentityChange.Action


@transaction.atomic
def confirm(proposal_ids: Collection[int], *, by: User | None) -> list[IdentityChange]:
    """Assign the identities of waiting proposals, with their companions, to the proposed people.

    Raises DecisionError if a proposal is no longer waiting, or two concern the same identity.
    """
    proposals = _waiting(proposal_ids)
    if len({proposal.identity_id for proposal in proposals}) < len(proposals):
        raise DecisionError("Two people were chosen for one identity. Choose one of them.")
    together = _with_companions([proposal.identity_id for proposal in proposals])
    return apply_decisions(
        [
            Decision(Action.CONFIRMED, _all(together[proposal.identity_id], proposal.person_id, Standing.DECIDED))
            for proposal in proposals
        ],
        by=by,
    )


@transaction.atomic
def reject(proposal_ids: Collection[int], *, by: User | None) -> list[IdentityChange]:
    """Reject proposals; an identity without other proposals becomes a person of its own.

    Raises DecisionError if a proposal is no longer waiting.
    """
    by_identity: defaultdict[int, set[int]] = defaultdict(set)
    for proposal in _waiting(proposal_ids):
        by_identity[proposal.identity_id].add(proposal.person_id)
    others = {
        proposal.identity_id
        for proposal in MatchProposal.objects.filter(
            identity__in=by_identity.keys(), state=MatchProposal.State.WAITING
        ).exclude(pk__in=proposal_ids)
    }
    alone = by_identity.keys() - others
    together = _with_companions(alone)
    own = _own_people(alone)
    return apply_decisions(
        [
            Decision(
                Action.REJECTED,
                _all(together[identity], own[identity], Standing.FOUND) if identity in alone else {},
                {(identity, person): MatchProposal.State.REJECTED for person in people},
            )
            for identity, people in by_identity.items()
        ],
        by=by,
    )


@transaction.atomic
def assign(identities: Iterable[Identity], person: Person | None, *, by: User | None) -> list[IdentityChange]:
    """Assign the identities, with their companions, to that person; no-op for those assigned already.

    None: to nobody, until they are seen again.
    """
    standing = Standing.FOUND if person is None else Standing.DECIDED
    return apply_decisions(
        [
            Decision(Action.ASSIGNED, _all(members, person.pk if person else None, standing))
            for members in _moving(identities, Q(person=person, standing=standing))
        ],
        by=by,
    )


@transaction.atomic
def declare(name: IdentityName, person: Person, *, by: User | None) -> bool:
    """Assign the name to that person permanently, seen or not; returns whether anything changed.

    All identities of a provisional person with that name are assigned too.  A login without a provider applies to
    every provider, including those where it was already seen.
    """
    Identity.objects.get_or_create(kind=name.kind, provider=name.provider, value=name.value)
    meant = Q(kind=name.kind, provider=name.provider, value=name.value)
    if name.kind == IdentityKind.LOGIN and not name.provider:
        meant |= Q(kind=IdentityKind.LOGIN, value__iexact=name.value)
    named = Identity.objects.filter(meant)
    own_names = Q(person__in=named.values("person"), person__email=None) | Q(
        person__in=named.values("person"), person__email__iexact=name.value
    )
    companions = Identity.objects.filter(own_names, person__found_in_data=True)
    identities = {identity.pk: identity for identity in [*named, *companions]}
    decided = Q(person=person, standing=Standing.DECIDED)
    members = [member for group in _moving(identities.values(), decided) for member in group]
    states = _all(members, person.pk, Standing.DECIDED)
    return bool(states and apply_decisions([Decision(Action.DECLARED, states)], by=by))


@transaction.atomic
def merge(taken_in: Person, into: Person, *, by: User | None) -> IdentityChange:
    """Assign all identities of `taken_in` to `into`.

    A provisional person is deleted then; any other stays without identities until an end date is given.
    Raises DecisionError if both are the same person, or `taken_in` has no identities.
    """
    if taken_in == into:
        raise DecisionError("Choose somebody else: a person cannot be merged with themselves.")
    identities = list(Identity.objects.filter(person=taken_in).values_list("pk", flat=True))
    if not identities:
        raise DecisionError(f"{taken_in} has no identities that {into} could take over.")
    (change,) = apply_decisions([Decision(Action.MERGED, _all(identities, into.pk, Standing.DECIDED))], by=by)
    return change


@transaction.atomic
def split(identity: Identity, *, by: User | None) -> IdentityChange:
    """Turn the identity into a person of its own, never matched with the old person again.

    Raises DecisionError if it is unmatched, is its person's address, or is the only identity of a provisional person.
    """
    person = identity.person
    if person is None:
        raise DecisionError(f"{identity} belongs to nobody.")
    if identity.kind == IdentityKind.EMAIL and person.email and person.email.lower() == identity.value:
        raise DecisionError(
            f"{identity} is the address by which {person} is known. Split off the others, or change the address."
        )
    if person.found_in_data and not person.identities.exclude(pk=identity.pk).exists():
        raise DecisionError(f"{identity} is the only identity of {person}, so there is nothing to split it from.")
    own = _own_people([identity.pk]).get(identity.pk)
    if own == person.pk:
        raise DecisionError(f"{identity} was declared to be {person}’s login everywhere. Split off that login instead.")
    (change,) = apply_decisions(
        [
            Decision(
                Action.SPLIT,
                _all([identity.pk], own, Standing.FOUND),
                {(identity.pk, person.pk): MatchProposal.State.REJECTED},
            )
        ],
        by=by,
    )
    return change


@transaction.atomic
def mark_bots(identities: Iterable[Identity], *, by: User | None) -> list[IdentityChange]:
    """Mark the identities, with their companions, as bots: metrics exclude their commits."""
    return apply_decisions(
        [
            Decision(Action.MARKED_BOT, _all(members, None, Standing.BOT))
            for members in _moving(identities, Q(standing=Standing.BOT))
        ],
        by=by,
    )


@transaction.atomic
def unmark_bots(identities: Iterable[Identity], *, by: User | None) -> list[IdentityChange]:
    """Unmark bots; the identities are matched again."""
    bots = [identity.pk for identity in identities if identity.standing == Standing.BOT]
    own = _own_people(bots)
    return apply_decisions(
        [Decision(Action.UNMARKED_BOT, _all([bot], own.get(bot), Standing.FOUND)) for bot in bots], by=by
    )


def _waiting(proposal_ids: Collection[int]) -> list[MatchProposal]:
    proposals = list(MatchProposal.objects.select_for_update().filter(pk__in=proposal_ids).order_by("pk"))
    if len(proposals) < len(set(proposal_ids)):
        raise DecisionError("A proposal was withdrawn in the meantime. Reload the page.")
    if any(proposal.state != MatchProposal.State.WAITING for proposal in proposals):
        raise DecisionError("A proposal was decided in the meantime. Reload the page.")
    return proposals


def _moving(identities: Iterable[Identity], decided: Q) -> list[list[int]]:
    """The identities without this decision, each with its companions."""
    ids = [identity.pk for identity in identities]
    undecided = Identity.objects.filter(pk__in=ids).exclude(pk__in=Identity.objects.filter(decided, pk__in=ids))
    leaders = {identity.waits_with_id or identity.pk for identity in undecided}
    return [members for _, members in sorted(_with_companions(leaders).items())]


def _with_companions(leaders: Collection[int]) -> dict[int, list[int]]:
    """Each of these identities with its companions."""
    together = {leader: [leader] for leader in leaders}
    for identity in Identity.objects.filter(waits_with__in=leaders).order_by("pk"):
        if identity.waits_with_id is not None:
            together[identity.waits_with_id].append(identity.pk)
    return together


def _all(identities: Iterable[int], person_id: int | None, standing: Standing) -> dict[int, IdentityState]:
    return {identity: IdentityState(person_id, standing) for identity in identities}


def _own_people(identities: Collection[int]) -> Mapping[int, int]:
    """A person of its own for each of these identities; installations have none."""
    names = {
        identity.pk: IdentityName(IdentityKind(identity.kind), identity.provider, identity.value, identity.seen_name)
        for identity in Identity.objects.filter(pk__in=identities).exclude(kind=IdentityKind.INSTALLATION)
    }
    own = people_for({name: name.signed for name in names.values()})
    return {identity: own[name].pk for identity, name in names.items()}
