"""/api/v1/start/: the guided start, from pilot teams and a starter set to a baseline and three suggestions."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.model_serializers import AnswerSerializer, Named
from core.api.operations import REFUSALS, operation
from insights.api.program_view import ProgramView
from insights.query import windows
from insights.query.enums import UnitOfMeasure
from orgtree.access.access import Access, access_of
from programs.benchmarks.services.current_values import CurrentValue
from programs.benchmarks.services.focusing import STARTER_SETS
from programs.quarters.fiscal_quarters import current_quarter
from programs.start.pilot_teams import (
    DEFAULT_SET,
    MOST_PILOT_TEAMS,
    BaselineOfMetric,
    StartSelection,
    baseline_report,
    check_begins,
    chosen_teams,
    first_steps,
    pilot_teams,
)
from programs.teams.api import LedUnitSerializer
from programs.teams.fields import units_led

PARAMETERS = [
    OpenApiParameter("unit", str, many=True, description="Slugs of pilot teams that you lead, at most three."),
    OpenApiParameter("set", str, enum=list(STARTER_SETS), description=f"Starter set; {DEFAULT_SET} without it."),
]


class StarterSetSerializer(AnswerSerializer):
    set = serializers.CharField(source="slug")
    name = serializers.CharField()
    why = serializers.CharField()
    metrics = serializers.ListField(child=Named("key"))


class BaselineOfTeamSerializer(serializers.Serializer[object]):
    unit = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    sample_size = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_null=True, help_text="Why there is no value.")


class BaselineOfMetricSerializer(serializers.Serializer[object]):
    metric = serializers.CharField()
    name = serializers.CharField()
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure))
    period = serializers.CharField(allow_null=True, help_text="The period of each value, if it grows with time.")
    teams = BaselineOfTeamSerializer(many=True)


class PilotTeamSerializer(AnswerSerializer):
    unit = serializers.CharField(source="unit.slug")
    name = serializers.CharField(source="unit.name")
    focus = serializers.IntegerField(
        source="focus_number", help_text="Number of the focus version that focus/begin/ takes the place of."
    )
    indicators = serializers.ListField(child=serializers.CharField(), help_text="The focus version's key indicators.")
    has_set = serializers.BooleanField(help_text="They are those of the set.")
    objective = serializers.IntegerField(allow_null=True, help_text="The team's mandatory objective of the quarter.")


class StartSerializer(serializers.Serializer[object]):
    set = serializers.CharField()
    quarter = serializers.CharField()
    most_teams = serializers.IntegerField()
    sets = StarterSetSerializer(many=True)
    teams_offered = LedUnitSerializer(many=True, help_text="Units that you lead.")
    baseline = BaselineOfMetricSerializer(
        many=True, help_text="Baselines of the chosen teams; empty before any is chosen."
    )
    teams = PilotTeamSerializer(many=True)


class FirstStepSerializer(AnswerSerializer):
    unit = serializers.CharField(source="unit.slug")
    metric = serializers.CharField(source="metric.key")
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure), source="metric.unit.value")
    value = serializers.FloatField(allow_null=True, source="here.value", help_text="Current value of the team.")
    suggested = serializers.FloatField(source="value")
    gap = serializers.FloatField(help_text="Share of what is suggested: 0.5 is half of it off.")
    kind = serializers.CharField(source="suggestion.kind", help_text="history, peers, ready-made or published.")
    title = serializers.CharField(source="suggestion.title")
    why = serializers.CharField(source="suggestion.why")


class FirstStepsSerializer(serializers.Serializer[object]):
    suggestions = FirstStepSerializer(many=True, help_text="At most three, the farthest first.")


class StartView(ProgramView):
    @operation("v1_start", StartSerializer, parameters=PARAMETERS, errors=REFUSALS)
    def get(self, request: Request) -> Response:
        """Get the teams and starter sets to choose from; for the chosen ones their current values and what has been set
        up.
        """
        access, selection = _params(request)
        quarter = current_quarter()
        return Response(
            {
                "set": selection.chosen.slug,
                "quarter": str(quarter),
                "most_teams": MOST_PILOT_TEAMS,
                "sets": StarterSetSerializer(STARTER_SETS.values(), many=True).data,
                "teams_offered": LedUnitSerializer(units_led(access.visibility), many=True).data,
                "baseline": [_baseline(baseline) for baseline in baseline_report(selection, access)]
                if selection.units
                else [],
                "teams": PilotTeamSerializer(pilot_teams(selection, quarter), many=True).data
                if selection.units
                else [],
            }
        )


class StartSuggestionsView(ProgramView):
    @operation("v1_start_suggestions", FirstStepsSerializer, parameters=PARAMETERS, errors=REFUSALS)
    def get(self, request: Request) -> Response:
        """Suggest three metrics on which the chosen teams are farthest from a suggested value."""
        access, selection = _params(request)
        steps = first_steps(selection.units, selection.chosen.metrics, access, today=windows.local_today())
        return Response({"suggestions": FirstStepSerializer(steps, many=True).data})


def _params(request: Request) -> tuple[Access, StartSelection]:
    """The access and selection of the request.  Raises PermissionDenied, QueryError."""
    access = access_of(request.user)
    check_begins(access.visibility)
    chosen = request.query_params.get("set") or DEFAULT_SET
    return access, chosen_teams(access.visibility, chosen, request.query_params.getlist("unit"))


def _baseline(baseline: BaselineOfMetric) -> dict[str, Any]:
    metric = baseline.query.metric
    return {
        "metric": metric.key,
        "name": metric.name,
        "unit_of_measure": metric.unit.value,
        "period": baseline.query.period or None,
        "teams": [{"unit": unit.slug, **_stand(stand)} for unit, stand in baseline.teams],
    }


def _stand(stand: CurrentValue | None) -> dict[str, Any]:
    if stand is None or stand.value is None:
        reason = stand.reason if stand else "It is not yours to see."
        return {"value": None, "sample_size": None, "reason": reason or None}
    return {"value": stand.value, "sample_size": stand.sample_size, "reason": None}
