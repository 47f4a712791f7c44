"""Benchmarks and what a unit concentrates on as JSON: what is sent, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from insights.api import schema
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark
from programs.benchmarks.services.current_values import CurrentValue
from programs.benchmarks.services.drafts import BASELINE_WEEKS
from programs.benchmarks.services.suggestions import Suggestion
from programs.benchmarks.services.writing import hides_baseline
from programs.models import BenchmarkVersion, FocusVersion


class BaselineSerializer(schema.DateRangeSerializer):
    """Computed for the unit when it was agreed; the interval is a 95 % one, null where there are too few weeks."""

    value = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    sample_size = serializers.IntegerField()


class VersionSerializer(serializers.Serializer[object]):
    """Values in the metric's unit of measure.  Without threshold and target it takes back what was agreed."""

    metric = serializers.CharField()
    agreed_for = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    number = serializers.IntegerField(help_text="Of the versions for that unit, from 1.")
    threshold = serializers.FloatField(allow_null=True, help_text="Where it should be.")
    target = serializers.FloatField(allow_null=True, help_text="Where it wants to be.")
    better = serializers.CharField(help_text="higher or lower.")
    statistic = serializers.CharField(allow_null=True)
    period = serializers.CharField(allow_null=True, help_text="week, month or quarter.")
    metric_version = serializers.IntegerField(help_text="Of the formula when it was agreed.")
    baseline = BaselineSerializer(allow_null=True, help_text="Null: there were no data, or it is not yours to see.")
    is_to_hold = serializers.BooleanField()
    reason = serializers.CharField()
    written_by = serializers.CharField(allow_null=True)
    written_at = serializers.DateTimeField()


class BenchmarkSerializer(VersionSerializer):
    """What holds of a unit: its own, or inherited from `agreed_for`."""

    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    is_inherited = serializers.BooleanField()
    stands_at = serializers.FloatField(allow_null=True, help_text="Over the latest 12 weeks, as the page shows it.")
    sample_size = serializers.IntegerField()
    missing = serializers.CharField(allow_null=True, help_text="Why it stands nowhere.")


class BenchmarksSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(allow_null=True)
    benchmarks = BenchmarkSerializer(many=True)


class BenchmarkPageSerializer(serializers.Serializer[object]):
    """What holds (null: nothing), and the unit's own versions, the latest first."""

    unit = serializers.CharField(allow_null=True)
    benchmark = BenchmarkSerializer(allow_null=True)
    versions = VersionSerializer(many=True)


class BenchmarkWriteSerializer(serializers.Serializer[object]):
    """`number` is that of the unit's own newest version from which the change was made; 0 where there is none."""

    unit = serializers.CharField(required=False, allow_null=True)
    threshold = serializers.FloatField(required=False, allow_null=True)
    target = serializers.FloatField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=400)
    number = serializers.IntegerField()
    better = serializers.CharField(required=False, help_text="higher or lower.")
    period = serializers.CharField(required=False, help_text="week, month or quarter.")
    weeks = serializers.ChoiceField(choices=BASELINE_WEEKS, required=False, help_text="Of the baseline; 12.")
    is_to_hold = serializers.BooleanField(required=False)


class TakeBackSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=400)
    number = serializers.IntegerField()


class BenchmarkConflictSerializer(schema.ErrorsSerializer):
    """Somebody agreed on something else in the meantime; nothing was stored."""

    stored = VersionSerializer(allow_null=True)


class SuggestionSerializer(serializers.Serializer[object]):
    kind = serializers.CharField(help_text="history, peers, ready-made or published.")
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
    benchmark = VersionSerializer(allow_null=True, help_text="What holds of it; null: nothing.")
    stands = StandSerializer(allow_null=True, help_text="Null: it is not yours to see.")


class UnitsBelowSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    units = UnitBelowSerializer(many=True)


class SuggestionsSerializer(serializers.Serializer[object]):
    here = StandSerializer(help_text="Where the unit stands now.")
    suggestions = SuggestionSerializer(many=True)
    missing = serializers.ListField(child=serializers.CharField(), help_text="Why there are no more.")


class FocusSerializer(serializers.Serializer[object]):
    """What a unit concentrates on; number 0: it never chose."""

    unit = serializers.CharField(allow_null=True)
    number = serializers.IntegerField()
    metric = serializers.CharField(allow_null=True)
    indicators = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField(allow_null=True)
    written_by = serializers.CharField(allow_null=True)
    written_at = serializers.DateTimeField(allow_null=True)


class NearestFocusSerializer(FocusSerializer):
    above = FocusSerializer(allow_null=True, help_text="Without a focus metric of its own: that of the nearest above.")


class FocusWriteSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(required=False, allow_null=True)
    metric = serializers.CharField(required=False, allow_null=True)
    indicators = serializers.ListField(child=serializers.CharField(), max_length=5)
    reason = serializers.CharField(max_length=400)
    number = serializers.IntegerField()


class FocusConflictSerializer(schema.ErrorsSerializer):
    stored = FocusSerializer()


def version_documents(versions: Sequence[BenchmarkVersion], access: Access) -> list[dict[str, Any]]:
    """Of versions with their units and authors; two queries, however many there are."""
    names = names_of([version.written_by for version in versions if version.written_by])
    return [_version(version, names, access) for version in versions]


def benchmark_documents(
    holding: Sequence[EffectiveBenchmark],
    current_values: Sequence[CurrentValue | None],
    unit: str | None,
    access: Access,
) -> list[dict[str, Any]]:
    """What holds of that unit, with where it stands."""
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


def suggestion_document(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "kind": suggestion.kind,
        "title": suggestion.title,
        "why": suggestion.why,
        "threshold": suggestion.threshold,
        "target": suggestion.target,
    }


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
    """Of one unit, with their authors."""
    names = names_of([version.written_by for version in versions if version.written_by])
    return [
        {
            "unit": unit,
            "number": version.number,
            "metric": version.metric or None,
            "indicators": version.indicators,
            "reason": version.reason,
            "written_by": names.get(version.written_by_id or 0),
            "written_at": version.written_at,
        }
        for version in versions
    ]


def _version(version: BenchmarkVersion, names: Mapping[int, str], access: Access) -> dict[str, Any]:
    return {
        "metric": version.metric,
        "agreed_for": version.unit.slug if version.unit else None,
        "number": version.number,
        "threshold": version.threshold,
        "target": version.target,
        "better": version.better,
        "statistic": version.statistic or None,
        "period": version.period or None,
        "metric_version": version.metric_version,
        "baseline": _baseline(version, access),
        "is_to_hold": version.is_to_hold,
        "reason": version.reason,
        "written_by": names.get(version.written_by_id or 0),
        "written_at": version.written_at,
    }


def _baseline(version: BenchmarkVersion, access: Access) -> dict[str, Any] | None:
    if version.baseline is None or hides_baseline(version, access):
        return None
    return {
        "value": version.baseline,
        "from": version.baseline_from,
        "to": version.baseline_to,
        "low": version.baseline_low,
        "high": version.baseline_high,
        "sample_size": version.baseline_sample,
    }
