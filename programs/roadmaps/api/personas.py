"""/api/v1/roadmap/personas/: the metrics that matter to each persona by quarter, with a unit's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.operations import operation
from core.write_errors import FieldError
from insights.api import schema
from insights.api.program_view import ProgramView
from insights.pages.answers import Answers
from insights.privacy.scope_access import check_scope
from insights.query import windows
from insights.query.query import Scope
from insights.ui.filters import Filters
from orgtree.access.access import Access
from programs.models import Persona, PersonaMetric
from programs.requests.fields import parameter
from programs.roadmaps.services.personas import (
    PERIOD,
    all_personas,
    in_period,
    measured_metric,
    own_persona,
    persona_figures,
    why_unmeasured,
)

PARAMETERS = [
    OpenApiParameter("unit", str, description="Slug; default: the whole organisation."),
    OpenApiParameter("period", str, enum=list(PERIOD.options), description="Default: the last complete quarter."),
]


class PersonaMetricSerializer(serializers.ModelSerializer[PersonaMetric]):
    """A metric in a persona's quarter, with values in its unit of measure; null if there is none (`reason`)."""

    value = serializers.FloatField(allow_null=True)
    before = serializers.FloatField(allow_null=True, help_text="In the quarter before, or the same part of it.")
    reason = serializers.CharField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)
    target = serializers.FloatField(allow_null=True)

    class Meta:
        model = PersonaMetric
        fields = ("quarter", "label", "metric", "value", "before", "reason", "threshold", "target")
        read_only_fields = fields


class PersonaSerializer(serializers.ModelSerializer[Persona]):
    own = serializers.BooleanField(help_text="It is the persona of whoever asks.")
    metrics = PersonaMetricSerializer(many=True)

    class Meta:
        model = Persona
        fields = ("slug", "name", "own", "metrics")
        read_only_fields = fields


class PersonaRoadmapSerializer(schema.DateRangeSerializer):
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    personas = PersonaSerializer(many=True)


class PersonaRoadmapView(ProgramView):
    @operation("v1_persona_roadmap", PersonaRoadmapSerializer, parameters=PARAMETERS)
    def get(self, request: Request) -> Response:
        """List the personas with the metrics of their four quarters, and a unit's values."""
        access, personas = self.access, all_personas()
        filters = in_period(_filters(request, access))
        figures = persona_figures(personas, filters)
        own = own_persona(personas, access)
        return Response(
            {
                "unit": filters.scope.unit,
                "from": filters.window.start,
                "to": filters.window.end,
                "personas": [_persona_document(persona, figures, own) for persona in personas],
            }
        )


def _filters(request: Request, access: Access) -> Filters:
    """The filters of the request.  Raises FieldError, also for scopes that the viewer may not see."""
    period = parameter(request, "period") or PERIOD.default
    if period not in PERIOD.options:
        raise FieldError("period", f"One of: {', '.join(PERIOD.options)}.")
    scope, today = Scope.of_unit(parameter(request, "unit")), windows.local_today()
    check_scope(scope, access)
    window = windows.quarter_of(today)
    return Filters("quarter", window, today, access, scope, picked={PERIOD.parameter: period}, choices=(PERIOD,))


def _persona_document(persona: Persona, figures: Answers, own: Persona | None) -> dict[str, Any]:
    metrics = [_metric_document(row, figures) for row in persona.metrics.all()]
    return {"slug": persona.slug, "name": persona.name, "own": persona == own, "metrics": metrics}


def _metric_document(row: PersonaMetric, figures: Answers) -> Mapping[str, Any]:
    said = {"quarter": row.quarter, "label": row.label, "metric": row.metric}
    if measured_metric(row.metric) is None:
        return {
            **said,
            **dict.fromkeys(("value", "before", "threshold", "target")),
            "reason": why_unmeasured(row.metric),
        }
    figure, agreed = figures.figure(row.metric), figures.agreed.get(row.metric)
    return {
        **said,
        "value": figure.value,
        "before": figures.figure_before(row.metric).value,
        "reason": figure.reason,
        "threshold": agreed.threshold if agreed else None,
        "target": agreed.target if agreed else None,
    }
