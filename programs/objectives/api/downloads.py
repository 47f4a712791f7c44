"""/api/v1/objectives.csv: the list of the page, all of its pages at once."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.csv_export import csv_response
from insights.query import windows
from orgtree.access.access import access_of
from programs.objectives.api.filters import OBJECTIVE_PARAMETERS, requested_objectives
from programs.objectives.services.csv_export import objective_rows
from programs.requests.program_view import CSV_ANSWERS, CsvView


class ObjectivesCsvView(CsvView):
    @extend_schema(operation_id="v1_objectives_csv", parameters=OBJECTIVE_PARAMETERS, responses=CSV_ANSWERS)
    def get(self, request: Request) -> HttpResponseBase:
        """Objectives of a quarter, a row for each key result."""
        objectives = list(requested_objectives(request).qs)
        rows = objective_rows(objectives, access_of(request.user), windows.local_today())
        return csv_response("objectives", rows)
