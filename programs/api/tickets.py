"""/api/v1/tickets/: action tickets, read and written with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from insights import windows
from insights.api import schema
from insights.api.errors import document as error_document
from insights.metrics.errors import QueryError
from orgtree.api.parameters import DEFAULT_SIZE, LARGEST_SIZE, LAST_PAGE, only, whole_number
from orgtree.services.access import Access, access_of
from programs.api.given import day, given_fields, number, text
from programs.api.ticket_documents import (
    CommentSerializer,
    CommentsSerializer,
    CommentWriteSerializer,
    MoveSerializer,
    TicketConflictSerializer,
    TicketSerializer,
    TicketsSerializer,
    TicketWriteSerializer,
    WatchSerializer,
    comment_documents,
    ticket_documents,
)
from programs.api.tokens import ProgramView
from programs.models import BottleneckKind, Nature, Ticket, TicketState
from programs.queries.tickets import SORTS, STATES, TicketFilter, filtered, ordered
from programs.services.tickets.commenting import comment_on_ticket
from programs.services.tickets.drafts import MayNotWriteTicketError, TicketDraft, TicketError
from programs.services.tickets.pull_request_names import pull_requests_numbered
from programs.services.tickets.writing import (
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
FILTERS = ("unit", "state", "kind", "nature", "owner", "metric", "objective", "q", "sort", "page", "size")


class TicketsView(ProgramView):
    @extend_schema(
        operation_id="v1_tickets_list",
        parameters=[
            OpenApiParameter("unit", str, description="Slug: its tickets, those below it and those of its people."),
            OpenApiParameter("state", str, enum=list(STATES), description="Without it: all."),
            OpenApiParameter("kind", str, enum=BottleneckKind.values),
            OpenApiParameter("nature", str, enum=Nature.values),
            OpenApiParameter("owner", str, description="E-mail address."),
            OpenApiParameter("metric", str, description="The metric that they are to move."),
            OpenApiParameter("objective", int, description="Number of an objective."),
            OpenApiParameter("q", str, description="Text in title, resolution or the owner's name."),
            OpenApiParameter("sort", str, enum=[*SORTS, *(f"-{name}" for name in SORTS)]),
            OpenApiParameter("page", int, description="From 1."),
            OpenApiParameter("size", int, description="Tickets a page, at most 1,000; by default 100."),
        ],
        responses={200: TicketsSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The tickets that one may see."""
        only(request, *FILTERS)
        access = access_of(request.user)
        page = whole_number(request, "page", 1, LAST_PAGE)
        size = whole_number(request, "size", DEFAULT_SIZE, LARGEST_SIZE)
        sort = request.query_params.get("sort") or "due"
        if sort.removeprefix("-") not in SORTS:
            raise QueryError("sort", f"Sort by {', '.join(SORTS)}, with a - before it for the other direction.")
        found = filtered(_filter(request), access.sight, today=windows.local_today())
        owner = _parameter(request, "owner")
        if owner:
            found = found.filter(owner__email__iexact=owner)
        listed = ordered(found, sort.removeprefix("-"), descending=sort.startswith("-"))
        rows = list(listed.select_related("objective")[(page - 1) * size : page * size])
        return Response({"total": found.count(), "tickets": ticket_documents(rows, access)})

    @extend_schema(
        operation_id="v1_tickets_add",
        request=TicketWriteSerializer,
        responses={201: TicketSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """File a ticket."""
        access = access_of(request.user)
        given = given_fields(request, FIELDS, needed=("title", "kind", "due_on"))
        added = _obeyed(lambda: add_ticket(access, _draft(given, access)))
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
        found = _visible(pk, access)
        given = given_fields(request, (*FIELDS, "version"), needed=("version",))
        version = number("version", given["version"])
        says = {**_said(found), **{name: value for name, value in given.items() if name != "version"}}
        try:
            _obeyed(lambda: change_ticket(access, found, _draft(says, access, found), of_version=version or 0))
        except TicketConflictError as conflict:
            problem = error_document("version", f"{conflict} `stored` is what it says now.")
            return Response({**problem, "stored": _document(pk, access)}, status=status.HTTP_409_CONFLICT)
        return Response(_document(pk, access))


class TicketMoveView(ProgramView):
    @extend_schema(operation_id="v1_ticket_move", request=MoveSerializer, responses={200: TicketSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        """Into another state; done with the day on which it was, dropped with a reason."""
        access = access_of(request.user)
        found = _visible(pk, access)
        given = given_fields(request, ("state", "completed_on", "dropped_why"), needed=("state",))
        state = text("state", given["state"])
        if state not in TicketState.values:
            raise QueryError("state", f"One of: {', '.join(TicketState.values)}.")
        completed_on = day("completed_on", given.get("completed_on"))
        why = text("dropped_why", given.get("dropped_why"))
        _obeyed(
            lambda: move_ticket(access, found, TicketState(state), completed_on=completed_on, dropped_why=why),
        )
        return Response(_document(pk, access))


class TicketCommentsView(ProgramView):
    @extend_schema(operation_id="v1_ticket_comments", responses={200: CommentsSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """What was said of a ticket, the first word first."""
        found = _visible(pk, access_of(request.user))
        return Response({"comments": comment_documents(list(found.comments.order_by("at", "pk")))})

    @extend_schema(
        operation_id="v1_ticket_comment", request=CommentWriteSerializer, responses={201: CommentSerializer, **ERRORS}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say something; @ada@example.com mentions a person."""
        access = access_of(request.user)
        found = _visible(pk, access)
        given = given_fields(request, ("text",), needed=("text",))
        said = _obeyed(lambda: comment_on_ticket(access, found, text("text", given["text"])))
        return Response(comment_documents([said])[0], status=status.HTTP_201_CREATED)


class TicketWatchView(ProgramView):
    @extend_schema(operation_id="v1_ticket_watch", request=WatchSerializer, responses={200: WatchSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        """Be told of its comments, or no longer."""
        access = access_of(request.user)
        found = _visible(pk, access)
        wants = given_fields(request, ("watch",), needed=("watch",))["watch"]
        if not isinstance(wants, bool):
            raise QueryError("watch", "It must be true or false.")
        _obeyed(lambda: watch_ticket(access, found) if wants else unwatch_ticket(access, found))
        return Response({"watch": wants})


def _visible(pk: int, access: Access) -> Ticket:
    seen = Ticket.objects.within(access.sight).select_related("unit", "owner", "objective", "effect")
    found = seen.filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def _document(pk: int, access: Access) -> dict[str, Any]:
    return ticket_documents([_visible(pk, access)], access)[0]


def _obeyed(write: Callable[[], Written]) -> Written:
    """What the service answers; its refusals as the API tells them."""
    try:
        return write()
    except MayNotWriteTicketError as refusal:
        raise PermissionDenied(str(refusal)) from None
    except TicketError as problem:
        raise QueryError(problem.field, problem.message) from None


def _said(found: Ticket) -> dict[str, Any]:
    """What a ticket says, in the words of a request."""
    return {
        **{name: getattr(found, name) for name in ("title", "kind", "nature", "resolution", "metric")},
        "unit": found.unit.slug if found.unit else None,
        "owner": found.owner.email if found.owner else None,
        "starts_on": found.starts_on.isoformat(),
        "due_on": found.due_on.isoformat(),
        "objective": found.objective_id,
    }


def _draft(given: Mapping[str, Any], access: Access, known: Ticket | None = None) -> TicketDraft:
    """Raises QueryError, TicketError."""
    words = {name: text(name, given[name]) for name in WORDS if name in given}
    due_on = day("due_on", given.get("due_on"))
    if due_on is None:
        raise QueryError("due_on", "It is needed.")
    pull_requests = given.get("pull_requests")
    if pull_requests is not None and not isinstance(pull_requests, list):
        raise QueryError("pull_requests", "It must be a list of Headway's numbers of pull requests.")
    return TicketDraft(
        **{"title": "", "kind": "", **words},
        due_on=due_on,
        starts_on=day("starts_on", given.get("starts_on")),
        objective=number("objective", given.get("objective")),
        pull_requests=None
        if pull_requests is None
        else pull_requests_numbered([number("pull_requests", each) or 0 for each in pull_requests], access, known),
    )


def _filter(request: Request) -> TicketFilter:
    for name, known in (("state", STATES), ("kind", BottleneckKind.values), ("nature", Nature.values)):
        said = _parameter(request, name)
        if said and said not in known:
            raise QueryError(name, f"One of: {', '.join(known)}.")
    objective = _parameter(request, "objective")
    return TicketFilter(
        unit=_parameter(request, "unit") or None,
        state=_parameter(request, "state") or "all",
        search=_parameter(request, "q"),
        kind=_parameter(request, "kind"),
        nature=_parameter(request, "nature"),
        metric=_parameter(request, "metric"),
        objective=whole_number(request, "objective", 1, 2**31 - 1) if objective else None,
    )


def _parameter(request: Request, name: str) -> str:
    return request.query_params.get(name, "").replace("\x00", "").strip()
