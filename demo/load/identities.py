"""Identities in the demo: confirms the people proposed for logins."""

from __future__ import annotations

from demo.plan.people import PEOPLE
from demo.plan.repositories import git_address
from orgtree.identities.decisions import confirm
from orgtree.models import IdentityKind, MatchProposal


def confirm_demo_people() -> int:
    """Assign each login to the person proposed for it; return how many.  A second call changes nothing.

    With a code host that shows no e-mail addresses, such as GitLab, all logins wait for an admin.  People whose commits
    have another address wait in every flavour.
    """
    known = [person.email for person in PEOPLE if git_address(person) == person.email]
    waiting = MatchProposal.objects.filter(state=MatchProposal.State.WAITING, identity__kind=IdentityKind.LOGIN)
    likeliest = waiting.order_by("identity", "-confidence").distinct("identity")
    return len(confirm([one.pk for one in likeliest.select_related("person") if one.person.email in known], by=None))
