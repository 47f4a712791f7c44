"""The demo's action tickets: a year of them, about its stories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.organisation import LEADERS
from demo.plan.people import CHECKOUT, DATA, MOBILE, PLATFORM, SEARCH, email_of
from demo.plan.year import DemoYear
from orgtree.access.access import access_of
from orgtree.models import Person
from programs.comments.writing import comment_on
from programs.models import Ticket, TicketState
from programs.tickets.services.effects import measure_effects
from programs.tickets.services.writing import add_ticket, move_ticket

OPEN, GOING, DONE, DROPPED = TicketState.OPEN, TicketState.IN_PROGRESS, TicketState.DONE, TicketState.DROPPED


@dataclass(frozen=True, slots=True)
class DemoTicket:
    """A ticket; days count back from the demo's end, and are negative for later due dates."""

    title: str
    resolution: str
    team: str  # empty: the whole organisation
    owner: str  # the address before the @
    began: int
    due: int
    kind: str = "process"
    nature: str = "challenge"
    metric: str = ""
    state: TicketState = OPEN
    ended: int = 0
    said: str = ""  # a comment, or why it was dropped


TICKETS = (
    DemoTicket(
        "Reviews wait for days in Search",
        "A review rota with a name for every half day; whoever is on duty reviews before coding.",
        SEARCH, "sorrel.testwell", 40, 5, metric="pr.pickup_time", state=GOING,
        said="The rota is in place, but two of us still forget it. @finch.imagined@example.com takes next week.",
    ),
    DemoTicket(
        "Data's pull requests are too large to review",
        "Working agreement: at most 400 changed lines; split or explain anything larger.",
        DATA, "fennel.fictus", 60, -9, metric="pr.size", state=OPEN,
    ),
    DemoTicket(
        "Checkout deployments fail too often",
        "Smoke tests against a copy of production before cutover, and one-command rollback.",
        CHECKOUT, "maya.manager", 30, 2, "tooling", metric="dora.change_failure_rate", state=GOING,
    ),
    DemoTicket(
        "Flaky tests are retried until green",
        "Quarantine a flaky test on its second failure and give it an owner.",
        MOBILE, "willow.example", 55, -20, "tooling", metric="ci.flaky_rate", state=GOING,
    ),
    DemoTicket(
        "Platform's reviews wait overnight",
        "Working agreement: first review within a day.",
        PLATFORM, "robin.specimen", 126, 92, metric="pr.pickup_time", state=DONE, ended=98,
        said="Wait times dropped within two weeks, so we keep the agreement.",
    ),
    DemoTicket(
        "PRs are not linked to work items",
        "A check labels unlinked pull requests DO-NOT-MERGE.",
        CHECKOUT, "max.member", 150, 120, "tooling", metric="pr.linked_rate", state=DONE, ended=125,
    ),
    DemoTicket(
        "Agents explore because there is no context file",
        "One context file per repository, maintained by its owners.",
        SEARCH, "hazel.fictus", 90, 60, "tooling", "opportunity", "ai.ship_rate", DONE, 63,
    ),
    DemoTicket(
        "Storefront builds take too long",
        "Cache dependencies and split the slowest job into four.",
        MOBILE, "lark.sample", 200, 170, "tooling", metric="ci.duration", state=DONE, ended=165,
    ),
    DemoTicket(
        "Weekend work in Mobile",
        "Move releases from Friday evening to Tuesday morning.",
        MOBILE, "willow.example", 45, 31, "people", metric="dora.deployment_frequency", state=DONE, ended=33,
    ),
    DemoTicket(
        "Review depth is uneven",
        "Pair on a review once a week with someone from another team.",
        PLATFORM, "cedar.mockley", 130, 100, "people", "opportunity", "pr.review_depth", DROPPED, 0,
        "Search's rota does the same job; we only need one.",
    ),
    DemoTicket(
        "Incidents have no written cause",
        "Write a postmortem within two days and discuss it in the weekly meeting.",
        "", "della.director", 75, -12, metric="incident.mttr", state=GOING,
    ),
    DemoTicket(
        "We pay for idle seats",
        "Ask everyone without a session in four weeks; reassign or cancel the seat.",
        "", "ada.admin", 20, -3, "process", "opportunity",
    ),
    DemoTicket(
        "Small pull requests wait as long as large ones",
        "Merge changes of fewer than 20 lines after one approval.",
        CHECKOUT, "max.member", 12, -18, nature="opportunity", metric="pr.merge_time", state=GOING,
    ),
    DemoTicket(
        "Checkout rollbacks are manual",
        "One command that restores the last release, drilled once a month.",
        CHECKOUT, "max.member", 35, 6, "tooling", metric="incident.mttr", state=GOING,
    ),
    DemoTicket(
        "Nobody owns the deployment scripts",
        "Name two owners and document how to roll back a release.",
        PLATFORM, "ivy.placeholder", 25, -30, "people", state=OPEN,
    ),
    DemoTicket(
        "Old branches hide unfinished work",
        "Review every branch untouched for 30 days; finish it or delete it.",
        SEARCH, "rowan.pretend", 8, -1, metric="branch.stale_count", state=OPEN,
    ),
)  # fmt: skip


def write_demo_tickets(year: DemoYear, *, today: date) -> None:
    """File the demo's tickets as the executive; a second call changes nothing."""
    if year.flavour.is_quiet:
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access = access_of(User.objects.get(username=executive.email))
    known = set(Ticket.objects.values_list("title", flat=True))
    for planned in TICKETS:
        if planned.title in known:
            continue
        ticket = add_ticket(access, _draft(planned, today))
        if planned.state is DONE:
            move_ticket(access, ticket, DONE, completed_on=today - timedelta(days=planned.ended))
        elif planned.state is not OPEN:
            move_ticket(access, ticket, planned.state, dropped_why=planned.said if planned.state is DROPPED else "")
        if planned.said and planned.state is not DROPPED:
            comment_on(access, ticket, planned.said)
    measure_effects(today=today)


def _owner(planned: DemoTicket) -> str:
    """The owner's address, or the team leader's if a small demo has nobody of that name."""
    address = f"{planned.owner}@example.com"
    if Person.objects.filter(email=address).exists():
        return address
    return email_of(LEADERS[planned.team])


def _draft(planned: DemoTicket, today: date) -> dict[str, object]:
    return {
        "title": planned.title,
        "nature": planned.nature,
        "kind": planned.kind,
        "resolution": planned.resolution,
        "unit": planned.team.lower(),
        "owner": _owner(planned),
        "starts_on": today - timedelta(days=planned.began),
        "due_on": today - timedelta(days=planned.due),
        "metric": planned.metric,
    }
