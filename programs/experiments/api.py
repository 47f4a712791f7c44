"""/api/v1/experiments/, including pilots, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import sent_object
from core.api.model_serializers import ReadSerializer
from core.api.operations import operation
from core.api.resources import Documents, ListCreate, ReadChange, changes_of
from insights.api.program_view import ProgramView
from insights.models import Finding
from orgtree.models import Unit
from programs.experiments.queries import (
    ExperimentFilters,
    experiment_rows,
    visible_experiment,
    visible_figures,
    visible_results,
)
from programs.experiments.services.pilots import widen
from programs.experiments.services.writing import (
    ExperimentWriteSerializer,
    add_experiment,
    change_experiment,
    remove_experiment,
)
from programs.models import (
    Experiment,
    ExperimentResult,
    ExperimentState,
    ExperimentVerdict,
    Objective,
    PilotFigure,
    Ticket,
)
from programs.teams.fields import LedUnitField, OwnerField


class GuardRailSerializer(serializers.Serializer[object]):
    """The difference of a guard rail; null if there was too little data."""

    metric = serializers.CharField()
    verdict = serializers.ChoiceField(choices=ExperimentVerdict.choices)
    value = serializers.FloatField(required=False)
    low = serializers.FloatField(required=False)
    high = serializers.FloatField(required=False)


class WeekSerializer(serializers.Serializer[object]):
    week = serializers.IntegerField(help_text="From the start; negative before it.")
    value = serializers.FloatField(required=False)
    low = serializers.FloatField(required=False)
    high = serializers.FloatField(required=False)


class ExperimentResultSerializer(ReadSerializer[ExperimentResult]):
    """The difference in differences, treated minus compared units, with 95 % intervals, in the metric's unit."""

    verdict = serializers.ChoiceField(choices=ExperimentVerdict.choices)
    guard_rails = GuardRailSerializer(many=True)
    by_week = WeekSerializer(many=True)

    class Meta:
        model = ExperimentResult
        fields = (
            *("verdict", "reason", "effect", "low", "high", "trend_low", "trend_high", "guard_rails", "by_week"),
            *("metric_version", "measured_at"),
        )


class PilotFigureSerializer(ReadSerializer[PilotFigure]):
    """A figure of a pilot's unit over a range of days, with a 95 % interval, in the metric’s unit."""

    class Meta:
        model = PilotFigure
        fields = (
            *("unit", "metric", "is_at_end", "first_day", "end_day", "value", "low", "high", "sample_size", "reason"),
            *("metric_version", "measured_at"),
        )


class WidenSerializer(serializers.Serializer[object]):
    units = serializers.ListField(child=serializers.CharField(), help_text="Slugs of the units that take it up next.")
    starts_on = serializers.DateField(required=False, help_text="A Monday; without it the next one.")
    weeks = serializers.IntegerField(required=False, help_text="After the start; without it as in the pilot.")


class ExperimentSerializer(ReadSerializer[Experiment]):
    unit = LedUnitField("Experiments", help_text="Slug; null: the whole organisation.")
    owner = OwnerField(help_text="E-mail address; null: nobody.")
    guard_rails = serializers.ListField(child=serializers.CharField())
    treated = serializers.SerializerMethodField(help_text="Slugs of those that you may see, in the order of starts.")
    compared = serializers.SerializerMethodField(help_text="Slugs of those that you may see.")
    state = serializers.SerializerMethodField()
    finding = serializers.SerializerMethodField(help_text="Null: none, or not yours to see.")
    ticket = serializers.SerializerMethodField(help_text="Null: none, or not yours to see.")
    objective = serializers.SerializerMethodField(help_text="Null: none, or not yours to see.")
    widens = serializers.SerializerMethodField(help_text="The pilot whose next stage it is. Null: none, or not yours.")
    figures = serializers.SerializerMethodField(help_text="Figures of a pilot, as far as you may see them.")
    result = serializers.SerializerMethodField(help_text="Null: it is not over, or not yours to see.")

    class Meta:
        model = Experiment
        fields = (
            *("id", "title", "change", "unit", "owner", "metric", "guard_rails", "treated", "compared", "starts_on"),
            *("weeks", "step_weeks", "ends_on", "state", "finding", "ticket", "objective", "is_pilot", "widens"),
            *("learned", "result", "figures", "version", "written_at"),
        )

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_treated(self, experiment: Experiment) -> list[str]:
        return [slug for slug in experiment.treated if slug in self.context["units"]]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_compared(self, experiment: Experiment) -> list[str]:
        return [slug for slug in experiment.compared if slug in self.context["units"]]

    @extend_schema_field(serializers.ChoiceField(choices=ExperimentState.choices))
    def get_state(self, experiment: Experiment) -> str:
        return experiment.state(self.context["today"]).value

    def get_finding(self, experiment: Experiment) -> int | None:
        return experiment.finding_id if experiment.finding_id in self.context["findings"] else None

    def get_ticket(self, experiment: Experiment) -> int | None:
        return experiment.ticket_id if experiment.ticket_id in self.context["tickets"] else None

    def get_objective(self, experiment: Experiment) -> int | None:
        return experiment.objective_id if experiment.objective_id in self.context["objectives"] else None

    def get_widens(self, experiment: Experiment) -> int | None:
        return experiment.widens_id if experiment.widens_id in self.context["widened"] else None

    @extend_schema_field(PilotFigureSerializer(many=True))
    def get_figures(self, experiment: Experiment) -> list[dict[str, Any]]:
        return [*PilotFigureSerializer(self.context["figures"][experiment.pk], many=True).data]

    @extend_schema_field(ExperimentResultSerializer(allow_null=True))
    def get_result(self, experiment: Experiment) -> dict[str, Any] | None:
        result = self.context["results"].get(experiment.pk)
        return dict(ExperimentResultSerializer(result).data) if result else None


class Experiments(ProgramView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_experiments", "Experiments that the viewer may see, the latest first."),
        "csv": ("v1_experiments_csv", "The experiments as a CSV file."),
        "create": ("v1_experiment_add", "Plan an experiment."),
        "retrieve": ("v1_experiment", "One experiment."),
        "partial_update": (
            "v1_experiment_change",
            "Change what is named; once it has started, only owner, links and what was learned.",
        ),
        "destroy": ("v1_experiment_remove", "Remove an experiment that has not started."),
    }
    plural = "experiments"
    filters = ExperimentFilters
    serializer = ExperimentSerializer
    write_serializer = ExperimentWriteSerializer
    changes = changes_of(ExperimentWriteSerializer)
    find = staticmethod(visible_experiment)
    add = staticmethod(add_experiment)
    change = staticmethod(change_experiment)
    remove = staticmethod(remove_experiment)
    file_rows = staticmethod(experiment_rows)

    @operation("v1_experiment_widen", {status.HTTP_201_CREATED: ExperimentSerializer}, request=WidenSerializer)
    def widen(self, request: Request, pk: int) -> Response:
        """Plan the next stage of a finished pilot: further units, some units left out for comparison, and a ticket."""
        stage = widen(self.access, visible_experiment(pk, self.access), sent_object(request))
        return self.answer(stage.pk, status.HTTP_201_CREATED)

    def documents(self, records: Sequence[Experiment]) -> Documents:
        visibility = self.access.visibility
        slugs = {slug for one in records for slug in (*one.treated, *one.compared)}
        context = {
            "access": self.access,
            "today": self.today,
            "results": visible_results(records, self.access),
            "figures": visible_figures(records, self.access),
            "widened": {
                *Experiment.objects.within(visibility)
                .filter(pk__in=[one.widens_id for one in records if one.widens_id])
                .values_list("pk", flat=True)
            },
            "units": {*Unit.objects.within(visibility).filter(slug__in=slugs).values_list("slug", flat=True)},
            **{
                f"{name}s": {
                    *model.objects.within(visibility)
                    .filter(pk__in=[getattr(one, f"{name}_id") for one in records if getattr(one, f"{name}_id")])
                    .values_list("pk", flat=True)
                }
                for name, model in (("finding", Finding), ("ticket", Ticket), ("objective", Objective))
            },
        }
        return [dict(one) for one in ExperimentSerializer(records, many=True, context=context).data]
