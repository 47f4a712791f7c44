"""Benchmarks and what a unit concentrates on as JSON: what is sent, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from insights.api.schema import ErrorsSerializer
from orgtree.services.access import Access
from orgtree.services.who_sees import names_of
from programs.models import BenchmarkVersion, FocusVersion
from programs.queries.benchmarks import HoldingBenchmark
from programs.services.benchmarks.drafts import BASELINE_WEEKS
from programs.services.benchmarks.standing import Stand
from programs.services.benchmarks.suggestions import Suggestion
from programs.services.benchmarks.writing import hides_baseline


class BaselineSerializer(serializers.Serializer[object]):
    """Computed for the unit when it was agreed; the interval is a 95 % one, null where there are too few weeks."""

    value = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    sample_size = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        """`from` is a word of Python."""
        return {**super().get_fields(), "from": serializers.DateField(), "to": serializers.DateField()}


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


class BenchmarkConflictSerializer(ErrorsSerializer):
    """Somebody agreed on something else in the meantime; nothing was stored."""

    stored = VersionSerializer(allow_null=True)


class SuggestionSerializer(serializers.Serializer[object]):
    kind = serializers.CharField(help_text="history, peers, ready-made or published.")
    title = serializers.CharField()
    why = serializers.CharField()
    threshold = serializers.FloatField(allow_null=True)
    target = serializers.FloatField(allow_null=True)


class SuggestionsSerializer(serializers.Serializer[object]):
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


class FocusWriteSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(required=False, allow_null=True)
    metric = serializers.CharField(required=False, allow_null=True)
    indicators = serializers.ListField(child=serializers.CharField(), max_length=5)
    reason = serializers.CharField(max_length=400)
    number = serializers.IntegerField()


class FocusConflictSerializer(ErrorsSerializer):
    stored = FocusSerializer()


def version_documents(versions: Sequence[BenchmarkVersion], access: Access) -> list[dict[str, Any]]:
    """Of versions with their units and authors; two queries, however many there are."""
    names = names_of([each.written_by for each in versions if each.written_by])
    return [_version(each, names, access) for each in versions]


def benchmark_documents(
    holding: Sequence[HoldingBenchmark], stands: Sequence[Stand | None], unit: str | None, access: Access
) -> list[dict[str, Any]]:
    """What holds of that unit, with where it stands."""
    versions = version_documents([each.version for each in holding], access)
    return [
        {
            "unit": unit,
            **version,
            "is_inherited": not held.is_own,
            "stands_at": stand.value if stand else None,
            "sample_size": stand.sample_size if stand and stand.value is not None else 0,
            "missing": (stand.reason or None) if stand else "It is not yours to see.",
        }
        for held, version, stand in zip(holding, versions, stands, strict=True)
    ]


def suggestion_document(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "kind": suggestion.kind,
        "title": suggestion.title,
        "why": suggestion.why,
        "threshold": suggestion.threshold,
        "target": suggestion.target,
    }


def focus_document(focus: FocusVersion | None, unit: str | None) -> dict[str, Any]:
    if focus is None:
        nothing = dict.fromkeys(("metric", "reason", "written_by", "written_at"))
        return {"unit": unit, "number": 0, **nothing, "indicators": []}
    return {
        "unit": unit,
        "number": focus.number,
        "metric": focus.metric or None,
        "indicators": focus.indicators,
        "reason": focus.reason,
        "written_by": names_of([focus.written_by]).get(focus.written_by.pk) if focus.written_by else None,
        "written_at": focus.written_at,
    }


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
