"""/api/v1/dora/: the DORA metrics of a unit at once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from insights.api import schema
from insights.api.documents import figure_document
from insights.api.views import ERRORS, WINDOW, query_of
from insights.benchmarks.dora_report import DoraMetric, DoraReport, dora_report
from insights.benchmarks.sets import SETS, chosen_set
from insights.formulas.dora_score import SCORED
from insights.query.enums import UnitOfMeasure
from insights.query.errors import QueryError
from orgtree.access.access import access_of
from orgtree.models import Organisation


class BandSerializer(serializers.Serializer[object]):
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the answer
    names = serializers.ListField(child=serializers.CharField(), help_text="Clusters with these values.")
    between = serializers.BooleanField(help_text="Between what was published for the two.")


class BenchmarkSetSerializer(serializers.Serializer[object]):
    slug = serializers.ChoiceField(choices=list(SETS))
    name = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    published_in = serializers.CharField()
    licence = serializers.CharField()
    secondary = serializers.CharField(help_text="Whose copy it was taken from; empty where it is the publisher's.")


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
    points = serializers.FloatField(help_text="Of the score.")


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
        """`from` is a word of Python."""
        days = {name: serializers.DateField() for name in ("from", "to", "previous_from", "previous_to")}
        return {**days, **super().get_fields()}


PARAMETERS = [
    *(parameter for parameter in schema.WINDOW_PARAMETERS if parameter.name != "person"),
    OpenApiParameter("set", str, enum=list(SETS), description="Published set of the bands; the organisation's choice."),
]


class DoraView(APIView):
    @extend_schema(parameters=PARAMETERS, responses={200: DoraSerializer, **ERRORS})
    def get(self, request: Request) -> Response:
        """The five DORA metrics with their bands, the window before, and the score."""
        access = access_of(request.user)
        query = query_of(request, SCORED[0], (WINDOW - {"person"}) | {"set"}, access)
        slug = request.query_params.get("set", "")
        if slug and slug not in SETS:
            raise QueryError("set", f"There is no published set “{slug[:40]}”. Use one of {', '.join(SETS)}.")
        published = chosen_set(slug or Organisation.current().benchmark_set)
        return Response(_document(dora_report(query, access, published)))


def _document(report: DoraReport) -> dict[str, Any]:
    window, before, scope = report.query.window, report.before.window, report.query.scope
    return {
        "from": window.start,
        "to": window.end,
        "previous_from": before.start,
        "previous_to": before.end,
        "time_zone": settings.TIME_ZONE,
        "scope": {"unit": scope.unit_word, "where": {name: list(values) for name, values in scope.where.items()}},
        "benchmarks": {
            "slug": report.published.slug,
            "name": report.published.name,
            "year": report.published.year,
            "published_in": report.published.source,
            "licence": report.published.licence,
            "secondary": report.published.secondary,
        },
        "metrics": [_metric(metric) for metric in report.metrics],
        "score": {
            "value": report.score and report.score.value,
            "previous": report.score_before and report.score_before.value,
            "missing": report.missing,
            "contributions": [
                {"key": contribution.key, "worth": contribution.worth, "points": contribution.points}
                for contribution in (report.score.contributions if report.score else ())
            ],
        },
    }


def _metric(dora_metric: DoraMetric) -> dict[str, Any]:
    metric, band = dora_metric.metric, dora_metric.band
    return {
        "key": metric.key,
        "name": metric.name,
        "version": metric.version,
        "unit_of_measure": metric.unit.value,
        "better": metric.better.value,
        "statistic": metric.statistic.value if metric.statistic else None,
        **figure_document(dora_metric.figure),
        "band": band and {"label": band.label, "names": list(band.names), "between": band.between},
        "previous": figure_document(dora_metric.before),
    }
