"""The list of tickets as CSV."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.csv_export import csv_response
from insights.privacy.scope_access import access_in
from insights.ui.views import page_view
from programs.tickets.pages.listing import read_params
from programs.tickets.services.csv_export import ticket_rows


@page_view
def tickets_csv(request: HttpRequest) -> HttpResponseBase:
    """The filtered list, all pages."""
    access = access_in(request)
    return csv_response("tickets", ticket_rows(read_params(request, access).narrowed.qs, access))
