"""Objectives, key results and check-ins as JSON: what is sent, and what is answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from rest_framework import serializers

from insights.api import schema
from insights.query import windows
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from programs.alignment.offers import visible_among
from programs.key_results.queries import KeyResultProgress
from programs.models import CheckIn, KeyResult, Objective, ObjectiveStatus, Quarter, TargetKind
from programs.objectives.queries.objectives import ObjectiveProgress, progress_of


class ForecastSerializer(serializers.Serializer[object]):
    """At the quarter's end; the interval holds 80 of 100 cases."""

    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    reached_on = serializers.DateField(allow_null=True, help_text="From when on the target is met.")


class KeyResultPointSerializer(serializers.Serializer[object]):
    """A whole week by its Monday; where values are entered by hand, the day."""

    day = serializers.DateField()
    value = serializers.FloatField(allow_null=True)


class MeasuredKeyResultSerializer(serializers.Serializer[object]):
    """What is told of a key result while its quarter runs, and when it was closed."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    metric = serializers.CharField(allow_null=True, help_text="Null: values are entered by hand.")
    statistic = serializers.CharField(allow_null=True)
    unit_of_measure = serializers.CharField()
    better = serializers.ChoiceField(choices=KeyResult.Better.choices)
    target_kind = serializers.ChoiceField(choices=TargetKind.choices)
    change_percent = serializers.FloatField(allow_null=True)
    baseline = serializers.FloatField(allow_null=True)
    target = serializers.FloatField(allow_null=True)
    value = serializers.FloatField(allow_null=True, help_text="Of the quarter, so far.")
    reason = serializers.CharField(allow_null=True)
    progress = serializers.FloatField(allow_null=True, help_text="Share of the way from baseline to target.")
    holds = serializers.BooleanField(allow_null=True, help_text="Of a guardrail.")
    standing = serializers.ChoiceField(choices=ObjectiveStatus.choices)
    sample_size = serializers.IntegerField()
    points = KeyResultPointSerializer(many=True)


class KeyResultSerializer(MeasuredKeyResultSerializer):
    """Figures are in the unit of measure, null where there is none (`reason`), or it is not yours to see."""

    baseline_from = serializers.DateField(allow_null=True)
    baseline_to = serializers.DateField(allow_null=True, help_text="The first day that no longer belongs to it.")
    pace = serializers.FloatField(allow_null=True, help_text="What a count comes to by the quarter's end at its rate.")
    forecast = ForecastSerializer(allow_null=True)
    why = serializers.CharField()
    measured_at = serializers.DateTimeField(allow_null=True)


class ObjectiveSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    quarter = serializers.CharField(help_text="2026-Q3")
    quarter_from = serializers.DateField()
    quarter_end = serializers.DateField(help_text="The first day that no longer belongs to it.")
    quarter_closed = serializers.BooleanField()
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    title = serializers.CharField()
    description = serializers.CharField(help_text="Markdown.")
    owner = serializers.CharField(allow_null=True, help_text="E-mail address.")
    is_mandatory = serializers.BooleanField(help_text="The team's objective of the quarter.")
    parent = serializers.IntegerField(  # type: ignore[assignment]  # a field of that name, which DRF takes from the class
        allow_null=True, help_text="The objective that it serves, if you may see it."
    )
    template = serializers.CharField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True, help_text="Null: a draft.")
    dropped_at = serializers.DateTimeField(allow_null=True)
    dropped_why = serializers.CharField(allow_null=True)
    carry_over = serializers.ChoiceField(choices=Objective.CarryOver.choices)
    retrospective = serializers.CharField(help_text="Markdown: what was learned.")
    carried_from = serializers.IntegerField(allow_null=True, help_text="One of an earlier quarter, if you may see it.")
    standing = serializers.ChoiceField(choices=ObjectiveStatus.choices, help_text="The override, where there is one.")
    computed = serializers.ChoiceField(choices=ObjectiveStatus.choices)
    why = serializers.CharField()
    override_reason = serializers.CharField(allow_null=True)
    progress = serializers.FloatField(allow_null=True, help_text="0–1, the mean of what is no guardrail.")
    expected = serializers.FloatField(help_text="The share of the quarter that has passed, 0–1.")
    score = serializers.FloatField(allow_null=True, help_text="0–1, when the quarter was closed.")
    confidence = serializers.CharField(allow_null=True, help_text="Of the last check-in: high, medium or low.")
    check_in_due = serializers.DateField(allow_null=True)
    tickets_open = serializers.IntegerField()
    tickets_overdue = serializers.IntegerField()
    version = serializers.IntegerField(help_text="Name it when you change the objective.")
    key_results = KeyResultSerializer(many=True)


class ObjectivesSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    standings = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many stand how, whatever `standing`, `owner` and `parent` say."
    )
    objectives = ObjectiveSerializer(many=True)


class KeyResultWriteSerializer(serializers.Serializer[object]):
    """With the `id` of one that is there it changes that one; those that are not named are removed."""

    id = serializers.IntegerField(required=False, allow_null=True)
    title = serializers.CharField(max_length=200)
    metric = serializers.CharField(required=False, allow_null=True)
    statistic = serializers.CharField(required=False, allow_null=True)
    unit_of_measure = serializers.CharField(required=False, allow_null=True, help_text="Of what is entered by hand.")
    better = serializers.ChoiceField(choices=KeyResult.Better.choices, required=False, allow_null=True)
    target_kind = serializers.ChoiceField(choices=TargetKind.choices, required=False)
    target = serializers.FloatField(required=False, allow_null=True)
    change_percent = serializers.FloatField(required=False, allow_null=True)
    baseline = serializers.FloatField(required=False, allow_null=True, help_text="Null: computed from the metric.")


class ObjectiveWriteSerializer(serializers.Serializer[object]):
    """New: title is needed.  Changed: what is not named stays, and version is needed."""

    quarter = serializers.CharField(required=False, help_text="A day in it, 2026-08-01; without it this quarter.")
    unit = serializers.CharField(required=False, allow_null=True)
    title = serializers.CharField(max_length=200, required=False)
    description = serializers.CharField(required=False)
    owner = serializers.CharField(required=False, allow_null=True, help_text="E-mail address.")
    is_mandatory = serializers.BooleanField(required=False)
    parent = serializers.IntegerField(  # type: ignore[assignment]  # as above
        required=False, allow_null=True
    )
    template = serializers.CharField(required=False, allow_null=True)
    publish = serializers.BooleanField(required=False, help_text="Before everybody whom it concerns.")
    key_results = KeyResultWriteSerializer(many=True, required=False)
    version = serializers.IntegerField(required=False)


class ObjectiveConflictSerializer(schema.ErrorsSerializer):
    """Somebody changed the objective in the meantime; nothing was stored."""

    stored = ObjectiveSerializer()


class DropSerializer(serializers.Serializer[object]):
    why = serializers.CharField()


class OverrideSerializer(serializers.Serializer[object]):
    standing = serializers.CharField(help_text="on_track, at_risk or off_track; empty takes it back.")
    reason = serializers.CharField(required=False)


class EndingSerializer(serializers.Serializer[object]):
    carry_over = serializers.ChoiceField(choices=Objective.CarryOver.choices)
    retrospective = serializers.CharField(required=False, help_text="Markdown: what was learned.")


class CheckInSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True, help_text="Null: an account that is gone.")
    confidence = serializers.ChoiceField(choices=CheckIn.Confidence.choices)
    note = serializers.CharField(help_text="Markdown.")
    key_result = serializers.IntegerField(allow_null=True)
    value = serializers.FloatField(allow_null=True)


class CheckInsSerializer(serializers.Serializer[object]):
    check_ins = CheckInSerializer(many=True)


class CheckInWriteSerializer(serializers.Serializer[object]):
    confidence = serializers.ChoiceField(choices=CheckIn.Confidence.choices)
    note = serializers.CharField(required=False)
    key_result = serializers.IntegerField(required=False, allow_null=True)
    value = serializers.FloatField(required=False, allow_null=True, help_text="Of one that is entered by hand.")
    values = serializers.DictField(
        child=serializers.FloatField(), required=False, help_text="In their place: of several, by id, all or none."
    )


class QuarterSerializer(schema.DateRangeSerializer):
    name = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True, help_text="Of its document.")


class QuartersSerializer(serializers.Serializer[object]):
    quarters = QuarterSerializer(many=True)


def objective_documents(objectives: Sequence[Objective], access: Access) -> list[dict[str, Any]]:
    """Of objectives with quarter, unit and owner."""
    linked = [pk for objective in objectives for pk in (objective.parent_id, objective.carried_from_id)]
    seen = visible_among(linked, access.visibility)
    return [
        _objective(progress, seen, access) for progress in progress_of(objectives, access, today=windows.local_today())
    ]


def check_in_documents(check_ins: Sequence[CheckIn]) -> list[dict[str, Any]]:
    names = names_of([check_in.by for check_in in check_ins if check_in.by])
    return [
        {
            "id": check_in.pk,
            "at": check_in.at,
            "by": names.get(check_in.by_id or 0),
            "confidence": check_in.confidence,
            "note": check_in.note,
            "key_result": check_in.key_result_id,
            "value": check_in.value,
        }
        for check_in in check_ins
    ]


def quarter_documents(quarters: Sequence[Quarter]) -> list[Mapping[str, Any]]:
    return [
        {
            "name": str(quarter),
            "from": quarter.start,
            "to": quarter.end,
            "closed_at": quarter.closed_at,
            "sha256": quarter.document.sha256 if quarter.document else None,
        }
        for quarter in quarters
    ]


def _objective(progress: ObjectiveProgress, seen: Collection[int], access: Access) -> dict[str, Any]:
    """`seen` are those of the linked objectives that the reader may see."""
    objective = progress.objective
    quarter = objective.quarter
    is_scored = progress.progress is not None
    return {
        "id": objective.pk,
        "quarter": str(quarter),
        "quarter_from": quarter.start,
        "quarter_end": quarter.end,
        "quarter_closed": quarter.is_closed,
        "unit": objective.unit.slug if objective.unit else None,
        "title": objective.title,
        "description": objective.description,
        "owner": access.address_of(objective.owner),
        "is_mandatory": objective.is_mandatory,
        "parent": objective.parent_id if objective.parent_id in seen else None,
        "template": objective.template or None,
        "published_at": objective.published_at,
        "dropped_at": objective.dropped_at,
        "dropped_why": objective.dropped_why or None,
        "carry_over": objective.carry_over,
        "retrospective": objective.retrospective,
        "carried_from": objective.carried_from_id if objective.carried_from_id in seen else None,
        "standing": progress.shown,
        "computed": progress.computed,
        "why": progress.why,
        "override_reason": objective.override_reason or None,
        "progress": progress.progress,
        "expected": _expected(quarter),
        "score": objective.score if is_scored else None,
        "confidence": progress.confidence or None,
        "check_in_due": progress.check_in_due,
        "tickets_open": progress.tickets_open,
        "tickets_overdue": progress.tickets_overdue,
        "version": objective.version,
        "key_results": [_key_result(result) for result in progress.key_results],
    }


def _expected(quarter: Quarter) -> float:
    return windows.passed(quarter.window, today=windows.local_today()).days / quarter.window.days


def _key_result(progress: KeyResultProgress) -> dict[str, Any]:
    key_result, forecast = progress.key_result, progress.forecast
    return {
        "id": key_result.pk,
        "title": key_result.title,
        "metric": key_result.metric or None,
        "statistic": key_result.statistic or None,
        "unit_of_measure": key_result.unit_of_measure,
        "better": key_result.better,
        "target_kind": key_result.target_kind,
        "change_percent": key_result.change_percent,
        "baseline": progress.baseline,
        "baseline_from": key_result.baseline_from,
        "baseline_to": key_result.baseline_to,
        "target": progress.target,
        "value": progress.value,
        "reason": progress.reason or None,
        "pace": progress.pace,
        "progress": progress.progress,
        "holds": progress.holds,
        "forecast": forecast
        and {
            "value": forecast.value,
            "low": forecast.low,
            "high": forecast.high,
            "reached_on": forecast.reached_on,
        },
        "standing": progress.standing,
        "why": progress.why,
        "sample_size": progress.sample_size,
        "measured_at": progress.measured_at,
        "points": [_point(day, value) for day, value in progress.points],
    }


def _point(day: date, value: float | None) -> dict[str, Any]:
    return {"day": day, "value": value}
