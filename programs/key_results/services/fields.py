"""Editable fields of key results, shared by the form and the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework import serializers

from core.api.model_serializers import WholeNumber, WriteSerializer
from insights.catalogue.registry import find
from insights.query.enums import Better
from insights.query.query import Statistic
from programs.key_results.services.reading import unit_of_metric
from programs.models import Direction, KeyResult, TargetKind
from programs.models.objectives import ITEMS, PERCENT
from programs.requests.model_fields import MetricField

GREATEST = 1e15  # anything larger is a typing mistake, and no longer exact as a float
AMOUNT = {"required": False, "allow_null": True, "min_value": -GREATEST, "max_value": GREATEST}
FIELDS = (  # read and written
    *("title", "metric", "initiative", "statistic", "unit_of_measure", "better", "target_kind", "target"),
    *("change_percent", "baseline"),
)
OF_TEMPLATES = tuple(name for name in FIELDS if name != "initiative")  # an initiative belongs to one objective


class KeyResultWriteSerializer(WriteSerializer[KeyResult]):
    """A key result whose `id` is that of a stored one replaces it; stored ones missing from the list are removed.

    A relative target has `change_percent` (−20: a fifth less than the baseline) instead of `target`; a guardrail may
    have either.  Without a `baseline`, it is computed from the metric; `better` defaults to the metric's.
    """

    id = WholeNumber(required=False, allow_null=True)
    metric = MetricField(help_text="Null: read from `initiative`, or entered by hand.")

    class Meta:
        model = KeyResult
        fields = ("id", *FIELDS)
        blank_is_null = ("initiative", "statistic", "unit_of_measure", "better", "target_kind")
        extra_kwargs = {
            "title": {"error_messages": dict.fromkeys(("blank", "null", "required"), "Enter what is measured.")},
            "initiative": {
                "required": False,
                "help_text": "Instead of a metric: an epic's key, the address of an initiative's page, or kind and key "
                "(`epic:12`), as answers have it.",
            },
            "unit_of_measure": {
                "help_text": "For values entered by hand; of an initiative `items` (the default) or `%`, those done."
            },
            "better": {"required": False},
            "target_kind": {"required": False, "help_text": "Null: absolute."},
            **dict.fromkeys(("target", "change_percent"), AMOUNT),
            "baseline": {**AMOUNT, "help_text": "Null: computed from the metric."},
        }
        validators: tuple[Any, ...] = ()

    def to_internal_value(self, data: Any) -> Any:
        """A key result is always written whole, even in a partial change of its objective: a missing field is null."""
        return super().to_internal_value({**dict.fromkeys(self.fields), **data} if isinstance(data, Mapping) else data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["target_kind"] = attrs["target_kind"] or TargetKind.ABSOLUTE
        if attrs["initiative"]:
            problems = initiative_problems(attrs)
        else:
            problems = source_problems(attrs["metric"], attrs["statistic"], attrs["better"])
        for field, problem in problems:
            raise serializers.ValidationError({field: problem})
        return attrs


def as_written(key_result: KeyResult) -> dict[str, Any]:
    """The key result's fields as a writer who changes nothing would send them.

    A relative target follows from its change, and a computed baseline from the metric; both are left out.
    """
    is_relative = key_result.target_kind == TargetKind.RELATIVE
    is_computed = bool(key_result.metric) and key_result.baseline_from is not None
    return {
        "id": key_result.pk,
        **{name: getattr(key_result, name) for name in FIELDS},
        "unit_of_measure": "" if unit_of_metric(key_result.metric) else key_result.unit_of_measure,
        "target": None if is_relative else key_result.target,
        "baseline": None if is_computed else key_result.baseline,
    }


def initiative_problems(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Problems of a key result that is measured by an initiative, as pairs of field and message."""
    if row["metric"]:
        yield "initiative", "Choose either a metric or an initiative."
    if row["statistic"]:
        yield "statistic", "An initiative has no statistic."
    if row["unit_of_measure"] not in ("", ITEMS, PERCENT):
        yield "unit_of_measure", f"Of an initiative: {ITEMS} or {PERCENT}."
    if row["better"] == Direction.LOWER:
        yield "better", "Of finished items, more is better."


def source_problems(key: str, statistic: str, better: str) -> Iterator[tuple[str, str]]:
    """Problems of a metric or hand-entered source, as pairs of field and message."""
    metric = find(key) if key else None
    if metric is None:
        if not better:
            yield "better", "Choose whether higher or lower is better: the value is entered by hand."
        if statistic:
            yield "statistic", "Values entered by hand have no statistic."
        return
    if metric.always_by:
        by = metric.always_by[0].value.replace("_", " ")
        yield "metric", f"{metric.name} has a value for each {by}, but none overall: choose another metric."
    if statistic and statistic not in metric.statistics:
        offered = ", ".join(Statistic(offered).value for offered in metric.statistics)
        yield "statistic", f"One of: {offered}." if offered else f"{metric.name} has none to choose."
    if metric.better is Better.NEITHER and not better:
        yield "better", f"Neither higher nor lower {metric.name} is better by itself: choose a direction."
    if better and metric.better is not Better.NEITHER and better != metric.better:
        yield "better", f"For {metric.name}, {metric.better.value} is better."
