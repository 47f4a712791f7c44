"""/api/v1/benchmarks.csv: the list of the page, all of its pages at once."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from core.api.parameters import only
from core.csv_export import csv_response
from insights.query.errors import QueryError
from insights.query.query import Scope
from orgtree.access.access import access_of
from programs.benchmarks.api.benchmarks import UNIT, requested_unit
from programs.benchmarks.queries.benchmarks import benchmarks_for
from programs.benchmarks.queries.focus import newest_focus
from programs.benchmarks.services.listing import AGREED, benchmark_rows, figures_of, list_title, listed_metrics
from programs.requests.fields import parameter
from programs.requests.program_view import CSV_ANSWERS, CsvView


class BenchmarksCsvView(CsvView):
    @extend_schema(
        operation_id="v1_benchmarks_csv",
        parameters=[
            UNIT,
            OpenApiParameter("show", str, description="agreed (by default), a category of metrics, or all."),
        ],
        responses=CSV_ANSWERS,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Metrics with where a unit stands, and what was agreed."""
        only(request, "unit", "show")
        access = access_of(request.user)
        unit, show = requested_unit(request, access), parameter(request, "show") or AGREED
        if show not in list_title():
            raise QueryError("show", f"One of: {', '.join(list_title())}.")
        holding = benchmarks_for(None, unit.pk if unit else None, access.visibility)
        listed = listed_metrics(show, holding, newest_focus(unit.pk if unit else None))
        scope = Scope(unit.slug if unit else None) if unit or access.visibility.whole else None
        current = figures_of(listed, holding, scope, access)
        name = unit.name if unit else "the whole organisation"
        return csv_response("benchmarks", benchmark_rows(name, listed, holding, current, access))
