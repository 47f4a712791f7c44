"""Finds the business review of an address, and what the viewer may see and do there."""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import slugify

from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.wording import moment
from orgtree.access.access import Access
from orgtree.access.who_sees import name_of
from programs.closing.pages.printing import printable_page
from programs.meetings.queries.meetings import meeting_about
from programs.models import Meeting, MeetingKind, Qbr, QbrDecision, Ticket
from programs.qbr.pages.sheets import Review, review_of
from programs.qbr.services.comparing import restated_figures
from programs.qbr.services.content import document_of

PEOPLE_NAMED = 5


def read_review(request: HttpRequest, qbr: Qbr) -> Review:
    """The review as the viewer may see it.  Raises FrozenDocumentError, QueryError."""
    access = access_in(request)
    document = document_of(qbr, access, today=windows.local_today())
    return review_of(qbr, document, access, restated=restated_figures(document, access))


def meeting_of(qbr: Qbr, access: Access) -> Meeting | None:
    """The meeting in which it is presented; None if there is none near its period that the viewer may see."""
    meeting = meeting_about(MeetingKind.QBR, qbr.unit, qbr.start, qbr.end)
    if meeting is None or meeting.is_cancelled:
        return None
    return meeting if Meeting.objects.within(access.visibility).filter(pk=meeting.pk).exists() else None


def invited_people(meeting: Meeting, access: Access) -> str:
    """The names of the invited people whom the viewer may see."""
    invited = meeting.participants.within(access.visibility).invited().order_by("person__full_name")
    names = list(invited.values_list("person__full_name", flat=True)) if access.is_of_account else []
    named = [*names[:PEOPLE_NAMED], f"{len(names) - PEOPLE_NAMED} more"] if len(names) > PEOPLE_NAMED else names
    return wording.listed(named)


class DecisionLine(NamedTuple):
    decision: QbrDecision
    owner: str
    state: str  # of its ticket; empty without one
    url: str  # of the ticket, if the viewer may see it


def decision_lines(qbr: Qbr, access: Access) -> list[DecisionLine]:
    """The decisions as they are now, with their tickets; two queries."""
    decisions = list(qbr.decisions.select_related("owner", "ticket__owner"))
    tickets = [decision.ticket_id for decision in decisions if decision.ticket_id]
    visible = set(Ticket.objects.within(access.visibility).filter(pk__in=tickets).values_list("pk", flat=True))
    lines = []
    for decision in decisions:
        ticket = decision.ticket
        owner = ticket.owner if ticket else decision.owner
        name = owner.full_name if owner and access.is_of_account else "No owner" if owner is None else "Somebody"
        state = str(ticket.get_state_display()) if ticket else ""
        url = reverse("ticket", args=[ticket.pk]) if ticket and ticket.pk in visible else ""
        lines.append(DecisionLine(decision, name, state, url))
    return lines


def qbr_url(qbr: Qbr) -> str:
    return reverse("qbr", args=[qbr.pk])


def signed_text(qbr: Qbr) -> str:
    """Signer and time of signing; empty if unsigned."""
    if qbr.signed_at is None:
        return ""
    by = name_of(qbr.signed_by) if qbr.signed_by else "a deleted account"
    return f"Signed off by {by}, {moment(qbr.signed_at)}"


def file_name(qbr: Qbr) -> str:
    """The name of downloaded files, such as qbr-platform-q3-2026."""
    name = f"qbr-{qbr.unit.slug if qbr.unit else 'organisation'}-{qbr.period_name}"
    return slugify(name if qbr.revision == 1 else f"{name}-revision-{qbr.revision}")


def printable(review: Review) -> str:
    """The review as HTML for `print_to_pdf`."""
    return printable_page("programs/qbr/print.html", {"review": review})
