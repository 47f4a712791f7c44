"""/api/v1/tickets.csv: the list of the page, all of its pages at once."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.api.parameters import only
from core.csv_export import csv_response
from orgtree.access.access import access_of
from programs.requests.csv_view import CSV, ERRORS, CsvView
from programs.tickets.api.filters import TICKET_PARAMETERS, requested_tickets
from programs.tickets.services.csv_export import ticket_rows


class TicketsCsvView(CsvView):
    @extend_schema(operation_id="v1_tickets_csv", parameters=TICKET_PARAMETERS, responses={**CSV, **ERRORS})
    def get(self, request: Request) -> HttpResponseBase:
        """Tickets, in the columns that the import reads."""
        only(request, *(parameter.name for parameter in TICKET_PARAMETERS))
        access = access_of(request.user)
        return csv_response("tickets", ticket_rows(requested_tickets(request, access), access))
