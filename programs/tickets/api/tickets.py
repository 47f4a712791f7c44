"""/api/v1/tickets/: action tickets, read and written with the permissions of their pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.paging import page_parameters, requested_slice
from core.api.parameters import only
from core.list_filters import filter_parameters
from insights.query import windows
from orgtree.access.access import Access, access_of
from programs.models import TicketState
from programs.requests.fields import body, changed_version, sent_object
from programs.requests.program_view import ERRORS, ProgramView, answer_change
from programs.requests.visible import check_is_of_account, visible_ticket
from programs.tickets.api.documents import (
    CommentSerializer,
    CommentsSerializer,
    CommentWriteSerializer,
    MoveSerializer,
    TicketChangeSerializer,
    TicketConflictSerializer,
    TicketSerializer,
    TicketsSerializer,
    WatchingSerializer,
    WatchSerializer,
    comment_documents,
    ticket_documents,
    watching_document,
)
from programs.tickets.queries import TicketFilters
from programs.tickets.services.commenting import comment_on_ticket
from programs.tickets.services.fields import TicketWriteSerializer
from programs.tickets.services.writing import add_ticket, change_ticket, move_ticket, unwatch_ticket, watch_ticket

TICKET_PARAMETERS = filter_parameters(TicketFilters)


class TicketsView(ProgramView):
    @extend_schema(
        operation_id="v1_tickets_list",
        parameters=[*TICKET_PARAMETERS, *page_parameters("Tickets")],
        responses={200: TicketsSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The tickets that one may see."""
        only(request, *TicketFilters.base_filters, "page", "size")
        access = access_of(request.user)
        page = requested_slice(request)
        tickets = TicketFilters(request.query_params, access, today=windows.local_today()).qs
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
        added = add_ticket(access, sent_object(request))
        return Response(_document(added.pk, access), status=status.HTTP_201_CREATED)


class TicketView(ProgramView):
    @extend_schema(operation_id="v1_ticket", responses={200: TicketSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """One ticket."""
        return Response(_document(pk, access_of(request.user)))

    @extend_schema(
        operation_id="v1_ticket_change",
        request=TicketChangeSerializer,
        responses={200: TicketSerializer, 409: TicketConflictSerializer, **ERRORS},
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named; `version` is that of the ticket which the change was made from."""
        access = access_of(request.user)
        ticket = visible_ticket(pk, access)
        given, version = changed_version(request)
        return answer_change(
            lambda: change_ticket(access, ticket, given, of_version=version), lambda _: _document(pk, access)
        )


class TicketMoveView(ProgramView):
    @extend_schema(operation_id="v1_ticket_move", request=MoveSerializer, responses={200: TicketSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        """Into another state; done with the day on which it was, dropped with a reason."""
        access = access_of(request.user)
        ticket = visible_ticket(pk, access)
        given = body(request, MoveSerializer)
        move_ticket(access, ticket, TicketState(given.pop("state")), **given)
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
        comment = comment_on_ticket(access, ticket, body(request, CommentWriteSerializer)["text"])
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
        wants = body(request, WatchSerializer)["watch"]
        (watch_ticket if wants else unwatch_ticket)(access, ticket)
        return Response(watching_document(ticket, access))


def _document(pk: int, access: Access) -> dict[str, Any]:
    return ticket_documents([visible_ticket(pk, access)], access)[0]
