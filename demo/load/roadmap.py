"""The demo's roadmap: teams' plans for the coming quarters.  Only Mobile lacks an objective for this quarter."""

from __future__ import annotations

from datetime import date
from itertools import cycle

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.people import CHECKOUT, DATA, MOBILE, PLATFORM, SEARCH
from demo.plan.year import DemoYear
from orgtree.access.access import access_of
from programs.models import Quarter
from programs.quarters.fiscal_quarters import quarter_at, quarters_from
from programs.roadmaps.queries.team_roadmap import team_roadmap
from programs.roadmaps.services.intents import EXAMPLE_OF_ORGANISATION, EXAMPLES_OF_TEAMS, add_intent

QUARTERS_AHEAD = 3
# By team, for the next three quarters: a title, and the template if there is one.
INTENTS = {
    CHECKOUT: (
        ("Fewer failed deployments", "quality"),
        ("Payments reach users sooner", "lead-time"),
        ("Scale velocity", "velocity"),
    ),
    DATA: (("Small pull requests", ""), ("Better planning", "planning"), ("Improve quality", "quality")),
    MOBILE: (("Builds take minutes", ""), ("Better planning", "planning"), ("Improve lead time", "lead-time")),
    PLATFORM: (
        ("Every repository has a context file", ""),
        ("Scale velocity", "velocity"),
        ("Effort where it was agreed", "allocation"),
    ),
    SEARCH: (
        ("Reviews begin the same day", "lead-time"),
        ("Healthy sprint results", ""),
        ("Improve quality", "quality"),
    ),
}


def write_demo_roadmap(year: DemoYear, *, today: date) -> None:
    """Plan the demo's roadmap as the executive; a second call changes nothing and leaves later plans alone."""
    if year.flavour.is_quiet:
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access = access_of(User.objects.get(username=executive.email))
    ahead = quarters_from(Quarter.objects.all(), today, QUARTERS_AHEAD + 1)[1:]
    quarters = [quarter_at(quarter.start) for quarter in ahead]
    example = cycle(EXAMPLES_OF_TEAMS)
    for row in team_roadmap(quarters, access).rows:
        if not row.is_empty or not (row.unit is None or row.is_team):
            continue
        name = row.unit.name if row.unit else ""
        intended = INTENTS.get(name) or (next(example) if row.unit else EXAMPLE_OF_ORGANISATION)
        for quarter, (title, template) in zip(quarters, intended, strict=False):
            place = {"unit": row.unit.slug if row.unit else "", "quarter": quarter.start.isoformat()}
            add_intent(access, {**place, "title": title, "template": template})
