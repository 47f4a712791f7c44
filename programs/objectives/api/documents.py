"""Request and response JSON of objectives, key results and check-ins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from core.api.model_serializers import Amount, BodySerializer, Choice, ReadSerializer, Text, WholeNumber
from insights.query import windows
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from programs.alignment.offers import visible_among
from programs.key_results.queries import share_passed
from programs.key_results.services.fields import FIELDS as KEY_RESULT_FIELDS
from programs.models import CheckIn, KeyResult, Objective, ObjectiveStatus
from programs.objectives.queries.objectives import ObjectiveProgress, progress_of
from programs.objectives.services.fields import FIELDS
from programs.quarters.api import CalendarQuarterSerializer
from programs.requests.fields import ByIdField
from programs.requests.model_fields import AccountField
from programs.teams.fields import OwnerField


class ForecastSerializer(serializers.Serializer[object]):
    """The forecast for the quarter's end, with an 80 % interval."""

    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    reached_on = serializers.DateField(allow_null=True, help_text="From when on the target is met.")
    date_50 = serializers.DateField(
        allow_null=True, help_text="The day by which a count of finished items is reached with odds of 50%."
    )
    date_85 = serializers.DateField(allow_null=True)
    date_95 = serializers.DateField(allow_null=True)
    odds = serializers.FloatField(
        allow_null=True, help_text="Odds that a count of finished items is reached by the end of the quarter, 0 to 1."
    )


class KeyResultPointSerializer(serializers.Serializer[object]):
    """A whole week by its Monday; for values entered by hand, the day."""

    day = serializers.DateField()
    value = serializers.FloatField(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        day, value, *_ = instance
        return {"day": day, "value": value}


class MeasuredKeyResultSerializer(ReadSerializer[KeyResult]):
    """A key result's measures while its quarter runs, and after it has closed."""

    baseline = serializers.FloatField(allow_null=True)
    target = serializers.FloatField(allow_null=True)
    value = serializers.FloatField(allow_null=True, help_text="Value of the quarter so far.")
    reason = serializers.CharField(allow_null=True)
    progress = serializers.FloatField(allow_null=True, help_text="Progress from baseline to target, 0 to 1.")
    holds = serializers.BooleanField(allow_null=True, help_text="For guardrails: whether it holds.")
    standing = serializers.ChoiceField(choices=ObjectiveStatus.choices)
    sample_size = serializers.IntegerField()
    points = KeyResultPointSerializer(many=True)

    class Meta:
        model = KeyResult
        fields: tuple[str, ...] = (
            *("id", *KEY_RESULT_FIELDS),
            *("value", "reason", "progress", "holds", "standing", "sample_size", "points"),
        )
        blank_is_null = ("metric", "initiative", "statistic", "reason")
        extra_kwargs = {
            "metric": {"help_text": "Null: read from `initiative`, or entered by hand."},
            "initiative": {"help_text": "Kind and key (`epic:12`) of the initiative whose items count."},
        }


class KeyResultSerializer(MeasuredKeyResultSerializer):
    """Figures are in the unit of measure; null if there is no value (`reason`) or you may not see it."""

    pace = serializers.FloatField(
        allow_null=True, help_text="Projected count at the quarter's end, at the current rate."
    )
    forecast = ForecastSerializer(allow_null=True)
    why = serializers.CharField()
    measured_at = serializers.DateTimeField(allow_null=True)

    class Meta(MeasuredKeyResultSerializer.Meta):
        of = "key_result"
        fields = (
            *MeasuredKeyResultSerializer.Meta.fields,
            *("baseline_from", "baseline_to", "pace", "forecast", "why", "measured_at"),
        )
        extra_kwargs = {
            **MeasuredKeyResultSerializer.Meta.extra_kwargs,
            "baseline_to": {"help_text": "The day after its last."},
        }


class ObjectiveSerializer(ReadSerializer[Objective]):
    quarter = serializers.CharField(source="objective.quarter", help_text="2026-Q3")
    quarter_from = serializers.DateField(source="objective.quarter.start")
    quarter_end = serializers.DateField(source="objective.quarter.end", help_text="The day after its last.")
    quarter_closed = serializers.BooleanField(source="objective.quarter.is_closed")
    unit = serializers.CharField(
        source="objective.unit.slug", allow_null=True, help_text="Slug; null: the whole organisation."
    )
    owner = OwnerField(source="objective.owner", help_text="E-mail address.")
    parent = serializers.SerializerMethodField(  # type: ignore[assignment]  # a field of that name, taken from the class
        help_text="The objective that it serves, if you may see it."
    )
    carried_from = serializers.SerializerMethodField(help_text="One of an earlier quarter, if you may see it.")
    standing = serializers.ChoiceField(
        choices=ObjectiveStatus.choices, source="shown", help_text="The override, where there is one."
    )
    computed = serializers.ChoiceField(choices=ObjectiveStatus.choices)
    why = serializers.CharField()
    progress = serializers.FloatField(allow_null=True, help_text="0–1, the mean of what is no guardrail.")
    expected = serializers.SerializerMethodField(help_text="The share of the quarter that has passed, 0–1.")
    score = serializers.SerializerMethodField(help_text="0–1, when the quarter was closed.")
    confidence = serializers.CharField(
        allow_null=True, help_text="Confidence at the last check-in: high, medium or low."
    )
    check_in_due = serializers.DateField(allow_null=True)
    tickets_open = serializers.IntegerField()
    tickets_overdue = serializers.IntegerField()
    key_results = KeyResultSerializer(many=True)

    class Meta:
        of = "objective"
        model = Objective
        fields: tuple[str, ...] = (
            *("id", *FIELDS, "quarter_from", "quarter_end", "quarter_closed"),
            *("published_at", "dropped_at", "dropped_why"),
            *("carry_over", "retrospective", "carried_from", "standing", "computed", "why", "override_reason"),
            *("progress", "expected", "score", "confidence", "check_in_due", "tickets_open", "tickets_overdue"),
            *("version", "key_results"),
        )
        blank_is_null = ("template", "dropped_why", "override_reason", "confidence")
        extra_kwargs = {
            "is_mandatory": {"help_text": "The team's objective of the quarter."},
            "published_at": {"help_text": "Null: a draft."},
            "version": {"help_text": "Name it when you change the objective."},
        }

    def get_parent(self, progress: ObjectiveProgress) -> int | None:
        return self._if_seen(progress.objective.parent_id)

    def get_carried_from(self, progress: ObjectiveProgress) -> int | None:
        return self._if_seen(progress.objective.carried_from_id)

    def get_expected(self, progress: ObjectiveProgress) -> float:
        return share_passed(progress.objective.quarter.window, windows.local_today())

    def get_score(self, progress: ObjectiveProgress) -> float | None:
        return progress.objective.score if progress.progress is not None else None

    def _if_seen(self, number: int | None) -> int | None:
        return number if number in self.context["seen"] else None


@extend_schema_serializer(many=False)
class ObjectivesSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    standings = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Number of objectives by status, regardless of `standing`, `owner` and `parent`.",
    )
    objectives = ObjectiveSerializer(many=True)


class DropSerializer(BodySerializer):
    why = Text()


class OverrideSerializer(BodySerializer):
    standing = Text(allow_blank=True, help_text="on_track, at_risk or off_track; empty takes it back.")
    reason = Text(allow_blank=True, required=False)


class EndingSerializer(BodySerializer):
    carry_over = Choice(choices=Objective.CarryOver.choices)
    retrospective = Text(allow_blank=True, required=False, help_text="Markdown: what was learned.")


class CheckInSerializer(ReadSerializer[CheckIn]):
    by = AccountField(source="by_id", help_text="Null: a deleted account.")

    class Meta:
        model = CheckIn
        fields = ("id", "at", "by", "confidence", "note", "key_result", "value")


class CheckInsSerializer(serializers.Serializer[object]):
    check_ins = CheckInSerializer(many=True)


class CheckInWriteSerializer(BodySerializer):
    confidence = Choice(choices=CheckIn.Confidence.choices)
    note = Text(allow_blank=True, required=False)
    key_result = WholeNumber(required=False, allow_null=True)
    value = Amount(required=False, allow_null=True, help_text="For a key result entered by hand.")
    values = ByIdField(
        of="key results",
        child=Amount(error_messages={"null": "It must be a number."}),
        required=False,
        allow_empty=False,
        help_text="Values of several key results by id, in place of `key_result` and `value`; all are stored, or none.",
        error_messages={"empty": "Name at least one key result."},
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "values" in attrs and {"key_result", "value"} & set(attrs):
            raise serializers.ValidationError({"values": "Say either values, or one key_result with its value."})
        return attrs


class QuarterSerializer(CalendarQuarterSerializer):
    closed_at = serializers.DateTimeField(allow_null=True, default_timezone=UTC)
    sha256 = serializers.CharField(allow_null=True, source="document.sha256", help_text="SHA-256 of its document.")


class QuartersSerializer(serializers.Serializer[object]):
    quarters = QuarterSerializer(many=True)


def objective_documents(objectives: Sequence[Objective], access: Access) -> list[dict[str, Any]]:
    """Serialises objectives read with quarter, unit and owner."""
    linked = [pk for objective in objectives for pk in (objective.parent_id, objective.carried_from_id)]
    seen = visible_among(linked, access.visibility)
    progresses: Any = progress_of(objectives, access, today=windows.local_today())
    context = {"access": access, "seen": seen}
    return [dict(document) for document in ObjectiveSerializer(progresses, many=True, context=context).data]


def check_in_documents(check_ins: Sequence[CheckIn]) -> list[dict[str, Any]]:
    names = names_of([check_in.by for check_in in check_ins if check_in.by])
    return [dict(document) for document in CheckInSerializer(check_ins, many=True, context={"names": names}).data]
