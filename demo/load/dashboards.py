"""Publications of the demo's executive for everybody: a dashboard from a template, and the measurement philosophy,
which lets the admin switch the leaderboard on.
"""

from __future__ import annotations

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.year import DemoYear
from insights.dashboards.sharing import share_with
from insights.dashboards.templates import TEMPLATES
from insights.dashboards.writing import make_dashboard, publish_dashboard
from insights.models import Dashboard, SharedWith
from orgtree.access.access import access_of
from orgtree.access.policy import change_policy, rules_of
from orgtree.models import Organisation
from programs.philosophy.publishing import current_philosophy, first_text, publish_philosophy

HOW_TO_READ = {
    "kind": "text",
    "title": "How to read it",
    "text": "Is lead time longer, which wait grew, and what do agents change? Discussed every second Tuesday.",
    "width": 12,
}


def make_demo_dashboard(year: DemoYear) -> None:
    """Publish the dashboard; a second call changes nothing."""
    if year.flavour.is_quiet or Dashboard.objects.exists():
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access, template = access_of(User.objects.get(username=executive.email)), TEMPLATES["engineering-leader"]
    cards = [*template.cards, HOW_TO_READ]
    dashboard = make_dashboard(access, title=template.title, purpose=template.purpose, cards=cards)
    share_with(access, dashboard, roles=[SharedWith.EVERYBODY], units=[])
    publish_dashboard(access, dashboard)


def publish_demo_philosophy(year: DemoYear) -> None:
    """Publish the philosophy; a second call changes nothing."""
    if year.flavour.is_quiet or current_philosophy().number:
        return
    accounts = {persona.role: User.objects.get(username=persona.email) for persona in PERSONAS}
    publish_philosophy(access_of(accounts["executive"]), first_text(), "The text that Headway suggests.", of_number=0)
    change_policy({**rules_of(Organisation.current()), "leaderboard": True}, by=accounts["admin"])
