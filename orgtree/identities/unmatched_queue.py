"""Queries of the identity review: waiting and unmatched identities, bots, matched people, and the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from orgtree.identities.activity import Activity, activity_of_everybody, identity_activity, total
from orgtree.identities.decision_log import Steps
from orgtree.models import Identity, IdentityChange, MatchProposal, Person, Standing
from orgtree.models.people import BOTS_BY_NAME


@dataclass(frozen=True)
class Unmatched:
    """Activity of the last weeks: total and unmatched."""

    everybody: Activity
    nobody: Activity

    def without(self, matched: Activity) -> Unmatched:
        """The totals after that activity is matched."""
        return Unmatched(self.everybody, self.nobody - matched)


@dataclass(frozen=True)
class WaitingIdentity:
    """A waiting identity with companions, proposals (likeliest first), and their total activity."""

    identity: Identity
    companions: Sequence[Identity]
    proposals: Sequence[MatchProposal]
    activity: Activity

    @property
    def likeliest(self) -> MatchProposal:
        return self.proposals[0]


@dataclass(frozen=True)
class ActiveIdentity:
    identity: Identity
    activity: Activity


@dataclass(frozen=True)
class LoggedMove:
    """Identities with the same change of state; people by their current names."""

    identities: Sequence[str]
    before: str
    after: str


@dataclass(frozen=True)
class LoggedChange:
    change: IdentityChange
    by: str
    moves: Sequence[LoggedMove]
    taken_back: IdentityChange | None
    rejected: Sequence[str] = field(default_factory=tuple)

    @property
    def can_be_taken_back(self) -> bool:
        return self.taken_back is None and self.change.action != IdentityChange.Action.UNDONE


_Row = TypeVar("_Row", WaitingIdentity, ActiveIdentity)


def unmatched_activity() -> Unmatched:
    return Unmatched(*activity_of_everybody())


def waiting_identities(*, search: str, at_least: int, below: int) -> list[WaitingIdentity]:
    """Waiting identities by confidence of the likeliest proposal (percent, half-open), the most activity first.

    `search` matches the identity, its signed name, or a proposed person's name.
    """
    proposals = MatchProposal.objects.filter(state=MatchProposal.State.WAITING).select_related("identity", "person")
    by_identity: defaultdict[int, list[MatchProposal]] = defaultdict(list)
    for proposal in proposals.order_by("-confidence", "person__full_name", "pk"):
        by_identity[proposal.identity_id].append(proposal)
    chosen = {
        identity: proposed
        for identity, proposed in by_identity.items()
        if at_least <= proposed[0].confidence < below and _mentions(search, proposed)
    }
    companions: defaultdict[int, list[Identity]] = defaultdict(list)
    for companion in Identity.objects.filter(waits_with__in=chosen.keys()).order_by("pk"):
        companions[companion.waits_with_id or 0].append(companion)
    members = {leader: [leader, *(follower.pk for follower in companions[leader])] for leader in chosen}
    activity = identity_activity([member for group in members.values() for member in group])
    waiting = [
        WaitingIdentity(
            proposed[0].identity, companions[leader], proposed, total(activity[member] for member in members[leader])
        )
        for leader, proposed in chosen.items()
    ]
    return _largest_share_first(waiting)


def unmatched_identities(search: str) -> list[ActiveIdentity]:
    """Unmatched identities with activity that are neither bots nor waiting: installations, bare signatures."""
    identities = Identity.objects.filter(person=None, standing=Standing.FOUND).exclude(provider=BOTS_BY_NAME)
    return [row for row in _active(identities.filter(_matches(search))) if row.activity != Activity()]


def bots(search: str) -> list[ActiveIdentity]:
    """Identities marked as bots, and bots by name."""
    return _active(
        Identity.objects.filter(Q(standing=Standing.BOT) | Q(provider=BOTS_BY_NAME)).filter(_matches(search))
    )


def matched_people(search: str) -> QuerySet[Person]:
    """People by number of identities, descending; without a search only those with several."""
    people = Person.objects.annotate(identity_count=Count("identities")).order_by("-identity_count", "full_name", "pk")
    if not search:
        return people.filter(identity_count__gt=1)
    return people.filter(pk__in=Person.objects.matching(search).values("pk"))


def logged_changes(changes: Iterable[IdentityChange]) -> list[LoggedChange]:
    """Log entries with names of people and identities, in the same order."""
    changes = list(changes)
    written: dict[int, Steps] = {change.pk: change.steps for change in changes}
    steps = [step for entry in written.values() for step in entry["identities"]]
    rejections = [step for entry in written.values() for step in entry["proposals"] if step["after"] == "rejected"]
    identities = Identity.objects.in_bulk({step["identity"] for step in (*steps, *rejections)})
    people_ids = {state[0] for step in steps for state in (step["before"], step["after"]) if state[0] is not None}
    people = Person.objects.in_bulk(people_ids | {step["person"] for step in rejections})
    users = User.objects.in_bulk({change.by_id for change in changes if change.by_id is not None})
    taken_back = {change.undoes_id: change for change in IdentityChange.objects.filter(undoes__in=written.keys())}

    def called(state: tuple[int | None, str, int | None]) -> str:
        person_id, standing, _ = state
        if person_id is not None:
            return people[person_id].full_name if person_id in people else "only discovered"
        return {Standing.WAITING.value: "waiting", Standing.BOT.value: "a bot"}.get(standing, "nobody")

    def moves(entry: Steps) -> list[LoggedMove]:
        together: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for step in entry["identities"]:
            together[called(step["before"]), called(step["after"])].append(str(identities[step["identity"]]))
        return [LoggedMove(names, before, after) for (before, after), names in together.items()]

    def rejected(entry: Steps) -> list[str]:
        rejected_steps = [
            step for step in entry["proposals"] if step["after"] == "rejected" and step["person"] in people
        ]
        return [f"{identities[step['identity']]} is not {people[step['person']]}" for step in rejected_steps]

    return [
        LoggedChange(
            change,
            str(users[change.by_id].get_username()) if change.by_id in users else _without_account(change),
            moves(written[change.pk]),
            taken_back.get(change.pk),
            rejected(written[change.pk]),
        )
        for change in changes
    ]


def _without_account(change: IdentityChange) -> str:
    return "the command line" if change.by_id is None else "a deleted account"


def _mentions(search: str, proposals: Sequence[MatchProposal]) -> bool:
    needle = search.casefold()
    identity = proposals[0].identity
    texts = [identity.value, identity.seen_name, *(str(proposal.person) for proposal in proposals)]
    return not needle or any(needle in text.casefold() for text in texts)


def _matches(search: str) -> Q:
    return Q(value__icontains=search) | Q(seen_name__icontains=search) if search else Q()


def _active(identities: QuerySet[Identity]) -> list[ActiveIdentity]:
    ordered = list(identities.order_by("kind", "value", "pk"))
    activity = identity_activity([identity.pk for identity in ordered])
    return _largest_share_first([ActiveIdentity(identity, activity[identity.pk]) for identity in ordered])


def _largest_share_first(rows: list[_Row]) -> list[_Row]:
    """Sort by share of the rows' totals: commits, sessions and cost are not comparable as counts."""
    held = total(row.activity for row in rows)

    def weight(row: _Row) -> float:
        done = row.activity
        parts = ((done.commits, held.commits), (done.sessions, held.sessions), (done.cost, held.cost))
        return sum(float(part / whole) for part, whole in parts if whole)

    return sorted(rows, key=weight, reverse=True)
