"""The team roadmap as CSV."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.csv_export import csv_response
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui.views import page_view
from programs.quarters.pages import quarters
from programs.roadmaps.pages.roadmap import read_params
from programs.roadmaps.queries.team_roadmap import team_roadmap
from programs.roadmaps.services.csv_export import roadmap_rows


@page_view
def roadmap_csv(request: HttpRequest) -> HttpResponseBase:
    """The four quarters that are shown, all rows."""
    access = access_in(request)
    params = read_params(request, access, quarters(windows.local_today()))
    return csv_response("roadmap", roadmap_rows(team_roadmap(params.quarters, access, unit=params.unit)))
