"""/api/v1/objectives/templates/: what objectives can be begun from."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.parameters import only
from insights.api import schema
from programs.models import KeyResult, TargetKind
from programs.objectives.services.drafts import KeyResultDraft
from programs.objectives.services.templates import key_result_from, objective_templates
from programs.requests.program_view import ProgramView

ERRORS = dict.fromkeys((400, 401, 403), schema.ErrorsSerializer)


class TemplateKeyResultSerializer(serializers.Serializer[object]):
    """As an objective that is written takes it; a baseline that is not given is computed."""

    title = serializers.CharField()
    metric = serializers.CharField(allow_null=True, help_text="Null: values are entered by hand.")
    statistic = serializers.CharField(allow_null=True)
    unit_of_measure = serializers.CharField(help_text="Of what is entered by hand.")
    better = serializers.ChoiceField(choices=KeyResult.Better.choices)
    target_kind = serializers.ChoiceField(choices=TargetKind.choices)
    target = serializers.FloatField(allow_null=True)
    change_percent = serializers.FloatField(allow_null=True)


class FilledKeyResultSerializer(TemplateKeyResultSerializer):
    baseline = serializers.FloatField(allow_null=True, help_text="Null: there were no data, or it is not yours to see.")


class ObjectiveTemplateSerializer(serializers.Serializer[object]):
    template = serializers.CharField(help_text="Its short name, as an objective that is written takes it.")
    name = serializers.CharField()
    meaning = serializers.CharField(help_text="For whom it is.")
    title = serializers.CharField()
    description = serializers.CharField(help_text="Markdown.")
    key_results = TemplateKeyResultSerializer(many=True)


class ObjectiveTemplatesSerializer(serializers.Serializer[object]):
    templates = ObjectiveTemplateSerializer(many=True)


class ObjectiveTemplatesView(ProgramView):
    @extend_schema(operation_id="v1_objective_templates", responses={200: ObjectiveTemplatesSerializer, **ERRORS})
    def get(self, request: Request) -> Response:
        """The objectives that are offered to begin from, with their key results."""
        only(request)
        documents = [
            {
                "template": template.slug,
                **{name: getattr(template, name) for name in ("name", "meaning", "title", "description")},
                "key_results": [
                    key_result_document(key_result_from(outcome)) for outcome in template.key_results.all()
                ],
            }
            for template in objective_templates()
        ]
        return Response({"templates": documents})


def key_result_document(draft: KeyResultDraft) -> dict[str, object]:
    return {
        **{name: getattr(draft, name) for name in ("title", "unit_of_measure", "better", "target_kind")},
        **{name: getattr(draft, name) for name in ("target", "change_percent")},
        "metric": draft.metric or None,
        "statistic": draft.statistic or None,
    }
