"""/api/v1/dora/: the DORA metrics of a unit at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from insights.api import schema
from insights.api.documents import figure_document, heading
from insights.api.views import ERRORS, WINDOW, query_of
from insights.benchmarks.bands import BenchmarkSet, benchmark_band
from insights.benchmarks.sets import SETS, chosen_set
from insights.catalogue.registry import get
from insights.formulas.dora_score import SCORED, dora_score
from insights.privacy.visible import visible_totals
from insights.query import windows
from insights.query.enums import UnitOfMeasure
from insights.query.errors import QueryError
from insights.query.query import MetricValue, Query
from orgtree.access.access import access_of


class BandSerializer(serializers.Serializer[object]):
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the answer
    names = serializers.ListField(child=serializers.CharField(), help_text="Clusters with these values.")
    between = serializers.BooleanField(help_text="Between what was published for the two.")


class BenchmarkSetSerializer(serializers.Serializer[object]):
    slug = serializers.ChoiceField(choices=list(SETS))
    name = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    published_in = serializers.CharField(source="source")
    licence = serializers.CharField()
    secondary = serializers.CharField(
        help_text="The secondary source of the values; empty if they are the publisher's."
    )


class DoraMetricSerializer(schema.FigureSerializer):
    key = serializers.ChoiceField(choices=list(SCORED))
    name = serializers.CharField()
    version = serializers.IntegerField()
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure))
    better = serializers.ChoiceField(choices=schema.BETTER)
    statistic = serializers.CharField(allow_null=True)
    band = BandSerializer(allow_null=True)
    previous = schema.FigureSerializer()


class ScorePartSerializer(serializers.Serializer[object]):
    key = serializers.ChoiceField(choices=list(SCORED))
    worth = serializers.FloatField(help_text="0–10.")
    points = serializers.FloatField(help_text="Points of the score.")


class ScoreSerializer(serializers.Serializer[object]):
    value = serializers.FloatField(allow_null=True, help_text="0–10; null where a metric has no value.")
    previous = serializers.FloatField(allow_null=True)
    missing = serializers.ListField(child=serializers.CharField())
    contributions = ScorePartSerializer(many=True)


class DoraSerializer(serializers.Serializer[object]):
    time_zone = serializers.CharField()
    scope = schema.ScopeSerializer()
    benchmarks = BenchmarkSetSerializer()
    metrics = DoraMetricSerializer(many=True)
    score = ScoreSerializer()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the field `from`, whose name is a keyword in Python."""
        days = {name: serializers.DateField() for name in ("from", "to", "previous_from", "previous_to")}
        return {**days, **super().get_fields()}


PARAMETERS = [
    *(parameter for parameter in schema.WINDOW_PARAMETERS if parameter.name != "person"),
    OpenApiParameter("set", str, enum=list(SETS), description="Published set of the bands; the organisation's choice."),
]


class DoraView(APIView):
    @extend_schema(parameters=PARAMETERS, responses={200: DoraSerializer, **ERRORS})
    def get(self, request: Request) -> Response:
        """Return the five DORA metrics with their bands, their values in the previous window, and the score."""
        access = access_of(request.user)
        query = query_of(request, SCORED[0], (WINDOW - {"person"}) | {"set"}, access)
        slug = request.query_params.get("set", "")
        if slug and slug not in SETS:
            raise QueryError("set", f"There is no published set “{slug[:40]}”. Use one of {', '.join(SETS)}.")
        published = chosen_set(slug or access.organisation.benchmark_set)
        before = replace(query, window=windows.previous(query.window))
        queries = [replace(of, key=key) for of in (query, before) for key in SCORED]
        figures = [answer.total[0] for answer in visible_totals(queries, access)]
        now, then = figures[: len(SCORED)], figures[len(SCORED) :]
        heads = heading(query)
        return Response(
            {
                **{name: heads[name] for name in ("from", "to")},
                "previous_from": before.window.start,
                "previous_to": before.window.end,
                **{name: heads[name] for name in ("time_zone", "scope")},
                "benchmarks": BenchmarkSetSerializer(published).data,
                "metrics": [
                    _metric(replace(query, key=key), figure, earlier, published)
                    for key, figure, earlier in zip(SCORED, now, then, strict=True)
                ],
                "score": _score(now, then),
            }
        )


def _metric(query: Query, figure: MetricValue, before: MetricValue, published: BenchmarkSet) -> dict[str, Any]:
    metric = get(query.key)
    band = None if figure.value is None else benchmark_band(published, metric, figure.value, query.statistic)
    return {
        "key": metric.key,
        "name": metric.name,
        "version": metric.version,
        "unit_of_measure": metric.unit.value,
        "better": metric.better.value,
        "statistic": metric.statistic.value if metric.statistic else None,
        **figure_document(figure),
        "band": band and BandSerializer(band).data,
        "previous": figure_document(before),
    }


def _score(now: Sequence[MetricValue], then: Sequence[MetricValue]) -> dict[str, Any]:
    """The score; without a value if one of the metrics has none."""
    score, before = (
        dora_score({key: figure.value for key, figure in zip(SCORED, figures, strict=True)}) for figures in (now, then)
    )
    return {
        "value": score and score.value,
        "previous": before and before.value,
        "missing": [key for key, figure in zip(SCORED, now, strict=True) if figure.value is None],
        "contributions": ScorePartSerializer(score.contributions if score else (), many=True).data,
    }
