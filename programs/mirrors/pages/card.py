"""The mirror of a ticket on the ticket's page."""

from __future__ import annotations

from insights.ui import wording
from orgtree.access.access import Access
from programs.mirrors.services.mirroring import mirror_targets
from programs.models import Ticket, TicketMirror
from programs.tickets.pages.cards import TicketCard
from programs.tickets.services.writing import may_change

TARGETS_LISTED = 200
TONES = {TicketMirror.Status.SYNCED: "good", TicketMirror.Status.DIFFERS: "watch", TicketMirror.Status.FAILED: "bad"}


def mirror_card(ticket: Ticket, access: Access) -> TicketCard | None:
    """None where it is not mirrored, and the viewer cannot change that."""
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
    """What each side says, with the due day where it is that which differs."""
    here, there = ticket.get_state_display().lower(), mirror.get_remote_state_display().lower()
    if mirror.remote_due_on is None or mirror.remote_due_on == ticket.due_on:
        return here, there
    return f"{here}, due by {wording.day(ticket.due_on)}", f"{there}, due by {wording.day(mirror.remote_due_on)}"
