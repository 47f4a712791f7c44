"""/api/v1/objectives.csv: the list of the page, all of its pages at once."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.api.parameters import only
from core.csv_export import csv_response
from insights.query import windows
from orgtree.access.access import access_of
from programs.objectives.api.filters import OBJECTIVE_PARAMETERS, objective_filter, requested_objectives
from programs.objectives.services.csv_export import objective_rows
from programs.requests.csv_view import CSV, ERRORS, CsvView


class ObjectivesCsvView(CsvView):
    @extend_schema(operation_id="v1_objectives_csv", parameters=OBJECTIVE_PARAMETERS, responses={**CSV, **ERRORS})
    def get(self, request: Request) -> HttpResponseBase:
        """Objectives of a quarter, a row for each key result."""
        only(request, *(parameter.name for parameter in OBJECTIVE_PARAMETERS))
        access = access_of(request.user)
        params = objective_filter(request)
        objectives = list(requested_objectives(request, params, access)) if params else []
        return csv_response("objectives", objective_rows(objectives, access, windows.local_today()))
