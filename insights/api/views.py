"""The read API for metrics.  Shapes: docs/reference/api.md."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import paging_fields
from core.api.errors import ErrorsSerializer
from insights.api import schema
from insights.api.documents import (
    distribution_document,
    figure_with_change,
    quarter_document,
    rows_document,
    series_document,
)
from insights.catalogue.registry import get, matches, metrics
from insights.privacy.scope_access import own_person
from insights.privacy.visible import visible_distribution, visible_rows, visible_together
from insights.query import windows
from insights.query.errors import QueryError
from insights.query.parameters import Parameters
from insights.query.query import Query
from insights.ui.shortfalls import queries_behind, shortfalls
from orgtree.access.access import Access, access_of
from orgtree.trees.search import units_matching

WINDOW = frozenset({"unit", "person", "where", "facet", "from", "to"})
FIGURE = WINDOW | {"statistic"}
SERIES = FIGURE | {"granularity", "segment"}
SERIES_PAGE = SERIES | {"segment_page"}
ROWS = SERIES | {"page", "size"}
DEFAULT_SIZE = 100
LARGEST_SIZE = 1000
LAST_PAGE = 1_000_000
ERRORS = dict.fromkeys((400, 401, 403, 404), ErrorsSerializer)


class CatalogueView(APIView):
    @extend_schema(operation_id="v1_metrics_list", responses={200: schema.CatalogueSerializer, 401: ErrorsSerializer})
    def get(self, request: Request) -> Response:
        """List every metric with its definition."""
        return Response({"metrics": schema.MetricSerializer(metrics(), many=True).data})


class ShortCatalogueView(APIView):
    @extend_schema(
        operation_id="v1_catalogue",
        parameters=[OpenApiParameter("q", str, description="Words that a metric or the name of a unit contains.")],
        responses={200: schema.ShortCatalogueSerializer, 400: ErrorsSerializer, 401: ErrorsSerializer},
    )
    def get(self, request: Request) -> Response:
        """List the metrics in short, the units that the viewer may see, and the quarters around today."""
        check_parameters(request, frozenset({"q"}))
        words, today = request.query_params.get("q", ""), windows.local_today()
        quarter = windows.quarter_of(today)
        units = units_matching(words.replace("\0", ""), access_of(request.user).visibility, on=today)
        return Response(
            {
                "today": today.isoformat(),
                "quarter": quarter_document(quarter),
                "previous_quarter": quarter_document(windows.quarter_of(quarter.start - timedelta(days=1))),
                "metrics": schema.ShortMetricSerializer(
                    [metric for metric in metrics() if matches(metric, words)], many=True
                ).data,
                "units": [{"slug": one.slug, "name": one.name, "location": one.location} for one in units],
            }
        )


class MetricView(APIView):
    @extend_schema(responses={200: schema.MetricSerializer, **ERRORS})
    def get(self, request: Request, key: str) -> Response:
        """Return one metric's definition."""
        return Response(schema.MetricSerializer(get(key)).data)


class SeriesView(APIView):
    @extend_schema(parameters=schema.SERIES_PAGE_PARAMETERS, responses={200: schema.SeriesSerializer, **ERRORS})
    def get(self, request: Request, key: str) -> Response:
        """Return the metric's value in the window, and in each of its weeks, months or quarters."""
        access = access_of(request.user)
        query = query_of(request, key, SERIES_PAGE, access)
        number = _whole(request, "segment_page", 1, LAST_PAGE)
        behind = queries_behind([get(key)], query)
        answers = visible_together(access, series=[query], totals=behind)
        known = {lacking.key: answer.total[0].value for lacking, answer in zip(behind, answers.totals, strict=True)}
        lacking = shortfalls([get(key)], query, access, known=known)
        return Response(series_document(answers.series[0], lacking, number))


class FigureView(APIView):
    @extend_schema(
        operation_id="v1_metrics_figure",
        parameters=schema.FIGURE_PARAMETERS,
        responses={200: schema.FigureWithChangeSerializer, **ERRORS},
    )
    def get(self, request: Request, key: str) -> Response:
        """Return the metric's value in the window and in the previous one, with the change worded as on its page."""
        access = access_of(request.user)
        query = query_of(request, key, FIGURE, access)
        before = replace(query, window=windows.previous(query.window))
        answers = visible_together(access, series=[query], totals=[before])
        return Response(figure_with_change(answers.series[0], answers.totals[0]))


class RowsView(APIView):
    @extend_schema(parameters=schema.ROWS_PARAMETERS, responses={200: schema.RowsSerializer, **ERRORS})
    def get(self, request: Request, key: str) -> Response:
        """Return the facts behind the window's value, each with its contribution.

        Other people's rows are shown as far as the organisation's policy allows.
        """
        if not isinstance(request.user, User):
            raise PermissionDenied(
                "This token has no account and reads aggregates only; rows show individuals. Create one with "
                "`manage.py create_api_token NAME --user U`."
            )
        access = access_of(request.user)
        query = query_of(request, key, ROWS, access)
        number, size = _whole(request, "page", 1, LAST_PAGE), _whole(request, "size", DEFAULT_SIZE, LARGEST_SIZE)
        page = visible_rows(query, access, page=number, size=size)
        return Response({**rows_document(page), **paging_fields(request, number, size, page.total)})


class DistributionView(APIView):
    @extend_schema(parameters=schema.WINDOW_PARAMETERS, responses={200: schema.DistributionSerializer, **ERRORS})
    def get(self, request: Request, key: str) -> Response:
        """Return percentiles and a histogram of the contributions of the window's facts."""
        access = access_of(request.user)
        return Response(distribution_document(visible_distribution(query_of(request, key, WINDOW, access), access)))


def check_parameters(request: Request, allowed: frozenset[str]) -> None:
    """Refuse an unknown parameter, and a repeated one that has a single value.  Raises QueryError."""
    given = request.query_params
    for name in given:
        if name not in allowed:
            raise QueryError(name, f"There is no parameter “{name}”. Use {', '.join(sorted(allowed))}.")
    for name in allowed - {"where", "facet", "segment"}:
        if len(given.getlist(name)) > 1:
            raise QueryError(name, f"“{name}” is given more than once. Give it once.")


def query_of(request: Request, key: str, allowed: frozenset[str], access: Access) -> Query:
    """The query that the request describes.  Raises QueryError for an unknown or invalid parameter."""
    get(key)  # an unknown metric is 404, whatever else is wrong
    check_parameters(request, allowed)
    given = request.query_params
    return Parameters(
        unit=given.get("unit", ""),
        person_id=own_person(given.get("person", ""), access),
        where=given.getlist("where"),
        facet=given.getlist("facet"),
        start=given.get("from", ""),
        end=given.get("to", ""),
        granularity=given.get("granularity", ""),
        segment=given.getlist("segment"),
        statistic=given.get("statistic", ""),
    ).query(key)


def _whole(request: Request, parameter: str, default: int, greatest: int) -> int:
    text = request.query_params.get(parameter, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= greatest:
        raise QueryError(parameter, f"“{text[:20]}” is not valid. Give a whole number from 1 to {greatest:,}.")
    return int(text)


class DocumentGenerator(SchemaGenerator):
    """Generates the OpenAPI document once per process, because that takes a second and the document is the same for
    everybody.
    """

    def get_schema(self, request: Request | None = None, public: bool = False) -> Any:
        return openapi_document()


@cache
def openapi_document() -> Any:
    return SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
