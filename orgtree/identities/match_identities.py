"""Compares everybody whose person is not settled with everybody else, and lets wait who likely is somebody known.

Works on rows: triggers of the database note that names or people changed (orgtree_matchwork), and one run answers for
all that was noted.  A run looks at everybody, so that its outcome depends on what is known and not on the order in
which it came; a second one changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from orgtree.identities.groups import Group, read_groups, rejected_pairs
from orgtree.identities.matching import Likeness, match
from orgtree.identities.moves import IdentityState, forget_empty, lock_identities, put_identities
from orgtree.identities.own_people import people_for, sure_people
from orgtree.models import MatchProposal, MatchWork, Standing

# While an import brings new names every second, everybody is compared once a minute only.
NAMES_STOPPED_COMING = timedelta(seconds=2)
AT_LATEST = timedelta(minutes=1)
ProposalKey = tuple[int, int]  # identity, person
WrittenProposal = tuple[int, str, list[str]]  # confidence, method, sentences
_ADVISORY_LOCK = 0x4D61_7463  # "Matc": two runs at once would do the same twice


def match_identities() -> int:
    """Propose, correct and withdraw, where something was noted; the number of identities and proposals that changed.

    When somebody decides in the meantime, nothing is changed, and what was noted is looked at again.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
            return _match() if MatchWork.objects.all().delete()[0] else 0
    except _OvertakenError:
        return 0


class _OvertakenError(Exception):
    """What was compared is no longer so."""


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
    forget_empty([person for id_ in changed if (person := before[id_].person_id) is not None])
    _withdraw(withdrawn)
    _propose(differing)
    if sure:
        MatchWork.objects.create()  # these people have more names now, which others may be like
    return len(changed) + len(differing) + len(withdrawn)


def is_time_to_match() -> bool:
    """Whether something was noted, and either nothing more is coming at this moment or it has waited long enough."""
    noted = MatchWork.objects.aggregate(first=Min("noted_at"), last=Max("noted_at"))
    if noted["first"] is None:
        return False
    now = timezone.now()
    return bool(now - noted["last"] >= NAMES_STOPPED_COMING or now - noted["first"] >= AT_LATEST)


def _surely_somebody(groups: Mapping[int, Group]) -> dict[int, int]:
    """By key, the person whose address or login it surely is, where that is somebody else than now."""
    names = {key: group.leader.name for key, group in groups.items()}
    sure = sure_people(list(names.values()))
    found = {key: sure[name].pk for key, name in names.items() if name in sure}
    return {key: person for key, person in found.items() if person != groups[key].leader.state.person_id}


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
    return {(identity, person): (confidence, method, said) for identity, person, confidence, method, said in columns}


def _hold_people(person_ids: Collection[int]) -> None:
    """Keep these people from being removed until the proposals are stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orgtree_person WHERE id = ANY (%s) FOR KEY SHARE", [sorted(person_ids)])
        if len(cursor.fetchall()) < len(person_ids):
            raise _OvertakenError


def _hold_identities(identity_ids: Collection[int], before: Mapping[int, IdentityState]) -> None:
    """Keep these identities as they were when they were compared."""
    now = lock_identities(identity_ids)
    if any(now[id_] != before[id_] for id_ in now.keys() & before.keys()):
        raise _OvertakenError


def _withdraw(pairs: Collection[ProposalKey]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM orgtree_matchproposal proposal
            USING unnest(%s::bigint[], %s::bigint[]) AS withdrawn (identity_id, person_id)
            WHERE (withdrawn.identity_id, withdrawn.person_id) = (proposal.identity_id, proposal.person_id)
              AND proposal.state = 'waiting'
            """,
            [[identity for identity, _ in pairs], [person for _, person in pairs]],
        )


def _propose(proposals: Mapping[ProposalKey, WrittenProposal]) -> None:
    """Let these wait, whatever became of them the last time that they were proposed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orgtree_matchproposal (identity_id, person_id, confidence, method, evidence, state)
            SELECT *, 'waiting' FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::text[], %s::jsonb[])
            ON CONFLICT (identity_id, person_id) DO UPDATE
            SET confidence = excluded.confidence, method = excluded.method, evidence = excluded.evidence,
                state = excluded.state
            """,
            [
                [identity for identity, _ in proposals],
                [person for _, person in proposals],
                [confidence for confidence, _, _ in proposals.values()],
                [method for _, method, _ in proposals.values()],
                [json.dumps(sentences) for _, _, sentences in proposals.values()],
            ],
        )
