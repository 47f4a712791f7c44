"""Identities in the demo: confirms the proposed people of logins."""

from __future__ import annotations

from demo.plan.people import PEOPLE
from demo.plan.repositories import git_address
from orgtree.identities.decisions import confirm
from orgtree.models import IdentityKind, MatchProposal


def confirm_demo_people() -> int:
    """Give each login to whom it is proposed for; how many.  A second call changes nothing.

    Code hosts that show no e-mail addresses, as GitLab, have them all wait for an admin.  People whose commits have
    another address wait in every flavour.
    """
    known = [person.email for person in PEOPLE if git_address(person) == person.email]
    waiting = MatchProposal.objects.filter(state=MatchProposal.State.WAITING, identity__kind=IdentityKind.LOGIN)
    likeliest = waiting.order_by("identity", "-confidence").distinct("identity")
    return len(confirm([one.pk for one in likeliest.select_related("person") if one.person.email in known], by=None))
