"""The choices of the objective form over the API: baselines, parent objectives, filled-in templates, and writable
units; for accounts that can write for a unit.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.model_serializers import AnswerSerializer, ReadSerializer
from core.api.operations import REFUSALS, operation
from core.api.parameters import whole_number
from core.write_errors import FieldError
from insights.api import schema
from insights.api.program_view import ProgramView
from insights.catalogue.registry import find
from insights.privacy.scope_access import check_scope
from insights.query import windows
from insights.query.errors import QueryError
from insights.query.query import Scope, Statistic
from orgtree.access.access import Access, access_of
from programs.alignment.offers import Offer, parents_of, plans_of
from programs.key_results.services.baselines import baseline_previews
from programs.key_results.services.fields import OF_TEMPLATES
from programs.models import ObjectiveTemplate, Quarter, TemplateKeyResult
from programs.objectives.api.objectives import quarter_shown
from programs.objectives.services.templates import key_result_from, objective_from_template, objective_templates
from programs.quarters.fiscal_quarters import day_to_write_for, quarter_of
from programs.requests.fields import parameter
from programs.requests.visible import visible_objective
from programs.teams.api import LedUnitSerializer
from programs.teams.fields import suggested_owners, units_led

ONLY_WRITERS = "This is for the managers of a unit, for executives and for admins."
UNIT = OpenApiParameter("unit", str, description="Slug; default: the whole organisation.")
QUARTER = OpenApiParameter(
    "quarter", str, description="Any date in the quarter (2026-08-01); default: the current one."
)


class TemplateKeyResultSerializer(ReadSerializer[TemplateKeyResult]):
    """A key result of a template, as the API accepts it; a missing baseline is computed."""

    class Meta:
        model = TemplateKeyResult
        fields: tuple[str, ...] = tuple(name for name in OF_TEMPLATES if name != "baseline")
        blank_is_null = ("metric", "statistic")
        extra_kwargs = {
            "metric": {"help_text": "Null: values are entered by hand."},
            "unit_of_measure": {"help_text": "For values entered by hand."},
        }


class FilledKeyResultSerializer(TemplateKeyResultSerializer):
    baseline = serializers.FloatField(allow_null=True, help_text="Null: there were no data, or it is not yours to see.")

    class Meta(TemplateKeyResultSerializer.Meta):
        fields = OF_TEMPLATES


class ObjectiveTemplateSerializer(ReadSerializer[ObjectiveTemplate]):
    template = serializers.CharField(source="slug", help_text="The template's short name, as a new objective takes it.")
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
    @operation("v1_objective_templates", ObjectiveTemplatesSerializer, parameters=(), errors=REFUSALS)
    def get(self, request: Request) -> Response:
        """List the available templates with their key results."""
        return Response(ObjectiveTemplatesSerializer({"templates": objective_templates()}).data)


class BaselinePreviewSerializer(schema.DateRangeSerializer):
    metric = serializers.CharField()
    statistic = serializers.CharField(allow_null=True)
    unit_of_measure = serializers.CharField()
    better = serializers.ChoiceField(choices=schema.BETTER)
    value = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(allow_null=True, help_text="Why there is none.")
    sample_size = serializers.IntegerField()


class OfferedObjectiveSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    of = serializers.ChoiceField(choices=["unit", "above", "organisation", "others"], help_text="Seen from the unit.")


class OfferedObjectivesSerializer(serializers.Serializer[object]):
    objectives = OfferedObjectiveSerializer(many=True, help_text="The nearest first.")


class TemplateDraftSerializer(serializers.Serializer[object]):
    """An objective filled in from a template, as the API accepts it."""

    template = serializers.CharField()
    unit = serializers.CharField(allow_null=True)
    quarter = serializers.DateField(help_text="Its first day.")
    title = serializers.CharField()
    description = serializers.CharField()
    key_results = FilledKeyResultSerializer(many=True)


class SuggestedOwnerSerializer(AnswerSerializer):
    name = serializers.CharField(source="full_name")
    email = serializers.CharField()


class WritingForSerializer(serializers.Serializer[object]):
    whole_organisation = serializers.BooleanField(help_text="One writes for all of it, too: `unit` is null then.")
    units = LedUnitSerializer(many=True)
    owners = SuggestedOwnerSerializer(many=True, help_text="People of these units, at most 200.")


class BaselineView(ProgramView):
    @operation(
        "v1_objective_baseline",
        BaselinePreviewSerializer,
        parameters=[
            OpenApiParameter("metric", str, required=True),
            OpenApiParameter("statistic", str, enum=list(Statistic)),
            UNIT,
            QUARTER,
        ],
    )
    def get(self, request: Request) -> Response:
        """Preview the baseline of a key result: the metric's value in the days before the quarter."""
        access, statistic = _writer(request), parameter(request, "statistic")
        metric = find(parameter(request, "metric"))
        if metric is None:
            raise QueryError("metric", "It is required: the key of a metric.")
        if statistic and statistic not in set(Statistic):
            raise QueryError("statistic", f"One of: {', '.join(Statistic)}.")
        unit = parameter(request, "unit") or None
        check_scope(Scope(unit), access)
        queries, today = [(metric.key, statistic)], windows.local_today()
        [previews] = baseline_previews(queries, unit, _quarter(request), access, today=today)
        return Response(
            {
                "metric": metric.key,
                "statistic": statistic or None,
                "unit_of_measure": metric.unit.value,
                "better": metric.better.value,
                "value": previews.value,
                "reason": None if previews.value is not None else previews.reason or "No data.",
                "sample_size": 0 if previews.value is None else previews.sample_size,
                "from": previews.window.start,
                "to": previews.window.end,
            }
        )


class ParentsView(ProgramView):
    @operation(
        "v1_objective_parents",
        OfferedObjectivesSerializer,
        parameters=[
            UNIT,
            QUARTER,
            OpenApiParameter("objective", int, description="The one that is to serve another, left out of the answer."),
        ],
    )
    def get(self, request: Request) -> Response:
        """List the possible parent objectives for a unit and quarter."""
        access = _writer(request)
        known = None
        if parameter(request, "objective"):
            known = visible_objective(whole_number(request, "objective", 1, 2**31 - 1), access)
        quarter = quarter_shown(parameter(request, "quarter"))
        offers = parents_of(access.visibility, parameter(request, "unit") or None, quarter, known=known)
        return Response(_offered(offers))


class PlansView(ProgramView):
    @operation("v1_ticket_plans", OfferedObjectivesSerializer, parameters=[UNIT])
    def get(self, request: Request) -> Response:
        """List the objectives whose improvement plan a ticket of the unit can join."""
        access = _writer(request)
        return Response(_offered(plans_of(access.visibility, parameter(request, "unit") or None)))


class TemplateDraftView(ProgramView):
    @operation("v1_objective_from_template", TemplateDraftSerializer, parameters=[UNIT, QUARTER])
    def get(self, request: Request, template: str) -> Response:
        """Fill in a template for a unit, with the baselines that the viewer may see and the targets computed
        from them.
        """
        access, quarter = _writer(request), _quarter(request)
        try:
            filled = objective_from_template(template, parameter(request, "unit") or None, quarter, access)
        except FieldError as problem:
            if problem.field == "template":
                raise NotFound from None
            raise QueryError(problem.field, problem.message) from None
        return Response(TemplateDraftSerializer({**filled, "quarter": quarter.start}).data)


class WritingForView(ProgramView):
    @operation("v1_writing_for", WritingForSerializer, parameters=())
    def get(self, request: Request) -> Response:
        """List the units for which the viewer can write objectives and tickets, and their possible owners."""
        visibility = self.access.visibility
        units, owners = (units_led(visibility), suggested_owners(visibility)) if visibility.leads_any else ([], [])
        return Response(
            {
                "whole_organisation": visibility.leads_whole,
                "units": LedUnitSerializer(units, many=True).data,
                "owners": SuggestedOwnerSerializer(owners, many=True).data,
            }
        )


def _writer(request: Request) -> Access:
    """The access of a request.  Raises PermissionDenied if it can write for no unit."""
    access = access_of(request.user)
    if not access.visibility.leads_any:
        raise PermissionDenied(ONLY_WRITERS)
    return access


def _quarter(request: Request) -> Quarter:
    """The quarter of the request; a missing one is not stored."""
    word = parameter(request, "quarter")
    return quarter_shown(word) or quarter_of(day_to_write_for(word))


def _offered(offers: list[Offer]) -> dict[str, Any]:
    return {
        "objectives": [
            {
                "id": objective.pk,
                "title": objective.title,
                "unit": objective.unit.slug if objective.unit else None,
                "of": offer.of,
            }
            for offer in offers
            for objective in offer.objectives
        ]
    }
