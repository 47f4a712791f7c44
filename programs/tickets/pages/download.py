"""The list of tickets as CSV."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from core.csv_export import csv_response
from insights.privacy.scope_access import access_in
from insights.ui.bad_filter import explains_bad_filters
from programs.tickets.pages.listing import read_params
from programs.tickets.services.csv_export import ticket_rows


@login_required
@require_GET
@explains_bad_filters
def tickets_csv(request: HttpRequest) -> HttpResponseBase:
    """The filtered list, all pages."""
    access = access_in(request)
    return csv_response("tickets", ticket_rows(read_params(request, access).narrowed.qs, access))
