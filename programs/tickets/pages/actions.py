"""Actions on a ticket: move, comment, watch."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.ui.views import action_view
from programs.models import TicketState
from programs.tickets.pages.page import ticket_page, visible_ticket
from programs.tickets.services.writing import comment_on_ticket, move_ticket, unwatch_ticket, watch_ticket


@action_view
def ticket_move(request: HttpRequest, pk: int) -> HttpResponse:
    """`state`, with `completed_on` where it is done on another day than today, and `dropped_why`."""
    ticket = visible_ticket(request, pk)
    try:
        state = _state(request.POST.get("state", ""))
        moved = move_ticket(
            access_in(request),
            ticket,
            state,
            completed_on=_day(request.POST.get("completed_on", "")),
            dropped_why=request.POST.get("dropped_why", ""),
        )
    except FieldError as problem:
        return ticket_page(request, ticket, problems=[problem.message], status=400)
    messages.success(request, f"“{moved.title}” is {moved.get_state_display().lower()}.")
    return _back(request, pk)


@action_view
def ticket_comment(request: HttpRequest, pk: int) -> HttpResponse:
    ticket = visible_ticket(request, pk)
    text = request.POST.get("text", "")
    try:
        comment_on_ticket(access_in(request), ticket, text)
    except FieldError as problem:
        return ticket_page(request, ticket, problems=[problem.message], comment=text, status=400)
    return redirect("ticket", pk)


@action_view
def ticket_watch(request: HttpRequest, pk: int) -> HttpResponse:
    """`watch=1` begins, anything else ends it."""
    ticket = visible_ticket(request, pk)
    change = watch_ticket if request.POST.get("watch") == "1" else unwatch_ticket
    change(access_in(request), ticket)
    return redirect("ticket", pk)


def _state(word: str) -> TicketState:
    try:
        return TicketState(word)
    except ValueError:
        raise FieldError("state", f"A ticket is one of: {', '.join(TicketState.values)}.") from None


def _day(word: str) -> date | None:
    if not word:
        return None
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise FieldError("completed_on", f"“{word}” is not a day such as 2026-11-30.") from None


def _back(request: HttpRequest, pk: int) -> HttpResponse:
    """To the list from which it was moved, else to the ticket."""
    back = request.POST.get("back", "")
    if back and url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=False):
        return redirect(back)
    return redirect("ticket", pk)
