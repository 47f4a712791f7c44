"""/api/v1/objectives/templates/: what objectives can be begun from."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.model_serializers import ReadSerializer
from core.api.parameters import only
from programs.key_results.services.fields import FIELDS
from programs.models import ObjectiveTemplate, TemplateKeyResult
from programs.objectives.services.templates import key_result_from, objective_templates
from programs.requests.program_view import REFUSALS, ProgramView


class TemplateKeyResultSerializer(ReadSerializer[TemplateKeyResult]):
    """As an objective that is written takes it; a baseline that is not given is computed."""

    class Meta:
        model = TemplateKeyResult
        fields: tuple[str, ...] = tuple(name for name in FIELDS if name != "baseline")
        blank_is_null = ("metric", "statistic")
        extra_kwargs = {
            "metric": {"help_text": "Null: values are entered by hand."},
            "unit_of_measure": {"help_text": "Of what is entered by hand."},
        }


class FilledKeyResultSerializer(TemplateKeyResultSerializer):
    baseline = serializers.FloatField(allow_null=True, help_text="Null: there were no data, or it is not yours to see.")

    class Meta(TemplateKeyResultSerializer.Meta):
        fields = FIELDS


class ObjectiveTemplateSerializer(ReadSerializer[ObjectiveTemplate]):
    template = serializers.CharField(
        source="slug", help_text="Its short name, as an objective that is written takes it."
    )
    key_results = serializers.SerializerMethodField()

    class Meta:
        model = ObjectiveTemplate
        fields = ("template", "name", "meaning", "title", "description", "key_results")

    @extend_schema_field(TemplateKeyResultSerializer(many=True))
    def get_key_results(self, template: ObjectiveTemplate) -> list[dict[str, Any]]:
        rows: Any = [key_result_from(outcome) for outcome in template.key_results.all()]
        return list(TemplateKeyResultSerializer(rows, many=True).data)


class ObjectiveTemplatesSerializer(serializers.Serializer[object]):
    templates = ObjectiveTemplateSerializer(many=True)


class ObjectiveTemplatesView(ProgramView):
    @extend_schema(operation_id="v1_objective_templates", responses={200: ObjectiveTemplatesSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """The objectives that are offered to begin from, with their key results."""
        only(request)
        return Response(ObjectiveTemplatesSerializer({"templates": objective_templates()}).data)
