"""/api/v1/overview/, /api/v1/bottlenecks/ and /api/v1/my-work/: the content of the program overview."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.operations import ERRORS, operation
from core.api.parameters import DEFAULT_SIZE, LARGEST_SIZE, whole_number
from insights.api import schema
from insights.api.program_view import ProgramView
from insights.api.views import query_of
from insights.engine.plan import resolve_scope
from insights.privacy.scope_access import check_scope
from insights.query import windows
from insights.ui.filters import Filters
from orgtree.access.access import Access
from programs.objectives.queries.objectives import progress_of
from programs.overview.api.documents import (
    BottlenecksSerializer,
    MyWorkSerializer,
    OverviewSerializer,
    bottlenecks_document,
    overview_document,
)
from programs.overview.services.bottlenecks import METRICS, bottlenecks_of
from programs.overview.services.my_work import own_objectives, work_of
from programs.overview.services.steps import steps_of
from programs.quarters.fiscal_quarters import current_quarter

WINDOW = frozenset({"unit", "person", "where", "from", "to"})
PARAMETERS = [parameter for parameter in schema.WINDOW_PARAMETERS if parameter.name in WINDOW]


class OverviewView(ProgramView):
    @extend_schema(operation_id="v1_overview", parameters=PARAMETERS, responses={200: OverviewSerializer, **ERRORS})
    def get(self, request: Request) -> Response:
        """Get a unit's progress in each of the four steps, and what is missing."""
        filters = _filters(request, self.access)
        placed, quarter = resolve_scope(filters.scope), current_quarter()
        steps = steps_of(filters, placed.ids[0] if filters.scope.unit is not None else None, quarter)
        return Response(overview_document(steps, filters, quarter))


class BottlenecksView(ProgramView):
    @extend_schema(
        operation_id="v1_bottlenecks", parameters=PARAMETERS, responses={200: BottlenecksSerializer, **ERRORS}
    )
    def get(self, request: Request) -> Response:
        """List the nine bottlenecks of teams, with their signals in the data."""
        return Response(bottlenecks_document(bottlenecks_of(_filters(request, self.access))))


class MyWorkView(ProgramView):
    @operation(
        "v1_my_work",
        MyWorkSerializer,
        parameters=[OpenApiParameter("size", int, description="Tickets, at most 1,000; by default 100.")],
    )
    def get(self, request: Request) -> Response:
        """List the account's open work: tickets, check-ins, objectives at risk, and gaps of its teams."""
        size = whole_number(request, "size", DEFAULT_SIZE, LARGEST_SIZE)
        access, today, quarter = self.access, windows.local_today(), current_quarter()
        progress = progress_of(own_objectives(access.visibility, quarter), access, today=today)
        work = work_of(access.visibility, quarter, progress, today, most_tickets=size)
        context = {"quarter": quarter, "access": access, "today": today}
        return Response(MyWorkSerializer(work, context=context).data)


def _filters(request: Request, access: Access) -> Filters:
    """The scope and window of the request.  Raises QueryError, also for scopes that the viewer cannot see."""
    query = query_of(request, METRICS[0], WINDOW, access)
    check_scope(query.scope, access)
    today = windows.local_today()
    return Filters(range="custom", window=query.window, today=today, access=access, scope=query.scope)
