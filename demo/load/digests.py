"""The demo's digests and alert: leadership's weekly digest, a manager's fortnightly one, and an alert that fired."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from demo.load.personas import PERSONAS
from demo.plan.people import CHECKOUT
from demo.plan.year import DemoYear
from orgtree.access.access import access_of
from programs.alerts.watching import values_of, watch_metrics
from programs.alerts.writing import add_rule, change_rule
from programs.digests.making import make_digests
from programs.digests.subscribing import Wish, subscribe
from programs.models import DigestSubscription, Rhythm

EXECUTIVE, MANAGER = "executive", "manager"
REQUESTED_BEFORE = timedelta(days=35)  # so that the last digest of each is there
DIGESTS = ((EXECUTIVE, Rhythm.WEEKLY, ""), (MANAGER, Rhythm.FORTNIGHTLY, CHECKOUT.lower()))


def write_demo_digests(year: DemoYear) -> None:
    """Subscribe to the digests and set the rule; existing ones stay, so a second call changes nothing."""
    if year.flavour.is_quiet or DigestSubscription.objects.exists():
        return
    addresses = {persona.role: persona.email for persona in PERSONAS}
    for role, rhythm, unit in DIGESTS:
        subscribe(access_of(User.objects.get(username=addresses[role])), {rhythm: Wish(unit)})
    DigestSubscription.objects.update(since=timezone.now() - REQUESTED_BEFORE)
    make_digests()
    access = access_of(User.objects.get(username=addresses[MANAGER]))
    rule = add_rule(access, {"metric": "ai.spend", "unit": CHECKOUT.lower(), "limit": 1.0})
    [value] = values_of([rule], access)
    if value:
        reached = {"limit": float(round(value * 0.8)), "margin": float(round(value * 0.1))}
        change_rule(access, rule, reached, of_version=rule.version)
    watch_metrics()
