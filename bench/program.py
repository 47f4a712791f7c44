"""Pages of the program at 10,000 tickets and an objective for each of 1,000 units."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from bench.figures import Measured
from bench.organisation import OrganisationSize, plan_organisation
from bench.organisation_rows import HAND_BUILT_TREE, write_organisation
from bench.program_rows import write_program
from bench.responses import browser, measured_responses
from insights.query import windows
from orgtree.models import OrgTree, Unit
from programs.models import Objective, Ticket
from programs.quarters.fiscal_quarters import current_quarter

LISTS = (
    "/programs/tickets/",
    "/programs/tickets/?state=all&sort=-owner",
    "/programs/tickets/?q=improvement+7",
    "/programs/tickets/?view=board",
    "/programs/tickets/?view=calendar",
    "/programs/objectives/",
    "/programs/objectives/?view=tree",
    "/programs/objectives/?standing=at_risk",
    "/programs/objectives/?view=gaps",
    "/programs/benchmarks/",
)


def program_pages(session_cookie: str, *, size: OrganisationSize, tickets: int, rounds: int) -> list[Measured]:
    """Lists by their goal; pages with many lists separately."""
    if not OrgTree.objects.filter(slug=HAND_BUILT_TREE).exists():
        write_organisation(plan_organisation(size, today=timezone.localdate()))
    quarter = current_quarter()
    if not Ticket.objects.exists():
        write_program(quarter, tickets=tickets, today=windows.local_today())
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as an installation is a minute after an import
    unit = Unit.objects.filter(tree__slug=HAND_BUILT_TREE).order_by("pk")[2]
    objectives = Objective.objects.filter(quarter=quarter)
    conditions = f"{Ticket.objects.count():,} tickets, {objectives.count():,} objectives; {size}"
    lists = [*LISTS, *(f"{path}?unit={unit.slug}" for path in ("/programs/tickets/", "/programs/objectives/"))]
    alone = [
        f"/programs/tickets/{Ticket.objects.order_by('pk')[0].pk}/",
        f"/programs/objectives/{objectives.order_by('pk')[0].pk}/",
    ]
    parts = [f"/programs/parts/{name}/" for name in ("work", "tickets", "home")]
    whole = ["/programs/", f"/programs/?unit={unit.slug}", "/", *parts]
    closing = [f"/programs/quarters/{quarter.start}/close/", f"/programs/quarters/{quarter.start}/close/?page=7"]
    with browser(session_cookie) as client:
        return [
            *measured_responses("lists of the program", client, lists, rounds=rounds, conditions=conditions),
            *measured_responses("one ticket, one objective", client, alone, rounds=rounds, conditions=conditions),
            *measured_responses("program overview and home", client, whole, rounds=rounds, conditions=conditions),
            *measured_responses("closing a quarter, before", client, closing, rounds=rounds, conditions=conditions),
        ]
