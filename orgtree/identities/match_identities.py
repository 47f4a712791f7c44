"""Matches identities without a decided person with all others, and proposes likely owners.

Database triggers record changed names and people in orgtree_matchwork, and one run handles all of them.  A run compares
everybody, so that its result does not depend on the order of arrival; a second run changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone

from core import sql
from core.locks import Lock
from orgtree.identities.groups import Group, read_groups, rejected_pairs
from orgtree.identities.matching import Likeness, match
from orgtree.identities.moves import IdentityState, delete_empty_people, lock_identities, put_identities
from orgtree.identities.own_people import certain_owners, people_for
from orgtree.models import MatchProposal, MatchWork, Standing

# During an import with new names every second, matching runs once a minute.
NAMES_STOPPED_COMING = timedelta(seconds=2)
AT_LATEST = timedelta(minutes=1)
ProposalKey = tuple[int, int]  # identity, person
WrittenProposal = tuple[int, str, list[str]]  # confidence, method, sentences
MATCHING = Lock("matching of identities")


def match_identities() -> int:
    """Update proposals if there is pending work; returns the number of changed identities and proposals.

    If somebody decides in the meantime, changes nothing and leaves the work pending.
    """
    try:
        with transaction.atomic():
            MATCHING.hold()
            return _match() if MatchWork.objects.all().delete()[0] else 0
    except _ConcurrentChangeError:
        return 0


class _ConcurrentChangeError(Exception):
    """The compared rows have changed since."""


def _match() -> int:
    groups = read_groups()
    open_groups = {group.somebody.key: group for group in groups if not group.somebody.anchored}
    sure = _surely_somebody(open_groups)
    alike = match([group.somebody for group in groups if group.somebody.key not in sure], rejected_pairs(groups))
    back = [group for key, group in open_groups.items() if key < 0 and key not in alike and key not in sure]
    own = people_for({group.leader.name: group.leader.name.signed for group in back})
    person_of = sure | {group.somebody.key: own[group.leader.name].pk for group in back}

    states: dict[int, IdentityState] = {}
    for key, person_id in person_of.items():
        states |= {identity.id: IdentityState(person_id, Standing.FOUND) for identity in open_groups[key].identities}
    for key in alike:
        states |= _waiting(open_groups[key])
    proposals: dict[ProposalKey, WrittenProposal] = {
        (open_groups[key].leader.id, person_of.get(likeness.other, likeness.other)): _written(likeness)
        for key, likely in alike.items()
        for likeness in likely
    }
    before = {identity.id: identity.state for group in groups for identity in group.identities}
    changed = {id_: state for id_, state in states.items() if state != before[id_]}
    stored = _stored_proposals()
    differing = {pair: written for pair, written in proposals.items() if stored.get(pair) != written}
    withdrawn = stored.keys() - proposals.keys()

    _hold_people({person for _, person in differing})
    _hold_identities({*changed, *(identity for identity, _ in differing.keys() | withdrawn)}, before)
    put_identities(changed)
    delete_empty_people([person for id_ in changed if (person := before[id_].person_id) is not None])
    _withdraw(withdrawn)
    _propose(differing)
    if sure:
        MatchWork.objects.create()  # these people have more names now, which may match others
    return len(changed) + len(differing) + len(withdrawn)


def is_time_to_match() -> bool:
    """Whether work is pending and either no new names are arriving or it has waited long enough."""
    noted = MatchWork.objects.aggregate(first=Min("noted_at"), last=Max("noted_at"))
    if noted["first"] is None:
        return False
    now = timezone.now()
    return bool(now - noted["last"] >= NAMES_STOPPED_COMING or now - noted["first"] >= AT_LATEST)


def _surely_somebody(groups: Mapping[int, Group]) -> dict[int, int]:
    """The certain owner by key, where it differs from the current person."""
    names = {key: group.leader.name for key, group in groups.items()}
    sure = certain_owners(list(names.values()))
    person_ids = {key: sure[name].pk for key, name in names.items() if name in sure}
    return {key: person for key, person in person_ids.items() if person != groups[key].leader.state.person_id}


def _waiting(group: Group) -> dict[int, IdentityState]:
    leader = group.leader.id
    return {
        identity.id: IdentityState(None, Standing.WAITING, None if identity.id == leader else leader)
        for identity in group.identities
    }


def _written(likeness: Likeness) -> WrittenProposal:
    sentences = [evidence.words for evidence in likeness.evidence]
    return likeness.confidence, likeness.evidence[0].method.value, sentences


def _stored_proposals() -> dict[ProposalKey, WrittenProposal]:
    waiting = MatchProposal.objects.filter(state=MatchProposal.State.WAITING)
    columns = waiting.values_list("identity_id", "person_id", "confidence", "method", "evidence")
    return {
        (identity, person): (confidence, method, sentences)
        for identity, person, confidence, method, sentences in columns
    }


def _hold_people(person_ids: Collection[int]) -> None:
    """Lock these people against deletion until the proposals are stored."""
    held = sql.ids("SELECT id FROM orgtree_person WHERE id = ANY (%s) FOR KEY SHARE", [sorted(person_ids)])
    if len(held) < len(person_ids):
        raise _ConcurrentChangeError


def _hold_identities(identity_ids: Collection[int], before: Mapping[int, IdentityState]) -> None:
    """Lock these identities and check that they have not changed since they were compared."""
    now = lock_identities(identity_ids)
    if any(now[id_] != before[id_] for id_ in now.keys() & before.keys()):
        raise _ConcurrentChangeError


def _withdraw(pairs: Collection[ProposalKey]) -> None:
    sql.execute(
        """
        DELETE FROM orgtree_matchproposal proposal
        USING unnest(%s::bigint[], %s::bigint[]) AS withdrawn (identity_id, person_id)
        WHERE (withdrawn.identity_id, withdrawn.person_id) = (proposal.identity_id, proposal.person_id)
          AND proposal.state = 'waiting'
        """,
        [[identity for identity, _ in pairs], [person for _, person in pairs]],
    )


def _propose(proposals: Mapping[ProposalKey, WrittenProposal]) -> None:
    """Store these proposals as waiting, whatever their previous state."""
    MatchProposal.objects.bulk_create(
        [
            MatchProposal(
                identity_id=identity, person_id=person, confidence=confidence, method=method, evidence=sentences
            )
            for (identity, person), (confidence, method, sentences) in proposals.items()
        ],
        update_conflicts=True,
        unique_fields=["identity", "person"],
        update_fields=["confidence", "method", "evidence", "state"],
    )
