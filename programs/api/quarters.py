"""/api/v1/quarters/{start}/: what was frozen, and closing a quarter; and which teams lack their objective of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from insights import windows
from insights.api import schema
from insights.metrics.errors import QueryError
from orgtree.api.parameters import DEFAULT_SIZE, LARGEST_SIZE, LAST_PAGE, only, whole_number
from orgtree.services.access import access_of
from programs.api.given import day, given_fields, text
from programs.api.quarter_documents import (
    MissingTeamsSerializer,
    OneQuarterSerializer,
    QuarterCloseSerializer,
    quarter_document,
)
from programs.api.tokens import ProgramView
from programs.models import Objective, Quarter
from programs.queries.my_work import teams_that_lack_theirs
from programs.services.objectives.closing import QuarterError, close_quarter
from programs.services.objectives.errors import MayNotWriteObjectiveError

ERRORS = dict.fromkeys((400, 401, 403, 404), schema.ErrorsSerializer)
CLOSING = ("decisions", "retrospectives", "retrospective", "forced_because")


class QuarterView(ProgramView):
    @extend_schema(operation_id="v1_quarter", responses={200: OneQuarterSerializer, **ERRORS})
    def get(self, request: Request, start: str) -> Response:
        """One quarter, by its first day; of a closed one the document, as far as one may see it."""
        only(request)
        return Response(quarter_document(_quarter(start), access_of(request.user)))


class QuarterCloseView(ProgramView):
    @extend_schema(
        operation_id="v1_quarter_close",
        request=QuarterCloseSerializer,
        responses={200: OneQuarterSerializer, **ERRORS},
    )
    def post(self, request: Request, start: str) -> Response:
        """Score and freeze its objectives, and carry over what is chosen; once, by executives and admins."""
        access, quarter = access_of(request.user), _quarter(start)
        given = given_fields(request, CLOSING)
        words = _by_objective("decisions", given.get("decisions"))
        for pk, word in words.items():
            if word not in Objective.CarryOver.values:
                raise QueryError(f"decisions.{pk}", f"One of: {', '.join(Objective.CarryOver.values)}.")
        try:
            close_quarter(
                access,
                quarter,
                decisions={pk: Objective.CarryOver(word) for pk, word in words.items()},
                retrospectives=_by_objective("retrospectives", given.get("retrospectives")),
                retrospective=text("retrospective", given["retrospective"]) if "retrospective" in given else None,
                forced_because=text("forced_because", given.get("forced_because")),
            )
        except MayNotWriteObjectiveError as refusal:
            raise PermissionDenied(str(refusal)) from None
        except QuarterError as problem:
            raise QueryError(problem.field, str(problem)) from None
        return Response(quarter_document(_quarter(start), access))


class TeamsWithoutObjectiveView(ProgramView):
    @extend_schema(
        operation_id="v1_teams_without_objective",
        parameters=[
            OpenApiParameter("quarter", str, description="A day in it, 2026-08-01; without it this quarter."),
            OpenApiParameter("page", int, description="From 1."),
            OpenApiParameter("size", int, description="Teams a page, at most 1,000; by default 100."),
        ],
        responses={200: MissingTeamsSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Teams that one leads and that have no published mandatory objective; of a closed quarter none."""
        only(request, "quarter", "page", "size")
        page = whole_number(request, "page", 1, LAST_PAGE)
        size = whole_number(request, "size", DEFAULT_SIZE, LARGEST_SIZE)
        today = windows.local_today()
        asked = day("quarter", request.query_params.get("quarter", "").strip()) or today
        quarter = Quarter.objects.filter(start__lte=asked, end__gt=asked).first()
        if quarter is None:
            return Response({"total": 0, "teams": []})
        found = teams_that_lack_theirs(access_of(request.user).sight, quarter, today)
        rows = found[(page - 1) * size : page * size]
        return Response({"total": found.count(), "teams": [{"unit": each.slug, "name": each.name} for each in rows]})


def _quarter(start: str) -> Quarter:
    try:
        first = date.fromisoformat(start)
    except ValueError:
        raise NotFound from None
    found = Quarter.objects.select_related("document").filter(start=first).first()
    if found is None:
        raise NotFound
    return found


def _by_objective(name: str, given: Any) -> dict[int, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise QueryError(name, "It must be an object, by the ids of objectives.")
    wrong = next((key for key in given if not (str(key).isdecimal() and len(str(key)) < 16)), None)
    if wrong is not None:
        raise QueryError(f"{name}.{str(wrong)[:40]}", "It must be the id of an objective.")
    return {int(key): text(f"{name}.{key}", value) for key, value in given.items()}
