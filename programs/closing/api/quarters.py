"""/api/v1/quarters/{start}/: the frozen quarter, closing a quarter, and the teams that lack their mandatory
objective.
"""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.operations import operation
from core.api.parameters import page_parameters, requested_slice
from insights.api.program_view import ProgramView
from insights.query import windows
from insights.query.errors import QueryError
from programs.closing.api.documents import (
    ClosingSerializer,
    KeptSerializer,
    MissingTeamsSerializer,
    OneQuarterSerializer,
    QuarterCloseSerializer,
    QuarterKeepSerializer,
    quarter_document,
)
from programs.closing.services.closing import NOT_STARTED, ONLY_LEADERS, close_quarter, preview_closing
from programs.models import Quarter
from programs.objectives.services.writing import keep_decisions
from programs.requests.fields import day
from programs.requests.visible import known_quarter
from programs.teams.queries import teams_missing_objective, units_above


class QuarterView(ProgramView):
    @operation("v1_quarter", OneQuarterSerializer, parameters=())
    def get(self, request: Request, start: str) -> Response:
        """Get one quarter by its first day; if it is closed, with the part of its document that the viewer may see."""
        return Response(quarter_document(known_quarter(start), self.access))


class ClosingView(ProgramView):
    @operation("v1_quarter_closing", ClosingSerializer, parameters=page_parameters("Objectives"))
    def get(self, request: Request, start: str) -> Response:
        """Preview what closing the quarter would freeze and carry over, as last measured; for executives and admins."""
        access, quarter = self.access, known_quarter(start)
        if not access.visibility.leads_whole:
            raise PermissionDenied(ONLY_LEADERS)
        if quarter.start > windows.local_today():
            raise QueryError("quarter", NOT_STARTED.format(quarter=quarter))
        preview = preview_closing(access, quarter, page=requested_slice(request))
        return Response(ClosingSerializer(preview).data)


class QuarterKeepView(ProgramView):
    @operation("v1_quarter_keep", KeptSerializer, request=QuarterKeepSerializer)
    def post(self, request: Request, start: str) -> Response:
        """Store carry-over decisions and retrospectives, while the quarter stays open."""
        access, quarter = self.access, known_quarter(start)
        unsaid = {"decisions": {}, "retrospectives": {}, "retrospective": quarter.retrospective}
        return Response({"kept": keep_decisions(access, quarter, **{**unsaid, **body(request, QuarterKeepSerializer)})})


class QuarterCloseView(ProgramView):
    @operation("v1_quarter_close", OneQuarterSerializer, request=QuarterCloseSerializer)
    def post(self, request: Request, start: str) -> Response:
        """Close the quarter, once: score and freeze its objectives, and carry over the chosen ones; for executives and
        admins.
        """
        access, quarter = self.access, known_quarter(start)
        close_quarter(access, quarter, **body(request, QuarterCloseSerializer))
        return Response(quarter_document(known_quarter(start), access))


class TeamsWithoutObjectiveView(ProgramView):
    @operation(
        "v1_teams_without_objective",
        MissingTeamsSerializer,
        parameters=[
            OpenApiParameter(
                "quarter", str, description="Any date in the quarter (2026-08-01); default: the current one."
            ),
            *page_parameters("Teams"),
        ],
    )
    def get(self, request: Request) -> Response:
        """List the teams led by the viewer that have no published mandatory objective; none for a closed quarter."""
        page = requested_slice(request)
        today = windows.local_today()
        chosen_day = day("quarter", request.query_params.get("quarter", "").strip()) or today
        quarter = Quarter.objects.filter(start__lte=chosen_day, end__gt=chosen_day).first()
        if quarter is None:
            return Response({"total": 0, "teams": []})
        lacking = teams_missing_objective(self.access.visibility, quarter, today)
        rows = list(lacking.select_related("leader")[page])
        above = units_above(rows, today)
        teams = [
            {
                "unit": row.slug,
                "name": row.name,
                "above": above.get(row.pk),
                "leader": row.leader.full_name if row.leader and self.access.is_of_account else None,
            }
            for row in rows
        ]
        return Response({"total": lacking.count(), "teams": teams})
