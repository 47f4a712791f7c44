"""/api/v1/tickets.csv: the list of the page, all of its pages at once."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.api.parameters import only
from core.csv_export import csv_response
from core.list_filters import filter_parameters
from insights.query import windows
from orgtree.access.access import access_of
from programs.requests.program_view import CSV_ANSWERS, CsvView
from programs.tickets.queries import TicketFilters
from programs.tickets.services.csv_export import ticket_rows


class TicketsCsvView(CsvView):
    @extend_schema(operation_id="v1_tickets_csv", parameters=filter_parameters(TicketFilters), responses=CSV_ANSWERS)
    def get(self, request: Request) -> HttpResponseBase:
        """Tickets, in the columns that the import reads."""
        only(request, *TicketFilters.base_filters)
        access = access_of(request.user)
        tickets = TicketFilters(request.query_params, access, today=windows.local_today()).qs
        return csv_response("tickets", ticket_rows(tickets, access))
