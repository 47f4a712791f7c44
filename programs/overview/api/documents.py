"""The program overview as JSON: the four steps, the nine bottlenecks, and the viewer's open work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.model_serializers import AnswerSerializer, TextOrNull
from insights.api import schema
from insights.pages.delivery.lead_time import bottleneck_in, slowest_of
from insights.query.enums import UnitOfMeasure
from insights.ui.filters import Filters
from programs.models import BottleneckKind, ObjectiveStatus, Quarter
from programs.objectives.queries.objectives import ObjectiveProgress
from programs.overview.services.bottlenecks import Bottlenecks, Judgement
from programs.overview.services.my_work import Work
from programs.overview.services.steps import DORA, Steps
from programs.tickets.api.documents import TicketSerializer, ticket_documents

STEP_STATES = ["done", "here", "next"]
JUDGEMENTS = [judgement.value for judgement in Judgement]


class StepSerializer(serializers.Serializer[object]):
    state = serializers.ChoiceField(choices=STEP_STATES, help_text="here: the first one that is not done.")
    missing = serializers.ListField(child=serializers.CharField(), help_text="The parts that are missing.")


class VisibilitySerializer(StepSerializer):
    told = serializers.ListField(child=serializers.CharField(), help_text="Kinds of tools that tell of the unit.")
    missing_for_dora = serializers.ListField(child=serializers.CharField())


class AgreedSerializer(StepSerializer):
    """`missing` lists those of the five DORA metrics that have no benchmark."""

    own = serializers.IntegerField(help_text="Metrics with a benchmark of the unit's own.")
    inherited = serializers.IntegerField(help_text="Metrics with one from above.")


class NextTargetSerializer(StepSerializer):
    metric = serializers.CharField(allow_null=True, help_text="The focus metric.")
    indicators = serializers.ListField(child=serializers.CharField())


class IterateSerializer(StepSerializer):
    objectives = serializers.DictField(child=serializers.IntegerField(), help_text="Number of objectives by status.")
    tickets = serializers.IntegerField(help_text="Number of open tickets.")
    overdue = serializers.IntegerField()
    finished = serializers.IntegerField(help_text="Tickets completed in the quarter.")


class OfScopeSerializer(schema.DateRangeSerializer):
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")


class OverviewSerializer(OfScopeSerializer):
    quarter = serializers.CharField()
    visibility = VisibilitySerializer()
    benchmarks = AgreedSerializer()
    next_target = NextTargetSerializer()
    iterate = IterateSerializer()


class SignSerializer(AnswerSerializer):
    metric = serializers.CharField(source="key")
    judgement = serializers.ChoiceField(choices=JUDGEMENTS, source="judgement.value")
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure), source="unit_of_measure.value")
    value = serializers.FloatField(allow_null=True, source="figure.value")
    before = serializers.FloatField(
        allow_null=True, source="before.value", help_text="In the window before, of the same length."
    )
    threshold = serializers.FloatField(allow_null=True, help_text="The threshold, if it applies to this figure.")
    sample_size = serializers.IntegerField(allow_null=True, help_text="Null where withheld.")
    reason = TextOrNull(help_text="Why there is no value, or what it would need.")


class MovedSerializer(AnswerSerializer):
    people = serializers.IntegerField()
    moved = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="0–100.")
    reason = TextOrNull()


class BottleneckSerializer(AnswerSerializer):
    key = serializers.CharField(source="bottleneck.key")
    kind = serializers.ChoiceField(choices=BottleneckKind.choices, source="bottleneck.kind")
    name = serializers.CharField(source="bottleneck.name")
    asks = serializers.CharField(source="bottleneck.asks")
    judgement = serializers.ChoiceField(
        choices=JUDGEMENTS, source="judgement.value", help_text="The judgement of its worst sign."
    )
    signs = SignSerializer(many=True)
    changed_units = MovedSerializer(allow_null=True, source="moved", help_text="For reorganisations only.")


class SlowestSerializer(AnswerSerializer):
    pull_request = serializers.IntegerField(help_text="Headway's number of it.")
    title = serializers.CharField()
    seconds = serializers.FloatField(help_text="Waiting time.")


class WithSlowestSerializer(schema.LeadTimeBottleneckSerializer):
    slowest = SlowestSerializer(
        many=True, help_text="The slowest pull requests, if they alone make it the longest wait; else empty."
    )


class BottlenecksSerializer(OfScopeSerializer):
    lead_time = WithSlowestSerializer(help_text="The bottleneck of lead time, by its stages.")
    bottlenecks = BottleneckSerializer(many=True)
    tickets = serializers.DictField(child=serializers.IntegerField(), help_text="Number of open tickets by kind.")
    explained_elsewhere = serializers.BooleanField(help_text="Process or tooling show a sign: look there first.")


class OwnObjectiveSerializer(AnswerSerializer):
    objective = serializers.IntegerField(source="objective.pk")
    title = serializers.CharField(source="objective.title")
    unit = serializers.CharField(allow_null=True, source="objective.unit.slug")


class CheckInDueSerializer(OwnObjectiveSerializer):
    due = serializers.DateField(source="check_in_due")
    days_late = serializers.SerializerMethodField()

    def get_days_late(self, progress: ObjectiveProgress) -> int:
        today: date = self.context["today"]
        return max(0, (today - (progress.check_in_due or today)).days)


class AtRiskSerializer(OwnObjectiveSerializer):
    standing = serializers.ChoiceField(choices=ObjectiveStatus.choices, source="shown")


class TeamWithoutSerializer(AnswerSerializer):
    unit = serializers.CharField(source="slug")
    name = serializers.CharField()


class MyWorkSerializer(AnswerSerializer):
    quarter = serializers.SerializerMethodField()
    tickets = serializers.SerializerMethodField(help_text="Yours to do, by due date.")
    tickets_total = serializers.IntegerField()
    check_ins = CheckInDueSerializer(many=True, help_text="Due within a week, or late.")
    objectives_at_risk = AtRiskSerializer(many=True, source="at_risk")
    teams_without_objective = serializers.IntegerField(
        source="teams_total", help_text="Number of teams that you lead without one; objectives/missing/ lists all."
    )
    first_teams_without_objective = TeamWithoutSerializer(many=True, source="teams")
    overdue_in_teams = serializers.IntegerField(help_text="Other people's overdue tickets in units that you manage.")

    def get_quarter(self, _work: Work) -> str:
        return str(self.context["quarter"])

    @extend_schema_field(TicketSerializer(many=True))
    def get_tickets(self, work: Work) -> list[dict[str, Any]]:
        return ticket_documents(work.tickets, self.context["access"])


def overview_document(steps: Steps, filters: Filters, quarter: Quarter) -> dict[str, Any]:
    names = ("visibility", "benchmarks", "next_target", "iterate")
    state = dict(zip(names, steps.states, strict=True))
    visibility, agreed, following, doing = steps.visibility, steps.agreed, steps.next_target, steps.doing
    unchosen = {"focus metric": following.metric, "key indicators": following.indicators}
    unbegun = {"objectives": sum(doing.objectives.values()), "tickets": doing.tickets or doing.finished}
    return {
        **_scope(filters),
        "quarter": str(quarter),
        "visibility": {
            "state": state["visibility"],
            "told": visibility.provided,
            "missing": visibility.missing,
            "missing_for_dora": visibility.missing_for_dora,
        },
        "benchmarks": {
            "state": state["benchmarks"],
            "own": agreed.own,
            "inherited": agreed.inherited,
            "missing": [key for key in DORA if key not in agreed.of_dora],
        },
        "next_target": {
            "state": state["next_target"],
            "metric": following.metric or None,
            "indicators": following.indicators,
            "missing": _without(unchosen),
        },
        "iterate": {
            "state": state["iterate"],
            "objectives": {status: doing.objectives.get(status, 0) for status in ObjectiveStatus.values},
            "tickets": doing.tickets,
            "overdue": doing.overdue,
            "finished": doing.finished,
            "missing": _without(unbegun),
        },
    }


def bottlenecks_document(bottlenecks: Bottlenecks) -> dict[str, Any]:
    return {
        **_scope(bottlenecks.answers.filters),
        "lead_time": {
            **schema.LeadTimeBottleneckSerializer(bottleneck_in(bottlenecks.answers)).data,
            "slowest": [
                {"pull_request": row["fact_id"], "title": row["title"], "seconds": row["contribution"]}
                for row in slowest_of(bottlenecks.answers)
            ],
        },
        "bottlenecks": BottleneckSerializer(bottlenecks.assessments, many=True).data,
        "tickets": {kind: bottlenecks.tickets.get(kind, 0) for kind in BottleneckKind.values},
        "explained_elsewhere": bottlenecks.explained_elsewhere,
    }


def _scope(filters: Filters) -> dict[str, Any]:
    return {"unit": filters.scope.unit_word, "from": filters.window.start, "to": filters.window.end}


def _without(there_is: Mapping[str, object]) -> list[str]:
    return [name for name, value in there_is.items() if not value]
