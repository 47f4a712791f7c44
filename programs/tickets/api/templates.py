"""/api/v1/tickets/templates/: what tickets can be begun from."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.parameters import only
from insights.catalogue.registry import metrics
from programs.models import BottleneckKind, Nature, TicketTemplate
from programs.requests.program_view import REFUSALS, ProgramView


class TicketTemplateSerializer(serializers.Serializer[object]):
    title = serializers.CharField(help_text="Opportunity or challenge.")
    nature = serializers.ChoiceField(choices=Nature.choices)
    kind = serializers.ChoiceField(choices=BottleneckKind.choices)
    resolution = serializers.CharField(help_text="What has helped. Markdown.")
    metric = serializers.CharField(allow_null=True)
    days = serializers.IntegerField(help_text="From its start to its due day.")


class TicketTemplatesSerializer(serializers.Serializer[object]):
    templates = TicketTemplateSerializer(many=True)


class TicketTemplatesView(ProgramView):
    @extend_schema(operation_id="v1_ticket_templates", responses={200: TicketTemplatesSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """The tickets that are offered to begin from."""
        only(request)
        known = {metric.key for metric in metrics()}
        documents = [
            {
                **{name: getattr(template, name) for name in ("title", "nature", "kind", "resolution", "days")},
                "metric": template.metric if template.metric in known else None,
            }
            for template in TicketTemplate.objects.filter(is_offered=True)
        ]
        return Response({"templates": documents})
