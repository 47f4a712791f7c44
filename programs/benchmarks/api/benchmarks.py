"""/api/v1/benchmarks/ and /api/v1/benchmarks.csv: read and written with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import changed_version
from core.api.errors import error_document
from core.api.operations import CSV_ANSWERS, CsvNegotiation, operation
from core.api.parameters import page_parameters, requested_slice
from core.csv_export import csv_response
from core.write_errors import ConflictError
from insights.api.program_view import ProgramView
from insights.catalogue.declarations import Metric
from insights.engine.plan import resolve_scope
from insights.privacy.scope_access import check_scope
from insights.query import windows
from insights.query.enums import Better
from insights.query.errors import QueryError
from insights.query.query import Scope
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.benchmarks.api.documents import (
    BenchmarkAgreeSerializer,
    BenchmarkConflictSerializer,
    BenchmarkPageSerializer,
    BenchmarksSerializer,
    BenchmarkTakeBackSerializer,
    SuggestionSerializer,
    SuggestionsSerializer,
    UnitsBelowSerializer,
    benchmark_documents,
    stand_document,
    version_documents,
)
from programs.benchmarks.queries.benchmarks import (
    EffectiveBenchmark,
    benchmarks_for,
    benchmarks_of_units,
    newest_focus,
    unit_of_scope,
    units_below,
    versions_of,
)
from programs.benchmarks.services.current_values import (
    CurrentValue,
    benchmark_query,
    current_values,
    current_values_with_units,
)
from programs.benchmarks.services.fields import PERIODS, offered_metric
from programs.benchmarks.services.listing import (
    AGREED,
    benchmark_rows,
    figures_of,
    list_title,
    listed_metrics,
    queries_of_units,
)
from programs.benchmarks.services.suggestions import Question, suggestions_for
from programs.benchmarks.services.writing import set_benchmark, withdraw_benchmark
from programs.models import BenchmarkVersion, Direction, Period
from programs.requests.fields import parameter
from programs.teams.fields import unit_to_write_for

UNITS_A_PAGE, MOST_UNITS = 25, 100
UNIT = OpenApiParameter("unit", str, description="Slug; default: the whole organisation.")


class BenchmarksView(ProgramView):
    @operation(
        "v1_benchmarks_list",
        BenchmarksSerializer,
        parameters=[UNIT, OpenApiParameter("metric", str, many=True, description="Keys; without any all.")],
    )
    def get(self, request: Request) -> Response:
        """List the benchmarks that apply to a unit, its own and inherited ones, by metric."""
        unit = requested_unit(request, self.access)
        keys = [key for key in request.query_params.getlist("metric") if key]
        holding = benchmarks_for(keys or None, unit.pk if unit else None, self.access.visibility)
        benchmarks = [holding[key] for key in sorted(holding)]
        slug = unit.slug if unit else None
        return Response(
            {
                "unit": slug,
                "benchmarks": benchmark_documents(
                    benchmarks, _stands(benchmarks, slug, self.access), slug, self.access
                ),
            }
        )


class BenchmarkView(ProgramView):
    @operation("v1_benchmark", BenchmarkPageSerializer, parameters=[UNIT])
    def get(self, request: Request, key: str) -> Response:
        """Get the benchmark of one metric that applies to a unit, and the unit's own versions."""
        unit = requested_unit(request, self.access)
        return Response(_page(key, unit, self.access))

    @operation(
        "v1_benchmark_agree",
        {200: BenchmarkPageSerializer, 409: BenchmarkConflictSerializer},
        request=BenchmarkAgreeSerializer,
    )
    def put(self, request: Request, key: str) -> Response:
        """Set a threshold, a target or both; the baseline is computed when they are stored."""
        given, of_number = changed_version(request, "number")
        return _changed(
            key, self.access, lambda: set_benchmark(self.access, {**given, "metric": key}, of_number=of_number)
        )


class BenchmarkTakeBackView(ProgramView):
    @operation(
        "v1_benchmark_take_back",
        {200: BenchmarkPageSerializer, 409: BenchmarkConflictSerializer},
        request=BenchmarkTakeBackSerializer,
    )
    def post(self, request: Request, key: str) -> Response:
        """Withdraw the unit's benchmark; the unit inherits the one above it again."""
        given, of_number = changed_version(request, "number")
        return _changed(key, self.access, lambda: withdraw_benchmark(self.access, key, given, of_number=of_number))


class SuggestionsView(ProgramView):
    @operation(
        "v1_benchmark_suggestions",
        SuggestionsSerializer,
        parameters=[
            UNIT,
            OpenApiParameter("better", str, enum=Direction.values, description="For metrics without a direction."),
            OpenApiParameter("period", str, enum=[*PERIODS], description="For metrics that grow with time."),
        ],
    )
    def get(self, request: Request, key: str) -> Response:
        """Suggest benchmarks with reasons, to accounts that may set them."""
        metric = _metric(key)
        unit = unit_to_write_for(request.query_params.get("unit", ""), self.access.visibility, "Benchmarks")
        question = Question(
            metric,
            unit,
            _direction(metric, request.query_params.get("better", "")),
            benchmark_query(metric, _period(request.query_params.get("period", ""))).period,
        )
        [answer] = suggestions_for([question], self.access, today=windows.local_today())
        suggestions = SuggestionSerializer(answer.found, many=True).data
        return Response({"here": stand_document(answer.here), "suggestions": suggestions, "missing": answer.missing})


class UnitsBelowView(ProgramView):
    @operation(
        "v1_benchmark_units",
        UnitsBelowSerializer,
        parameters=[
            UNIT,
            *page_parameters("Units", default=UNITS_A_PAGE, largest=MOST_UNITS),
        ],
    )
    def get(self, request: Request, key: str) -> Response:
        """List the units directly below, with the benchmark that applies to each and its current value."""
        access, metric, today = self.access, _metric(key), windows.local_today()
        page = requested_slice(request, default=UNITS_A_PAGE, largest=MOST_UNITS)
        listed_units = units_below(requested_unit(request, access), access.visibility, today)
        units = list(listed_units[page])
        held = benchmarks_of_units([key], [unit.pk for unit in units], access.visibility)
        queries = queries_of_units(metric, [unit.pk for unit in units], held)
        _, stood = current_values_with_units(benchmark_query(metric, ""), None, queries, access, today=today)
        holding = {unit.pk: held[unit.pk][key] for unit in units if key in held[unit.pk]}
        versions = version_documents([benchmark.version for benchmark in holding.values()], access)
        agreed = dict(zip(holding, versions, strict=True))
        rows = [
            {
                "unit": unit.slug,
                "name": unit.name,
                "is_inherited": unit.pk in holding and not holding[unit.pk].is_own,
                "benchmark": agreed.get(unit.pk),
                "stands": stand_document(stood[unit.pk]) if unit.pk in stood else None,
            }
            for unit in units
        ]
        return Response({"total": listed_units.count(), "units": rows})


def requested_unit(request: Request, access: Access) -> Unit | None:
    """The requested unit.  Raises UnknownUnitError if it does not exist or the viewer may not know of it."""
    word = request.query_params.get("unit", "")
    if not word:
        return None
    scope = Scope(word)
    check_scope(scope, access)
    resolve_scope(scope)
    return unit_of_scope(word)


def _page(key: str, unit: Unit | None, access: Access) -> dict[str, Any]:
    """The response for one metric.  Raises NotFound for a metric that never existed."""
    unit_id, slug = (unit.pk, unit.slug) if unit else (None, None)
    holding = benchmarks_for([key], unit_id, access.visibility)
    versions = versions_of(key, unit_id)
    if not versions and not holding and offered_metric(key) is None:
        raise NotFound
    benchmarks = list(holding.values())
    documents = benchmark_documents(benchmarks, _stands(benchmarks, slug, access), slug, access)
    return {
        "unit": slug,
        "benchmark": documents[0] if documents else None,
        "versions": version_documents(versions, access),
    }


def _stands(holding: list[EffectiveBenchmark], slug: str | None, access: Access) -> list[CurrentValue | None]:
    """Current values in the order of `holding`; None for a removed metric or a hidden figure."""
    if slug is None and not access.visibility.whole:
        return [None for _ in holding]
    known = [benchmark for benchmark in holding if benchmark.metric is not None]
    queries = [
        benchmark_query(benchmark.metric, benchmark.version.period)
        for benchmark in known
        if benchmark.metric is not None
    ]
    current = current_values(queries, Scope(slug), access, today=windows.local_today()) if queries else []
    by_metric = {benchmark.version.metric: stand for benchmark, stand in zip(known, current, strict=True)}
    return [by_metric.get(benchmark.version.metric) for benchmark in holding]


def _changed(key: str, access: Access, change: Callable[[], BenchmarkVersion]) -> Response:
    """Returns the changed benchmark, or 409 with the newest version as `stored` if somebody else saved first."""
    try:
        return Response(_page(key, change().unit, access))
    except ConflictError as conflict:
        stored = version_documents([conflict.stored], access)[0] if conflict.stored else None
        problem = error_document("number", f"{conflict} `stored` is what holds now.")
        return Response({**problem, "stored": stored}, status=status.HTTP_409_CONFLICT)


def _metric(key: str) -> Metric:
    metric = offered_metric(key)
    if metric is None:
        raise NotFound
    return metric


def _direction(metric: Metric, word: str) -> Direction:
    if metric.better is not Better.NEITHER:
        return Direction(metric.better.value)
    if word not in Direction.values:
        raise QueryError("better", f"This metric has no direction of its own. Say {' or '.join(Direction.values)}.")
    return Direction(word)


def _period(word: str) -> Period:
    if word and word not in PERIODS:
        raise QueryError("period", f"One of: {', '.join(PERIODS)}.")
    return Period(word)


class BenchmarksCsvView(ProgramView):
    content_negotiation_class = CsvNegotiation

    @operation(
        "v1_benchmarks_csv",
        CSV_ANSWERS,
        parameters=[
            UNIT,
            OpenApiParameter("show", str, description="agreed (by default), a category of metrics, or all."),
        ],
        errors={},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The metrics with a unit's current values and benchmarks, as a CSV file."""
        unit, show = requested_unit(request, self.access), parameter(request, "show") or AGREED
        if show not in list_title():
            raise QueryError("show", f"One of: {', '.join(list_title())}.")
        holding = benchmarks_for(None, unit.pk if unit else None, self.access.visibility)
        listed = listed_metrics(show, holding, newest_focus(unit.pk if unit else None))
        scope = Scope(unit.slug if unit else None) if unit or self.access.visibility.whole else None
        current = figures_of(listed, holding, scope, self.access)
        name = unit.name if unit else "the whole organisation"
        return csv_response("benchmarks", benchmark_rows(name, listed, holding, current, self.access))
