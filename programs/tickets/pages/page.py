"""The page of one ticket: resolution, effect, comments, history, and its actions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from core.hooks import Hook
from core.views import action_view, record_view
from core.write_errors import FieldError
from insights.catalogue.registry import find
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui.tiles import Link
from integrations.delivery.records.visible import visible_pull_requests
from orgtree.access.access import Access
from programs.comments.writing import comment_on
from programs.finding_work.pages import finding_of
from programs.history.events import names_of_accounts
from programs.history.labels import cells_of
from programs.models import Comment, Objective, Ticket, TicketState
from programs.requests.fields import day
from programs.requests.visible import visible_ticket
from programs.teams.fields import is_here
from programs.tickets.pages.labels import ticket_history, ticket_lines
from programs.tickets.queries import PAGE
from programs.tickets.services.effects import why_no_effect
from programs.tickets.services.history import history_of, ticket_changes
from programs.tickets.services.writing import move_ticket, unwatch_ticket, watch_ticket

COMMENTS_LISTED = 200


@dataclass(frozen=True)
class TicketCard:
    """A card that another package adds to the page."""

    template: str
    context: Mapping[str, Any]


ticket_cards: Hook[Callable[[Ticket, Access], TicketCard | None]] = Hook()


@record_view
def ticket(request: HttpRequest, pk: int) -> HttpResponse:
    return ticket_page(request, visible_ticket(pk, access_in(request)))


def ticket_page(
    request: HttpRequest, record: Ticket, *, problems: Sequence[str] = (), comment: str = "", status: int = 200
) -> HttpResponse:
    """The page; `problems` say why a submission was rejected, and `comment` is the text already typed."""
    access, today = access_in(request), windows.local_today()
    [line] = ticket_lines([record], access, today)
    watchers = list(record.watchers.values_list("pk", flat=True))
    comments: list[Comment] = list(record.comments.order_by("-at", "-pk")[:COMMENTS_LISTED])
    history = history_of(record)
    names = names_of_accounts([record.written_by_id, *(written.by_id for written in comments), *history.accounts])
    linked = set(record.pull_requests.values_list("pk", flat=True))
    named = _pull_requests(linked | history.pull_requests, access)
    context: dict[str, Any] = {
        "ticket": record,
        "finding": finding_of(record, access),
        "line": line,
        "details": cells_of(record, PAGE),
        "owner_left": record.is_standing and record.owner is not None and not is_here(record.owner),
        "metric": _metric(record),
        "objective": _objective(record, access),
        "why_no_effect": why_no_effect(record, today),
        "pull_requests": [link for pk, link in named.items() if pk in linked],
        "comments": comments[::-1],
        "names": names,
        "history": ticket_history(
            ticket_changes(history, named.keys(), access.visibility),
            names,
            {pk: link.label for pk, link in named.items()},
        ),
        "moves": [(state.value, state.label) for state in TicketState if state != record.state],
        "today": today,
        "cards": [card for make in ticket_cards if (card := make(record, access)) is not None],
        "watches": request.user.pk in watchers,
        "watchers": len(watchers),
        "problems": problems,
        "comment": comment,
    }
    return render(request, "programs/tickets/ticket.html", context, status=status)


def _metric(record: Ticket) -> Link | None:
    if not record.metric:
        return None
    metric = find(record.metric)
    if metric is None:
        return Link(f"{record.metric}, no longer a metric", "")
    unit = f"?unit={record.unit.slug}" if record.unit else ""
    return Link(metric.marked_name, f"{reverse('metric_page', args=[record.metric])}{unit}")


def _objective(record: Ticket, access: Access) -> Link | None:
    """A link to the ticket's objective; None if hidden, because more people can see a ticket than its objective."""
    if record.objective is None:
        return None
    if not Objective.objects.within(access.visibility).filter(pk=record.objective.pk).exists():
        return Link("One that you may not see", "")
    return Link(record.objective.title, reverse("objective", args=[record.objective.pk]))


def _pull_requests(numbers: Collection[int], access: Access) -> Mapping[int, Link]:
    """Links to the pull requests that the viewer may see, which need not be all."""
    if not numbers:
        return {}
    visible = visible_pull_requests(access).filter(pk__in=numbers).select_related("repository").order_by("pk")
    return {
        pull_request.pk: Link(
            f"{pull_request.repository.name} #{pull_request.number} {pull_request.title}".strip(),
            reverse("pull_request", args=[pull_request.pk]),
        )
        for pull_request in visible
    }


@action_view
def ticket_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Moves the ticket to `state`, with `completed_on` if it was done on another day than today, and `dropped_why`."""
    ticket = visible_ticket(pk, access_in(request))
    try:
        state = _state(request.POST.get("state", ""))
        moved = move_ticket(
            access_in(request),
            ticket,
            state,
            completed_on=day("completed_on", request.POST.get("completed_on", "")),
            dropped_why=request.POST.get("dropped_why", ""),
        )
    except FieldError as problem:
        return ticket_page(request, ticket, problems=[problem.message], status=400)
    messages.success(request, f"“{moved.title}” is {moved.get_state_display().lower()}.")
    return _back(request, pk)


@action_view
def ticket_comment(request: HttpRequest, pk: int) -> HttpResponse:
    ticket = visible_ticket(pk, access_in(request))
    text = request.POST.get("text", "")
    try:
        comment_on(access_in(request), ticket, text)
    except FieldError as problem:
        return ticket_page(request, ticket, problems=[problem.message], comment=text, status=400)
    return redirect("ticket", pk)


@action_view
def ticket_watch(request: HttpRequest, pk: int) -> HttpResponse:
    """Watches the ticket with `watch=1`; anything else stops watching."""
    ticket = visible_ticket(pk, access_in(request))
    change = watch_ticket if request.POST.get("watch") == "1" else unwatch_ticket
    change(access_in(request), ticket)
    return redirect("ticket", pk)


def _state(word: str) -> TicketState:
    try:
        return TicketState(word)
    except ValueError:
        raise FieldError("state", f"A ticket is one of: {', '.join(TicketState.values)}.") from None


def _back(request: HttpRequest, pk: int) -> HttpResponse:
    """Redirect to the list that the ticket was moved on, or to the ticket."""
    back = request.POST.get("back", "")
    if back and url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=False):
        return redirect(back)
    return redirect("ticket", pk)
