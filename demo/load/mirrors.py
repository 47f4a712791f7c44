"""The demo's tickets with an issue in Jira: one in sync, and one that both sides postponed to different days."""

from __future__ import annotations

from datetime import timedelta

import httpx
from django.contrib.auth.models import User
from django.utils import timezone

from demo.load.personas import PERSONAS
from demo.plan.repositories import project_key
from demo.plan.year import DemoYear
from demo.providers.serve import EMAIL, DemoTools
from integrations.models import Connection
from integrations.sync.run_now import run_all
from orgtree.access.access import Access, access_of
from programs.mirrors.services.mirroring import mirror_targets, start_mirror
from programs.mirrors.services.syncing import sync_mirrors
from programs.models import Ticket, TicketMirror
from programs.tickets.services.writing import change_ticket

IN_STEP, DIFFERENT = "Checkout rollbacks are manual", "Small pull requests wait as long as large ones"
HERE, THERE = timedelta(weeks=1), timedelta(weeks=2)  # by how much the one that differs was postponed
_SECONDS_TO_ANSWER = 30


def start_demo_mirrors(year: DemoYear) -> None:
    """Mirror the two tickets as the executive, where work is planned in Jira; a second call changes nothing."""
    if year.flavour.is_quiet or year.flavour.tools.planning != "jira":
        return
    project = mirror_targets().get(details__key=project_key("checkout-api"))
    for ticket in Ticket.objects.filter(title__in=(IN_STEP, DIFFERENT)):
        start_mirror(_executive(), ticket, project.pk)


def mirrors_waiting() -> int:
    """Count the mirrors whose issue has not been created yet."""
    return TicketMirror.objects.filter(status=TicketMirror.Status.WAITING).count()


def postpone_on_both_sides(tools: DemoTools) -> None:
    """Postpone the ticket here and in Jira before either side syncs; a second call changes nothing."""
    mirror = TicketMirror.objects.filter(ticket__title=DIFFERENT, status=TicketMirror.Status.SYNCED).first()
    if mirror is None:
        return
    ticket = mirror.ticket
    TicketMirror.objects.filter(pk=mirror.pk).update(next_try_at=timezone.now() + timedelta(hours=1))
    there = ticket.due_on + THERE
    change_ticket(_executive(), ticket, {"due_on": ticket.due_on + HERE}, of_version=ticket.version)
    httpx.put(
        f"{tools.url_of('jira')}/rest/api/3/issue/{mirror.key}",
        json={"fields": {"duedate": there.isoformat()}},
        auth=(EMAIL, tools.token),
        timeout=_SECONDS_TO_ANSWER,
        trust_env=False,
    ).raise_for_status()
    run_all([Connection.objects.get(provider="jira")], full=False)
    sync_mirrors()


def _executive() -> Access:
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    return access_of(User.objects.get(username=executive.email))
