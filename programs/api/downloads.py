"""/api/v1/tickets.csv, objectives.csv and benchmarks.csv: the lists of the pages, all of their pages at once."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from insights.api import schema
from insights.query import windows
from insights.query.errors import QueryError
from insights.query.query import Scope
from orgtree.api.parameters import only
from orgtree.csv_export import csv_response
from orgtree.services.access import access_of
from programs.api.benchmarks import UNIT, asked_unit
from programs.api.given import parameter
from programs.api.objective_filters import OBJECTIVE_PARAMETERS, asked_objectives, objective_filter
from programs.api.ticket_filters import TICKET_PARAMETERS, asked_tickets
from programs.api.tokens import ProgramView
from programs.queries.benchmarks import benchmarks_for
from programs.queries.focus import newest_focus
from programs.services.benchmarks.listing import AGREED, benchmark_rows, listed_metrics, period_of, shown_words
from programs.services.benchmarks.standing import asked_about, stands
from programs.services.objectives.csv_export import objective_rows
from programs.services.tickets.csv_export import ticket_rows

CSV = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="UTF-8; the first row names the columns.")}
ERRORS: dict[Any, Any] = {(status, "application/json"): schema.ErrorsSerializer for status in (400, 401, 403, 404)}


class CsvView(ProgramView):
    """Whatever a program accepts, it gets CSV, or an error as JSON."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), JSONRenderer.media_type


class TicketsCsvView(CsvView):
    @extend_schema(operation_id="v1_tickets_csv", parameters=TICKET_PARAMETERS, responses={**CSV, **ERRORS})
    def get(self, request: Request) -> HttpResponseBase:
        """Tickets, in the columns that the import reads."""
        only(request, *(each.name for each in TICKET_PARAMETERS))
        access = access_of(request.user)
        return csv_response("tickets", ticket_rows(asked_tickets(request, access), access))


class ObjectivesCsvView(CsvView):
    @extend_schema(operation_id="v1_objectives_csv", parameters=OBJECTIVE_PARAMETERS, responses={**CSV, **ERRORS})
    def get(self, request: Request) -> HttpResponseBase:
        """Objectives of a quarter, a row for each key result."""
        only(request, *(each.name for each in OBJECTIVE_PARAMETERS))
        access = access_of(request.user)
        asked = objective_filter(request)
        found = list(asked_objectives(request, asked, access)) if asked else []
        return csv_response("objectives", objective_rows(found, access, windows.local_today()))


class BenchmarksCsvView(CsvView):
    @extend_schema(
        operation_id="v1_benchmarks_csv",
        parameters=[
            UNIT,
            OpenApiParameter("show", str, description="agreed (by default), a category of metrics, or all."),
        ],
        responses={**CSV, **ERRORS},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Metrics with where a unit stands, and what was agreed."""
        only(request, "unit", "show")
        access = access_of(request.user)
        unit, show = asked_unit(request, access), parameter(request, "show") or AGREED
        if show not in shown_words():
            raise QueryError("show", f"One of: {', '.join(shown_words())}.")
        holding = benchmarks_for(None, unit.pk if unit else None, access.sight)
        listed = listed_metrics(show, holding, newest_focus(unit.pk if unit else None))
        asked = [asked_about(metric, period_of(holding.get(metric.key))) for metric in listed]
        may_see = unit is not None or access.sight.whole
        scope = Scope(unit.slug if unit else None)
        found = stands(asked, scope, access, today=windows.local_today()) if may_see else [None for _ in asked]
        name = unit.name if unit else "the whole organisation"
        return csv_response("benchmarks", benchmark_rows(name, listed, holding, found, access))
