"""Editable fields of benchmarks and focuses, shared by forms and the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.api.model_serializers import Amount, Choice, Text, WriteSerializer, validated
from core.write_errors import FieldError
from insights.benchmarks.baselines import grows_with_time
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get, metrics
from insights.query.enums import Better, UnitOfMeasure
from insights.ui import wording
from orgtree.access.access import Access
from programs.models import BenchmarkVersion, Direction, FocusVersion, Period
from programs.models.benchmarks import MOST_INDICATORS
from programs.requests.model_fields import NamedField
from programs.teams.fields import LedUnitField

BASELINE_WEEKS = (12, 26, 52)
PERIODS = (Period.WEEK, Period.MONTH, Period.QUARTER)
GREATEST = 1e15  # anything larger is a typing mistake
REASON = {"reason": {"error_messages": dict.fromkeys(("blank", "required"), "Give a reason.")}}


class OfferedMetricField(NamedField):
    """A metric with a single value, given by its key."""

    def find(self, name: str) -> str:
        if name not in {metric.key for metric in offered_metrics()} and (name or self.required):
            raise serializers.ValidationError(f"There is no metric {name[:80]} that has one figure.")
        return name

    def name_of(self, value: str) -> str:
        return value


class ValueField(Amount):
    """A value in the metric's unit of measure."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default=None, allow_null=True, **kwargs)


class BenchmarkWriteSerializer(WriteSerializer[BenchmarkVersion]):
    """`better` and `period` are required if the metric does not define them."""

    metric = OfferedMetricField(required=True)
    unit = LedUnitField("Benchmarks")
    threshold = ValueField()
    target = ValueField()
    weeks = Choice(
        choices=BASELINE_WEEKS, default=BASELINE_WEEKS[0], help_text="Length of the baseline in weeks; default: 12."
    )

    class Meta:
        model = BenchmarkVersion
        fields: tuple[str, ...] = (
            *("metric", "unit", "threshold", "target", "reason", "better", "period", "weeks", "is_to_hold"),
        )
        blank_is_null = ("better", "period")
        extra_kwargs = {**REASON, "better": {"required": False}}
        validators: tuple[Any, ...] = ()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        metric, threshold, target = get(attrs["metric"]), attrs["threshold"], attrs["target"]
        attrs["better"], attrs["period"] = _better(metric, attrs.get("better")), _period(metric, attrs.get("period"))
        if threshold is None and target is None:
            raise FieldError("threshold", "Enter a threshold or a target.")
        for name, value in (("threshold", threshold), ("target", target)):
            if value is not None and not 0 <= value <= GREATEST:
                raise FieldError(name, "It must be a number from 0 on.")
            if value is not None and metric.unit is UnitOfMeasure.PERCENT and value > 100:
                raise FieldError(name, "A share is at most 100 %.")
        has_both = threshold is not None and target is not None
        if has_both and BenchmarkVersion(better=attrs["better"]).is_beyond(threshold, target):
            should, wants = (wording.reading(value, metric.unit) for value in (threshold, target))
            label = attrs["better"].label
            raise FieldError("target", f"{label}: the target ({wants}) cannot be worse than the threshold ({should}).")
        return attrs


class TakeBackSerializer(WriteSerializer[BenchmarkVersion]):
    unit = LedUnitField("Benchmarks", must_stand=False)

    class Meta:
        model = BenchmarkVersion
        fields: tuple[str, ...] = ("unit", "reason")
        extra_kwargs = REASON
        validators: tuple[Any, ...] = ()


class FocusWriteSerializer(WriteSerializer[FocusVersion]):
    """The fields of a focus version; without a metric, the version removes the focus."""

    unit = LedUnitField("Benchmarks")
    metric = OfferedMetricField()
    indicators = serializers.ListField(
        child=Text(allow_blank=True),
        default=list,
        max_length=MOST_INDICATORS,
        error_messages={
            "max_length": f"At most {MOST_INDICATORS} key indicators: with more, priorities are unclear.",
            "not_a_list": "It must be a list of keys of metrics.",
        },
    )

    class Meta:
        model = FocusVersion
        fields: tuple[str, ...] = ("unit", "metric", "indicators", "reason")
        extra_kwargs = REASON
        validators: tuple[Any, ...] = ()

    def validate_indicators(self, keys: list[str]) -> list[str]:
        chosen = [key for key in keys if key]
        offered = {metric.key for metric in offered_metrics()}
        if unknown := next((key for key in chosen if key not in offered), None):
            raise serializers.ValidationError(f"There is no metric {unknown[:80]} that has one figure.")
        if len(set(chosen)) < len(chosen):
            raise serializers.ValidationError("An indicator is chosen twice.")
        return chosen


def checked(serializer: type[WriteSerializer[Any]], access: Access, given: Mapping[str, Any]) -> dict[str, Any]:
    """The validated fields, in the model's terms.  Raises FieldError, MayNotWriteError."""
    return validated(serializer(data=given, context={"access": access}))


def can_be_agreed_on(metric: Metric) -> bool:
    """Whether the metric has a value of its own; one that is always split has none."""
    return not metric.always_by


def offered_metrics() -> list[Metric]:
    return [metric for metric in metrics() if can_be_agreed_on(metric)]


def offered_metric(key: str) -> Metric | None:
    return next((metric for metric in offered_metrics() if metric.key == key), None)


def _better(metric: Metric, text: str | None) -> Direction:
    if metric.better is not Better.NEITHER:
        return Direction(metric.better.value)
    if not text:
        raise FieldError("better", "This metric has no direction of its own: choose one.")
    return Direction(text)


def _period(metric: Metric, text: str | None) -> Period:
    if not grows_with_time(metric):
        if text:
            raise FieldError("period", f"{metric.name} is the same for a week and a year: omit the period.")
        return Period.NONE
    if not text:
        raise FieldError("period", f"Choose the period:  {', '.join(PERIODS)}.")
    return Period(text)
