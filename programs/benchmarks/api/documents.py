"""Request and response JSON of benchmarks and of a unit's focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from core.api.errors import ErrorsSerializer
from core.api.model_serializers import ReadSerializer
from insights.api import schema
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark
from programs.benchmarks.services.current_values import CurrentValue
from programs.benchmarks.services.fields import BenchmarkWriteSerializer, FocusWriteSerializer, TakeBackSerializer
from programs.benchmarks.services.writing import hides_baseline
from programs.models import BenchmarkVersion, FocusVersion
from programs.requests.model_fields import AccountField


class BaselineSerializer(schema.DateRangeSerializer):
    """The baseline computed when the benchmark was set, with a 95 % interval, null if there are too few weeks."""

    value = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    sample_size = serializers.IntegerField()


class VersionSerializer(ReadSerializer[BenchmarkVersion]):
    """A version, with values in the metric's unit of measure.  Without threshold and target it withdraws the
    benchmark.
    """

    agreed_for = serializers.CharField(
        source="unit.slug", default=None, allow_null=True, help_text="Slug; null: the whole organisation."
    )
    baseline = serializers.SerializerMethodField(help_text="Null: there were no data, or it is not yours to see.")
    written_by = AccountField(source="written_by_id")

    class Meta:
        model = BenchmarkVersion
        fields: tuple[str, ...] = (
            *("metric", "agreed_for", "number", "threshold", "target", "better", "statistic", "period"),
            *("metric_version", "baseline", "is_to_hold", "reason", "written_by", "written_at"),
        )
        blank_is_null = ("statistic", "period")
        validators: tuple[Any, ...] = ()
        extra_kwargs = {
            "number": {"help_text": "Number of the unit's version, from 1."},
            "metric_version": {"help_text": "Version of the formula when the benchmark was set."},
        }

    @extend_schema_field(BaselineSerializer(allow_null=True))
    def get_baseline(self, version: BenchmarkVersion) -> dict[str, Any] | None:
        if version.baseline is None or hides_baseline(version, self.context["access"]):
            return None
        return {
            "value": version.baseline,
            "from": version.baseline_from,
            "to": version.baseline_to,
            "low": version.baseline_low,
            "high": version.baseline_high,
            "sample_size": version.baseline_sample,
        }


class BenchmarkSerializer(VersionSerializer):
    """A benchmark that applies to a unit: its own, or inherited from `agreed_for`."""

    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    is_inherited = serializers.BooleanField()
    stands_at = serializers.FloatField(allow_null=True, help_text="Over the latest 12 weeks, as the page shows it.")
    sample_size = serializers.IntegerField()
    missing = serializers.CharField(allow_null=True, help_text="Why it stands nowhere.")

    class Meta(VersionSerializer.Meta):
        fields = ("unit", *VersionSerializer.Meta.fields, "is_inherited", "stands_at", "sample_size", "missing")


class BenchmarksSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(allow_null=True)
    benchmarks = BenchmarkSerializer(many=True)


class BenchmarkPageSerializer(serializers.Serializer[object]):
    """The benchmark that applies (null: none), and the unit's own versions, newest first."""

    unit = serializers.CharField(allow_null=True)
    benchmark = BenchmarkSerializer(allow_null=True)
    versions = VersionSerializer(many=True)


@extend_schema_serializer(component_name="BenchmarkWrite")
class BenchmarkAgreeSerializer(BenchmarkWriteSerializer):
    """`number` is the unit's own newest version on which the change is based; 0 if there is none."""

    number = serializers.IntegerField()

    class Meta(BenchmarkWriteSerializer.Meta):
        fields = (*(name for name in BenchmarkWriteSerializer.Meta.fields if name != "metric"), "number")


@extend_schema_serializer(component_name="TakeBack")
class BenchmarkTakeBackSerializer(TakeBackSerializer):
    number = serializers.IntegerField()

    class Meta(TakeBackSerializer.Meta):
        fields = (*TakeBackSerializer.Meta.fields, "number")


class BenchmarkConflictSerializer(ErrorsSerializer):
    """Somebody else set the benchmark in the meantime; nothing was stored."""

    stored = VersionSerializer(allow_null=True)


class SuggestionSerializer(serializers.Serializer[object]):
    kind = serializers.CharField(help_text="step, history, peers, ready-made or published.")
    title = serializers.CharField()
    why = serializers.CharField()
    threshold = serializers.FloatField(allow_null=True)
    target = serializers.FloatField(allow_null=True)


class StandSerializer(schema.DateRangeSerializer):
    value = serializers.FloatField(allow_null=True)
    sample_size = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_null=True, help_text="Why there is no value.")


class UnitBelowSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(help_text="Slug.")
    name = serializers.CharField()
    is_inherited = serializers.BooleanField()
    benchmark = VersionSerializer(allow_null=True, help_text="The benchmark that applies; null: none.")
    stands = StandSerializer(allow_null=True, help_text="Null: it is not yours to see.")


class UnitsBelowSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    units = UnitBelowSerializer(many=True)


class SuggestionsSerializer(serializers.Serializer[object]):
    here = StandSerializer(help_text="Current value of the unit.")
    suggestions = SuggestionSerializer(many=True)
    missing = serializers.ListField(child=serializers.CharField(), help_text="Why there are no more.")


class FocusSerializer(ReadSerializer[FocusVersion]):
    """A unit's focus; number 0 if it has never chosen one."""

    unit = serializers.SerializerMethodField()
    reason = serializers.CharField(allow_null=True)
    written_by = AccountField(source="written_by_id")
    written_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        model = FocusVersion
        fields: tuple[str, ...] = ("unit", "number", "metric", "indicators", "reason", "written_by", "written_at")
        blank_is_null = ("metric",)
        validators: tuple[Any, ...] = ()

    def get_unit(self, _focus: FocusVersion) -> str | None:
        unit: str | None = self.context["unit"]
        return unit


class NearestFocusSerializer(FocusSerializer):
    above = FocusSerializer(
        allow_null=True, help_text="The focus of the nearest unit above; null where the unit has its own."
    )

    class Meta(FocusSerializer.Meta):
        fields = (*FocusSerializer.Meta.fields, "above")


@extend_schema_serializer(component_name="FocusWrite")
class FocusChooseSerializer(FocusWriteSerializer):
    number = serializers.IntegerField()

    class Meta(FocusWriteSerializer.Meta):
        fields = (*FocusWriteSerializer.Meta.fields, "number")


class FocusConflictSerializer(ErrorsSerializer):
    stored = FocusSerializer()


def version_documents(versions: Sequence[BenchmarkVersion], access: Access) -> list[dict[str, Any]]:
    """Serialises versions read with their units and authors, in two queries."""
    names = names_of([version.written_by for version in versions if version.written_by])
    context = {"names": names, "access": access}
    return [dict(document) for document in VersionSerializer(versions, many=True, context=context).data]


def benchmark_documents(
    holding: Sequence[EffectiveBenchmark],
    current_values: Sequence[CurrentValue | None],
    unit: str | None,
    access: Access,
) -> list[dict[str, Any]]:
    """Serialises the benchmarks that apply to a unit, with its current values."""
    versions = version_documents([benchmark.version for benchmark in holding], access)
    return [
        {
            "unit": unit,
            **version,
            "is_inherited": not held.is_own,
            "stands_at": stand.value if stand else None,
            "sample_size": stand.sample_size if stand and stand.value is not None else 0,
            "missing": (stand.reason or None) if stand else "It is not yours to see.",
        }
        for held, version, stand in zip(holding, versions, current_values, strict=True)
    ]


def stand_document(stand: CurrentValue) -> dict[str, Any]:
    return {
        "value": stand.value,
        "sample_size": None if stand.value is None else stand.sample_size,
        "reason": None if stand.value is not None else stand.reason or None,
        "from": stand.window.start,
        "to": stand.window.end,
    }


def focus_document(focus: FocusVersion | None, unit: str | None) -> dict[str, Any]:
    if focus is None:
        nothing = dict.fromkeys(("metric", "reason", "written_by", "written_at"))
        return {"unit": unit, "number": 0, **nothing, "indicators": []}
    return focus_documents([focus], unit)[0]


def focus_documents(versions: Sequence[FocusVersion], unit: str | None) -> list[dict[str, Any]]:
    """Serialises a unit's focus versions with their authors."""
    names = names_of([version.written_by for version in versions if version.written_by])
    context = {"names": names, "unit": unit}
    return [dict(document) for document in FocusSerializer(versions, many=True, context=context).data]
