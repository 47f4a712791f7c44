"""/api/v1/tickets/{id}/history/: who changed what, as the page tells it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.parameters import only
from integrations.delivery.records.visible import visible_pull_requests
from orgtree.access.access import access_of
from programs.history.api import ChangeSerializer, DifferenceSerializer, author_document, difference_document
from programs.history.events import names_of_accounts
from programs.requests.program_view import ERRORS, ProgramView
from programs.requests.visible import check_is_of_account, visible_ticket
from programs.tickets.services.history import history_of, ticket_changes
from programs.tickets.services.pull_request_names import name_of


class TicketChangeSerializer(ChangeSerializer):
    differences = DifferenceSerializer(many=True)


class TicketHistorySerializer(serializers.Serializer[object]):
    history = TicketChangeSerializer(many=True, help_text="The latest first.")


class TicketHistoryView(ProgramView):
    @extend_schema(operation_id="v1_ticket_history", responses={200: TicketHistorySerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """Who changed what in a ticket, and which pull requests and watchers came and went."""
        only(request)
        access = access_of(request.user)
        check_is_of_account(access)
        history = history_of(visible_ticket(pk, access))
        seen = visible_pull_requests(access).filter(pk__in=history.pull_requests).select_related("repository")
        pulls = {pull_request.pk: name_of(pull_request) for pull_request in seen} if history.pull_requests else {}
        names = names_of_accounts(history.accounts)
        changes = ticket_changes(history, pulls.keys(), access.visibility)
        return Response(
            {
                "history": [
                    {
                        **author_document(ticket_change.by, names),
                        "at": ticket_change.at,
                        "first": ticket_change.is_first,
                        "differences": [difference_document(change, names, pulls) for change in ticket_change.changes],
                    }
                    for ticket_change in changes
                ]
            }
        )
