"""The demo's dashboard: made from a template by the executive, published and shared with everybody."""

from __future__ import annotations

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.year import DemoYear
from insights.dashboards.sharing import share_with
from insights.dashboards.templates import TEMPLATES
from insights.dashboards.writing import make_dashboard, publish_dashboard
from insights.models import Dashboard, SharedWith
from orgtree.access.access import access_of

HOW_TO_READ = {
    "kind": "text",
    "title": "How to read it",
    "text": "Is lead time longer, which wait grew, and what do agents change? Discussed every second Tuesday.",
    "width": 12,
}


def make_demo_dashboard(year: DemoYear) -> None:
    """A second call changes nothing."""
    if year.flavour.is_quiet or Dashboard.objects.exists():
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access, template = access_of(User.objects.get(username=executive.email)), TEMPLATES["engineering-leader"]
    cards = [*template.cards, HOW_TO_READ]
    dashboard = make_dashboard(access, title=template.title, purpose=template.purpose, cards=cards)
    share_with(access, dashboard, roles=[SharedWith.EVERYBODY], units=[])
    publish_dashboard(access, dashboard)
