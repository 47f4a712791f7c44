"""Closed quarters as JSON: the frozen content that the reader may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from core.api.model_serializers import (
    AnswerSerializer,
    BodySerializer,
    Choice,
    Named,
    RecordSerializer,
    Text,
    TextOrNull,
)
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from orgtree.models import Person
from programs.closing.services.frozen import (
    FrozenCheckIn,
    FrozenObjective,
    FrozenQuarter,
    FrozenTicket,
    read_frozen,
)
from programs.models import CheckIn, Objective, ObjectiveStatus, Quarter, TicketState
from programs.objectives.api.documents import MeasuredKeyResultSerializer, QuarterSerializer
from programs.requests.fields import ByIdField
from programs.requests.model_fields import AccountField


class FrozenKeyResultSerializer(MeasuredKeyResultSerializer):
    """A key result at the close of its quarter; `value` is null if there was none (`reason`) or you may not see it."""

    metric_version = serializers.IntegerField(allow_null=True)
    score = serializers.FloatField(allow_null=True)

    class Meta(MeasuredKeyResultSerializer.Meta):
        fields = (*MeasuredKeyResultSerializer.Meta.fields, "metric_version", "score")


class AddressField(serializers.CharField):
    """The current e-mail address of a person, by id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return self.context["addresses"].get(value)


class FrozenCheckInSerializer(RecordSerializer):
    by = AccountField(source="account", help_text="Null: a deleted account, or before a token of nobody.")
    confidence = serializers.ChoiceField(choices=CheckIn.Confidence.choices)

    class Meta:
        record = FrozenCheckIn
        fields = ("at", "by", "confidence", "note", "key_result", "value")


class FrozenTicketSerializer(RecordSerializer):
    state = serializers.ChoiceField(choices=TicketState.choices)

    class Meta:
        record = FrozenTicket
        fields = ("id", "title", "state", "due_on", "completed_on")


class FrozenObjectiveSerializer(RecordSerializer):
    description = serializers.CharField(help_text="Markdown.")
    unit = TextOrNull(source="unit.slug", help_text="Slug; null: the whole organisation.")
    owner = AddressField(help_text="E-mail address.")
    parent = serializers.IntegerField(  # type: ignore[assignment]  # DRF takes it from the class
        allow_null=True, source="parent.id", help_text="The objective that it served, if you may see it."
    )
    dropped_why = TextOrNull()
    standing = serializers.ChoiceField(choices=ObjectiveStatus.choices)
    computed = serializers.ChoiceField(choices=ObjectiveStatus.choices)
    override_reason = TextOrNull()
    carry_over = serializers.ChoiceField(choices=Objective.CarryOver.choices)
    retrospective = serializers.CharField(help_text="Markdown.")
    key_results = FrozenKeyResultSerializer(many=True)
    check_ins = FrozenCheckInSerializer(many=True)
    tickets = FrozenTicketSerializer(many=True)

    class Meta:
        record = FrozenObjective
        fields = (
            *("id", "title", "description", "unit", "owner", "is_mandatory", "parent", "is_dropped", "dropped_why"),
            *("standing", "computed", "why", "override_reason", "progress", "score", "carry_over", "retrospective"),
            *("key_results", "check_ins", "tickets"),
        )


class FrozenQuarterSerializer(RecordSerializer):
    closed_by = AccountField(help_text="The account that closed the quarter, named like a check-in's `by`.")
    forced_because = TextOrNull()
    retrospective = serializers.CharField(help_text="Markdown.")
    score = serializers.FloatField(allow_null=True, help_text="The mean of those scores that are yours to see.")
    objectives = FrozenObjectiveSerializer(many=True)
    teams_without_objective = serializers.ListField(child=Named("slug"), help_text="Slugs.")

    class Meta:
        record = FrozenQuarter
        fields = (*("closed_by", "forced_because", "retrospective", "score", "objectives", "teams_without_objective"),)


class OneQuarterSerializer(QuarterSerializer):
    document = FrozenQuarterSerializer(allow_null=True, help_text="Null while it is open.")


class QuarterKeepSerializer(BodySerializer):
    decisions = ByIdField(
        of="objectives",
        child=Choice(choices=Objective.CarryOver.choices),
        required=False,
        help_text="Decisions by objective id; undecided objectives end.",
    )
    retrospectives = ByIdField(
        of="objectives",
        child=Text(allow_blank=True),
        required=False,
        help_text="Lessons learned, by objective id.",
    )
    retrospective = Text(allow_blank=True, required=False, help_text="Markdown: what the organisation learned.")


class QuarterCloseSerializer(QuarterKeepSerializer):
    forced_because = Text(
        allow_blank=True,
        required=False,
        help_text="Why it is closed before its end, or without a value that is entered by hand.",
    )


class KeptSerializer(serializers.Serializer[object]):
    kept = serializers.IntegerField(help_text="Objectives that were named.")


class ClosingObjectiveSerializer(AnswerSerializer):
    id = serializers.IntegerField(source="objective.pk")
    title = serializers.CharField(source="objective.title")
    unit = serializers.CharField(
        allow_null=True, source="objective.unit.slug", help_text="Slug; null: the whole organisation."
    )
    is_draft = serializers.BooleanField(
        source="objective.is_draft", help_text="It ends with the quarter unless it is carried over."
    )
    standing = serializers.ChoiceField(choices=ObjectiveStatus.choices, allow_null=True, source="shown")
    score = serializers.FloatField(allow_null=True, source="progress")
    carry_over = serializers.ChoiceField(choices=Objective.CarryOver.choices, source="objective.carry_over")
    retrospective = serializers.CharField(source="objective.retrospective", help_text="Markdown.")


class WithoutValueSerializer(AnswerSerializer):
    key_result = serializers.IntegerField(source="pk")
    title = serializers.CharField()
    objective = serializers.IntegerField(source="objective_id")


class ClosingSerializer(AnswerSerializer):
    """A preview of the closed quarter; drafts come last."""

    quarter = serializers.CharField()
    blocks = serializers.ListField(child=serializers.CharField(), help_text="Why it cannot be closed at all.")
    needs_reason = serializers.ListField(
        child=serializers.CharField(), help_text="Reasons that `forced_because` must answer."
    )
    total = serializers.IntegerField(help_text="Published objectives.")
    drafts_total = serializers.IntegerField()
    undecided = serializers.IntegerField(help_text="Published ones of which nobody decided; they end.")
    retrospective = serializers.CharField(
        source="quarter.retrospective", help_text="Markdown: what the organisation learned, as it was kept."
    )
    objectives = ClosingObjectiveSerializer(many=True)
    without_value = WithoutValueSerializer(many=True, help_text="The first of those that are entered by hand.")
    without_value_total = serializers.IntegerField()
    teams_without_objective = serializers.ListField(child=Named("slug"), help_text="Slugs of the first ones.")
    teams_total = serializers.IntegerField()


class MissingTeamSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(help_text="Slug.")
    name = serializers.CharField()
    above = serializers.CharField(allow_null=True, help_text="Name of the unit in which it stands.")
    leader = serializers.CharField(allow_null=True, help_text="Name.")


class MissingTeamsSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    teams = MissingTeamSerializer(many=True)


def quarter_document(quarter: Quarter, access: Access) -> dict[str, Any]:
    """Serialises a quarter read with its document."""
    frozen = read_frozen(quarter.document, access) if quarter.document else None
    return {**QuarterSerializer(quarter).data, "document": _frozen(frozen, access) if frozen else None}


def _frozen(frozen: FrozenQuarter, access: Access) -> dict[str, Any]:
    context = people_of(frozen.objectives, access, accounts=[frozen.closed_by])
    return dict(FrozenQuarterSerializer(frozen, context=context).data)


def people_of(
    objectives: Sequence[FrozenObjective],
    access: Access,
    owners: Iterable[int | None] = (),
    accounts: Iterable[int | None] = (),
) -> dict[str, Any]:
    """The context of the serializers above: current addresses of owners and names of accounts."""
    authors = [check_in.account for objective in objectives for check_in in objective.check_ins]
    people = {*owners, *(objective.owner for objective in objectives)} if access.is_of_account else set()
    named = [person for person in people if person is not None]
    return {
        "addresses": dict(Person.objects.filter(pk__in=named).values_list("pk", "email")),
        "names": account_names([*accounts, *authors], access),
    }


def account_names(accounts: Iterable[int | None], access: Access) -> Mapping[int, str]:
    """Maps account ids to names; empty for a token without an account."""
    known = User.objects.in_bulk({pk for pk in accounts if pk is not None}) if access.is_of_account else {}
    return names_of(list(known.values()))
