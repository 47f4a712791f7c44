"""The card of a ticket's mirror on its page, and the actions of its buttons."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.forms import posted_number
from core.views import action_view
from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.ui import wording
from orgtree.access.access import Access
from programs.mirrors.services.mirroring import (
    Side,
    end_mirror,
    mirror_targets,
    resolve_difference,
    retry_mirror,
    start_mirror,
)
from programs.models import Ticket, TicketMirror
from programs.requests.visible import visible_ticket
from programs.tickets.pages.page import TicketCard, ticket_page
from programs.tickets.services.writing import may_change

TARGETS_LISTED = 200
TONES = {TicketMirror.Status.SYNCED: "good", TicketMirror.Status.DIFFERS: "watch", TicketMirror.Status.FAILED: "bad"}


def mirror_card(ticket: Ticket, access: Access) -> TicketCard | None:
    """The card of the ticket's mirror; None if there is no mirror and the viewer cannot add one."""
    mirror = TicketMirror.objects.select_related("resource__connection").filter(ticket=ticket).first()
    may_write = may_change(access.visibility, ticket)
    targets = list(mirror_targets()[:TARGETS_LISTED]) if may_write and mirror is None else []
    if mirror is None and not targets:
        return None
    here, there = _sides(ticket, mirror) if mirror else ("", "")
    context = {
        "ticket": ticket,
        "mirror": mirror,
        "tone": TONES.get(TicketMirror.Status(mirror.status), "") if mirror else "",
        "here": here,
        "there": there,
        "may_write": may_write,
        "targets": targets,
    }
    return TicketCard("programs/mirrors/_card.html", context)


def _sides(ticket: Ticket, mirror: TicketMirror) -> tuple[str, str]:
    """The state on each side, with the due date if it differs."""
    here, there = ticket.get_state_display().lower(), mirror.get_remote_state_display().lower()
    if mirror.remote_due_on is None or mirror.remote_due_on == ticket.due_on:
        return here, there
    return f"{here}, due by {wording.day(ticket.due_on)}", f"{there}, due by {wording.day(mirror.remote_due_on)}"


@action_view
def ticket_mirror(request: HttpRequest, pk: int) -> HttpResponse:
    """Handles the card's buttons.

    `action`: start (with `resource`), retry, headway or provider (the side whose state wins), end.
    """
    access = access_in(request)
    ticket = visible_ticket(pk, access)
    try:
        match request.POST.get("action", ""):
            case "start":
                start_mirror(access, ticket, posted_number(request, "resource"))
            case "retry":
                retry_mirror(access, ticket)
            case "end":
                end_mirror(access, ticket)
            case "headway" | "provider" as side:
                resolve_difference(access, ticket, Side(side))
            case _:
                raise FieldError("action", "Choose what to do with the mirror.")
    except FieldError as problem:
        return ticket_page(request, ticket, problems=[problem.message], status=400)
    messages.success(request, "Saved.")
    return redirect("ticket", pk)
