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
from programs.models import Ticket, TicketState
from programs.tickets.services.effects import measure_effects
from programs.tickets.services.writing import add_ticket, comment_on_ticket, move_ticket

OPEN, GOING, DONE, DROPPED = TicketState.OPEN, TicketState.IN_PROGRESS, TicketState.DONE, TicketState.DROPPED


@dataclass(frozen=True, slots=True)
class DemoTicket:
    """Days count back from the demo's end; those of what is due later are negative."""

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
        "A rota with a named reviewer for each half day; whoever is on it reviews before writing.",
        SEARCH, "sorrel.testwell", 40, 5, metric="pr.pickup_time", state=GOING,
        said="The rota stands, two of us still forget it. @finch.imagined@example.com takes the next week.",
    ),
    DemoTicket(
        "Pull requests of Data are too large to review",
        "Working agreement: at most 400 changed lines; larger ones are cut or explained.",
        DATA, "fennel.fictus", 60, -9, metric="pr.size", state=OPEN,
    ),
    DemoTicket(
        "Deployments of Checkout fail users far too often",
        "Smoke tests against a copy of production before the switch; roll back by one command.",
        CHECKOUT, "maya.manager", 30, 2, "tooling", metric="dora.change_failure_rate", state=GOING,
    ),
    DemoTicket(
        "Runs are tried again until they are green",
        "Quarantine flaky tests on their second failure, with an owner each.",
        MOBILE, "willow.example", 55, -20, "tooling", metric="ci.flaky_rate", state=GOING,
    ),
    DemoTicket(
        "Reviews of Platform wait overnight",
        "Working agreement: a first review within a day.",
        PLATFORM, "robin.specimen", 126, 92, metric="pr.pickup_time", state=DONE, ended=98,
        said="Waiting went down within two weeks. We keep the agreement.",
    ),
    DemoTicket(
        "PRs miss their work item",
        "A check labels a pull request without a linked item DO-NOT-MERGE.",
        CHECKOUT, "max.member", 150, 120, "tooling", metric="pr.linked_rate", state=DONE, ended=125,
    ),
    DemoTicket(
        "Agents explore without a context file",
        "One page of house rules per repository, kept by its owners.",
        SEARCH, "hazel.fictus", 90, 60, "tooling", "opportunity", "ai.ship_rate", DONE, 63,
    ),
    DemoTicket(
        "Builds of the storefront take too long",
        "Cache dependencies, split the slowest job in four.",
        MOBILE, "lark.sample", 200, 170, "tooling", metric="ci.duration", state=DONE, ended=165,
    ),
    DemoTicket(
        "Weekend work in Mobile",
        "Releases move from Friday evening to Tuesday morning.",
        MOBILE, "willow.example", 45, 31, "people", metric="dora.deployment_frequency", state=DONE, ended=33,
    ),
    DemoTicket(
        "Review depth is uneven",
        "Pair on reviews once a week, with somebody from another team.",
        PLATFORM, "cedar.mockley", 130, 100, "people", "opportunity", "pr.review_depth", DROPPED, 0,
        "The rota of Search does the same; one of both is enough.",
    ),
    DemoTicket(
        "Incidents have no written cause",
        "A page per incident within two days, read in the weekly meeting.",
        "", "della.director", 75, -12, metric="incident.mttr", state=GOING,
    ),
    DemoTicket(
        "Seats are paid and idle",
        "Ask whoever had no session in four weeks; give the seat on or back.",
        "", "ada.admin", 20, -3, "process", "opportunity",
    ),
    DemoTicket(
        "Small pull requests wait as long as large ones",
        "Merge what changes fewer than 20 lines after one approval.",
        CHECKOUT, "max.member", 12, -18, nature="opportunity", metric="pr.merge_time", state=GOING,
    ),
    DemoTicket(
        "A rollback of Checkout is typed by hand",
        "One command that puts the last release back, tried once a month.",
        CHECKOUT, "max.member", 35, 6, "tooling", metric="incident.mttr", state=GOING,
    ),
    DemoTicket(
        "Nobody owns the deployment scripts",
        "Name two owners, and write down how a release is undone.",
        PLATFORM, "ivy.placeholder", 25, -30, "people", state=OPEN,
    ),
    DemoTicket(
        "Old branches hide unfinished work",
        "Look at every branch that stood still for 30 days; finish it or delete it.",
        SEARCH, "rowan.pretend", 8, -1, metric="branch.stale_count", state=OPEN,
    ),
)  # fmt: skip


def write_demo_tickets(year: DemoYear, *, today: date) -> None:
    """By the executive; a second call changes nothing."""
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
            comment_on_ticket(access, ticket, planned.said)
    measure_effects(today=today)


def _owner(planned: DemoTicket) -> str:
    """The address; of the team's leader where a small demo has nobody of that name."""
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
