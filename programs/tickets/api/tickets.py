"""/api/v1/tickets/: action tickets, read and written with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.paging import page_parameters, requested_slice
from core.api.parameters import only
from insights.api import schema
from insights.api.errors import document as error_document
from insights.query.errors import QueryError
from orgtree.access.access import Access, access_of
from programs.models import Ticket, TicketState
from programs.requests.fields import day, given_fields, number, text, yes_or_no
from programs.requests.program_view import ProgramView
from programs.requests.visible import check_is_of_account, visible_ticket
from programs.tickets.api.documents import (
    CommentSerializer,
    CommentsSerializer,
    CommentWriteSerializer,
    MoveSerializer,
    TicketConflictSerializer,
    TicketSerializer,
    TicketsSerializer,
    TicketWriteSerializer,
    WatchingSerializer,
    WatchSerializer,
    comment_documents,
    ticket_documents,
    watching_document,
)
from programs.tickets.api.filters import TICKET_PARAMETERS, requested_tickets
from programs.tickets.services.commenting import comment_on_ticket
from programs.tickets.services.drafts import MayNotWriteTicketError, TicketDraft, TicketError
from programs.tickets.services.pull_request_names import pull_requests_named, pull_requests_numbered
from programs.tickets.services.writing import (
    TicketConflictError,
    add_ticket,
    change_ticket,
    move_ticket,
    unwatch_ticket,
    watch_ticket,
)

Written = TypeVar("Written")
ERRORS = dict.fromkeys((400, 401, 403, 404), schema.ErrorsSerializer)
WORDS = ("title", "kind", "nature", "resolution", "unit", "owner", "metric")
FIELDS = (*WORDS, "starts_on", "due_on", "objective", "pull_requests")


class TicketsView(ProgramView):
    @extend_schema(
        operation_id="v1_tickets_list",
        parameters=[*TICKET_PARAMETERS, *page_parameters("Tickets")],
        responses={200: TicketsSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The tickets that one may see."""
        only(request, *(parameter.name for parameter in TICKET_PARAMETERS), "page", "size")
        access = access_of(request.user)
        page = requested_slice(request)
        tickets = requested_tickets(request, access)
        rows = list(tickets[page])
        return Response({"total": tickets.count(), "tickets": ticket_documents(rows, access)})

    @extend_schema(
        operation_id="v1_tickets_add",
        request=TicketWriteSerializer,
        responses={201: TicketSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """File a ticket."""
        access = access_of(request.user)
        given = given_fields(request, FIELDS, needed=("title", "kind", "due_on"))
        added = _with_api_errors(lambda: add_ticket(access, _draft(given, access)))
        return Response(_document(added.pk, access), status=status.HTTP_201_CREATED)


class TicketView(ProgramView):
    @extend_schema(operation_id="v1_ticket", responses={200: TicketSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """One ticket."""
        return Response(_document(pk, access_of(request.user)))

    @extend_schema(
        operation_id="v1_ticket_change",
        request=TicketWriteSerializer,
        responses={200: TicketSerializer, 409: TicketConflictSerializer, **ERRORS},
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named; `version` is that of the ticket which the change was made from."""
        access = access_of(request.user)
        ticket = visible_ticket(pk, access)
        given = given_fields(request, (*FIELDS, "version"), needed=("version",))
        version = number("version", given["version"])
        says = {**_said(ticket), **{name: value for name, value in given.items() if name != "version"}}
        try:
            _with_api_errors(
                lambda: change_ticket(access, ticket, _draft(says, access, ticket), of_version=version or 0)
            )
        except TicketConflictError as conflict:
            problem = error_document("version", f"{conflict} `stored` is what it says now.")
            return Response({**problem, "stored": _document(pk, access)}, status=status.HTTP_409_CONFLICT)
        return Response(_document(pk, access))


class TicketMoveView(ProgramView):
    @extend_schema(operation_id="v1_ticket_move", request=MoveSerializer, responses={200: TicketSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        """Into another state; done with the day on which it was, dropped with a reason."""
        access = access_of(request.user)
        ticket = visible_ticket(pk, access)
        given = given_fields(request, ("state", "completed_on", "dropped_why"), needed=("state",))
        state = text("state", given["state"])
        if state not in TicketState.values:
            raise QueryError("state", f"One of: {', '.join(TicketState.values)}.")
        completed_on = day("completed_on", given.get("completed_on"))
        why = text("dropped_why", given.get("dropped_why"))
        _with_api_errors(
            lambda: move_ticket(access, ticket, TicketState(state), completed_on=completed_on, dropped_why=why),
        )
        return Response(_document(pk, access))


class TicketCommentsView(ProgramView):
    @extend_schema(operation_id="v1_ticket_comments", responses={200: CommentsSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """What was said of a ticket, the first word first."""
        access = access_of(request.user)
        check_is_of_account(access)
        ticket = visible_ticket(pk, access)
        return Response({"comments": comment_documents(list(ticket.comments.order_by("at", "pk")))})

    @extend_schema(
        operation_id="v1_ticket_comment", request=CommentWriteSerializer, responses={201: CommentSerializer, **ERRORS}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say something; @ada@example.com mentions a person."""
        access = access_of(request.user)
        ticket = visible_ticket(pk, access)
        given = given_fields(request, ("text",), needed=("text",))
        comment = _with_api_errors(lambda: comment_on_ticket(access, ticket, text("text", given["text"])))
        return Response(comment_documents([comment])[0], status=status.HTTP_201_CREATED)


class TicketWatchView(ProgramView):
    @extend_schema(operation_id="v1_ticket_watching", responses={200: WatchingSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """Whether you watch it, and how many do."""
        only(request)
        access = access_of(request.user)
        return Response(watching_document(visible_ticket(pk, access), access))

    @extend_schema(
        operation_id="v1_ticket_watch", request=WatchSerializer, responses={200: WatchingSerializer, **ERRORS}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Be told of its comments, or no longer."""
        access = access_of(request.user)
        ticket = visible_ticket(pk, access)
        wants = yes_or_no("watch", given_fields(request, ("watch",), needed=("watch",))["watch"])
        _with_api_errors(lambda: watch_ticket(access, ticket) if wants else unwatch_ticket(access, ticket))
        return Response(watching_document(ticket, access))


def _document(pk: int, access: Access) -> dict[str, Any]:
    return ticket_documents([visible_ticket(pk, access)], access)[0]


def _with_api_errors(write: Callable[[], Written]) -> Written:
    """What the service answers; its refusals as the API tells them."""
    try:
        return write()
    except MayNotWriteTicketError as refusal:
        raise PermissionDenied(str(refusal)) from None
    except TicketError as problem:
        raise QueryError(problem.field, problem.message) from None


def _said(ticket: Ticket) -> dict[str, Any]:
    """What a ticket says, in the words of a request."""
    return {
        **{name: getattr(ticket, name) for name in ("title", "kind", "nature", "resolution", "metric")},
        "unit": ticket.unit.slug if ticket.unit else None,
        "owner": ticket.owner.email if ticket.owner else None,
        "starts_on": ticket.starts_on.isoformat(),
        "due_on": ticket.due_on.isoformat(),
        "objective": ticket.objective_id,
    }


def _draft(given: Mapping[str, Any], access: Access, known: Ticket | None = None) -> TicketDraft:
    """Raises QueryError, TicketError."""
    words = {name: text(name, given[name]) for name in WORDS if name in given}
    due_on = day("due_on", given.get("due_on"))
    if due_on is None:
        raise QueryError("due_on", "It is needed.")
    pull_requests = given.get("pull_requests")
    if pull_requests is not None and not isinstance(pull_requests, list):
        raise QueryError("pull_requests", "It must be a list of Headway's numbers of pull requests, or of their names.")
    return TicketDraft(
        **{"title": "", "kind": "", **words},
        due_on=due_on,
        starts_on=day("starts_on", given.get("starts_on")),
        objective=number("objective", given.get("objective")),
        pull_requests=None if pull_requests is None else _pull_requests(pull_requests, access, known),
    )


def _pull_requests(given: Sequence[object], access: Access, known: Ticket | None) -> tuple[int, ...]:
    """By Headway's numbers, or as people name them.  Raises QueryError, TicketError."""
    names = [item for item in given if isinstance(item, str)]
    if any("\n" in name for name in names):
        raise QueryError("pull_requests", "Name one at a time.")
    numbers = [number("pull_requests", item) or 0 for item in given if not isinstance(item, str)]
    named = pull_requests_named("\n".join(names), access) if names else ()
    return pull_requests_numbered([*numbers, *named], access, known)
