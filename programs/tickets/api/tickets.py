"""/api/v1/tickets/: action tickets with their history, templates and CSV file, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Sequence

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.model_serializers import AnswerSerializer
from core.api.operations import REFUSALS, operation
from core.api.resources import Documents, ListCreate, ReadChange, changes_of
from insights.api.program_view import ProgramView
from insights.catalogue.registry import find
from integrations.delivery.records.visible import visible_pull_requests
from programs.comments.api import CommentSerializer, CommentsSerializer, CommentWriteSerializer, comment_documents
from programs.comments.writing import comment_on
from programs.history.api import ChangeSerializer, DifferenceSerializer, change_document, difference_document
from programs.history.events import names_of_accounts
from programs.models import BottleneckKind, Nature, Ticket, TicketState, TicketTemplate
from programs.requests.visible import check_is_of_account, visible_ticket
from programs.tickets.api.documents import (
    MoveSerializer,
    TicketSerializer,
    WatchingSerializer,
    WatchSerializer,
    ticket_documents,
    watching_document,
)
from programs.tickets.queries import TicketFilters
from programs.tickets.services.csv_files import ticket_rows
from programs.tickets.services.fields import TicketWriteSerializer, name_of_pull_request
from programs.tickets.services.history import history_of, ticket_changes
from programs.tickets.services.writing import (
    add_ticket,
    change_ticket,
    move_ticket,
    unwatch_ticket,
    watch_ticket,
)


class Tickets(ProgramView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_tickets_list", "The tickets that one may see."),
        "csv": ("v1_tickets_csv", "Tickets, in the columns that the import reads."),
        "create": ("v1_tickets_add", "File a ticket."),
        "retrieve": ("v1_ticket", "One ticket."),
        "partial_update": (
            "v1_ticket_change",
            "Change what is named; `version` is that of the ticket which the change was made from.",
        ),
    }
    plural = "tickets"
    filters = TicketFilters
    serializer = TicketSerializer
    write_serializer = TicketWriteSerializer
    changes = changes_of(TicketWriteSerializer)
    find = staticmethod(visible_ticket)
    add = staticmethod(add_ticket)
    change = staticmethod(change_ticket)
    file_rows = staticmethod(ticket_rows)

    def documents(self, records: Sequence[Ticket]) -> Documents:
        return ticket_documents(records, self.access)

    @operation("v1_ticket_move", TicketSerializer, request=MoveSerializer)
    def move(self, request: Request, pk: int) -> Response:
        """Move the ticket to another state: done with its completion date, dropped with a reason."""
        ticket, given = self.find(pk, self.access), body(request, MoveSerializer)
        move_ticket(self.access, ticket, TicketState(given.pop("state")), **given)
        return self.answer(pk)


class TicketCommentsView(ProgramView):
    @operation("v1_ticket_comments", CommentsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """List the comments on a ticket, oldest first."""
        check_is_of_account(self.access)
        ticket = visible_ticket(pk, self.access)
        return Response({"comments": comment_documents(list(ticket.comments.order_by("at", "pk")))})

    @operation("v1_ticket_comment", {201: CommentSerializer}, request=CommentWriteSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Comment on a ticket; @ada@example.com mentions a person."""
        ticket = visible_ticket(pk, self.access)
        comment = comment_on(self.access, ticket, body(request, CommentWriteSerializer)["text"])
        return Response(comment_documents([comment])[0], status=status.HTTP_201_CREATED)


class TicketWatchView(ProgramView):
    @operation("v1_ticket_watching", WatchingSerializer, parameters=())
    def get(self, request: Request, pk: int) -> Response:
        """Get whether you watch the ticket, and the number of watchers."""
        return Response(watching_document(visible_ticket(pk, self.access), self.access))

    @operation("v1_ticket_watch", WatchingSerializer, request=WatchSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Watch or unwatch a ticket."""
        ticket = visible_ticket(pk, self.access)
        wants = body(request, WatchSerializer)["watch"]
        (watch_ticket if wants else unwatch_ticket)(self.access, ticket)
        return Response(watching_document(ticket, self.access))


@extend_schema_serializer(component_name="TicketChange")
class TicketHistoryEntrySerializer(ChangeSerializer):
    differences = DifferenceSerializer(many=True)


class TicketHistorySerializer(serializers.Serializer[object]):
    history = TicketHistoryEntrySerializer(many=True, help_text="The latest first.")


class TicketHistoryView(ProgramView):
    @operation("v1_ticket_history", TicketHistorySerializer, parameters=())
    def get(self, request: Request, pk: int) -> Response:
        """List the changes of a ticket, including pull requests and watchers added or removed."""
        check_is_of_account(self.access)
        history = history_of(visible_ticket(pk, self.access))
        seen = visible_pull_requests(self.access).filter(pk__in=history.pull_requests).select_related("repository")
        pulls = (
            {pull_request.pk: name_of_pull_request(pull_request) for pull_request in seen}
            if history.pull_requests
            else {}
        )
        names = names_of_accounts(history.accounts)
        changes = ticket_changes(history, pulls.keys(), self.access.visibility)
        documents = [
            {
                **change_document(change, names),
                "differences": [difference_document(changed, names, pulls) for changed in change.changes],
            }
            for change in changes
        ]
        return Response({"history": documents})


class TicketTemplateSerializer(AnswerSerializer):
    title = serializers.CharField(help_text="Opportunity or challenge.")
    nature = serializers.ChoiceField(choices=Nature.choices)
    kind = serializers.ChoiceField(choices=BottleneckKind.choices)
    resolution = serializers.CharField(help_text="The resolution that has helped. Markdown.")
    metric = serializers.SerializerMethodField()
    days = serializers.IntegerField(help_text="From its start to its due day.")

    def get_metric(self, template: TicketTemplate) -> str | None:
        return template.metric if find(template.metric) else None


class TicketTemplatesSerializer(serializers.Serializer[object]):
    templates = TicketTemplateSerializer(many=True)


class TicketTemplatesView(ProgramView):
    @operation("v1_ticket_templates", TicketTemplatesSerializer, parameters=(), errors=REFUSALS)
    def get(self, request: Request) -> Response:
        """List the templates that new tickets can start from."""
        offered = TicketTemplate.objects.filter(is_offered=True)
        return Response({"templates": TicketTemplateSerializer(offered, many=True).data})
