"""The list of objectives as CSV."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.csv_export import csv_response
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui.views import page_view
from programs.objectives.pages.listing import listed_objectives, read_params
from programs.objectives.services.csv_export import objective_rows
from programs.quarters.pages import quarters


@page_view
def objectives_csv(request: HttpRequest) -> HttpResponseBase:
    """The filtered list, all pages."""
    access = access_in(request)
    params = read_params(request, access, quarters(windows.local_today()))
    objectives = list(listed_objectives(params))
    return csv_response("objectives", objective_rows(objectives, access, params.filters.today))
