"""The list of tickets as CSV."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from insights.privacy.scope_access import access_in
from insights.ui.bad_filter import explains_bad_filters
from orgtree.csv_export import csv_response
from programs.queries.tickets import filtered, ordered
from programs.services.tickets.csv_export import ticket_rows
from programs.views.tickets.listing import read_asked


@login_required
@require_GET
@explains_bad_filters
def tickets_csv(request: HttpRequest) -> HttpResponseBase:
    """What the list is narrowed to, all of its pages."""
    access = access_in(request)
    asked = read_asked(request, access)
    found = filtered(asked.narrowed, access.sight, today=asked.filters.today)
    return csv_response("tickets", ticket_rows(ordered(found, asked.sort, descending=asked.descending), access))
