"""Starts, repairs and ends a mirror from the page of its ticket."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.forms import posted_number
from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.ui.views import action_view
from programs.mirrors.services.mirroring import Side, end_mirror, resolve_difference, retry_mirror, start_mirror
from programs.tickets.pages.page import ticket_page, visible_ticket


@action_view
def ticket_mirror(request: HttpRequest, pk: int) -> HttpResponse:
    """`action`: start (with `resource`), retry, headway or provider (whose state is taken), end."""
    access, ticket = access_in(request), visible_ticket(request, pk)
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
