"""Serializers that describe the API's responses in the OpenAPI document."""

from __future__ import annotations

from typing import Any, get_args

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from core.api.model_serializers import AnswerSerializer, TextOrNull
from insights.catalogue.declarations import Metric
from insights.query.enums import BelongsTo, Better, UnitOfMeasure
from insights.query.query import Dimension, Granularity, Statistic
from insights.ui.hints import rule_in_words
from insights.ui.tiles import Judgement

# Named in SPECTACULAR_SETTINGS, so that an enumeration that several fields share is one type.
DIMENSIONS = [dimension.value for dimension in Dimension]
BETTER = [better.value for better in Better]
JUDGEMENTS = list(get_args(Judgement))
STATISTICS = [statistic.value for statistic in Statistic]


class ScopeSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    where = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class DateRangeSerializer(serializers.Serializer[object]):
    """Anything that covers a range of days."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the field `from`, whose name is a keyword in Python."""
        days = {
            "from": serializers.DateField(),
            "to": serializers.DateField(help_text="The day after its last."),
        }
        return {**super().get_fields(), **days}


class HeadingSerializer(DateRangeSerializer):
    key = serializers.CharField()
    version = serializers.IntegerField()
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure))
    better = serializers.ChoiceField(choices=BETTER)
    belongs_to = serializers.ChoiceField(choices=list(BelongsTo))
    hand_kept = serializers.BooleanField(help_text="Whether people enter its values.")
    statistic = serializers.ChoiceField(choices=list(Statistic), allow_null=True)
    time_zone = serializers.CharField()
    scope = ScopeSerializer()
    facets = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class LeadTimeBottleneckSerializer(AnswerSerializer):
    """insights.catalogue.lead_time_stages.Bottleneck"""

    stage = TextOrNull(help_text="The wait; null for `reason`.")
    only_slowest = serializers.BooleanField(
        help_text="True if this wait is the longest only because of the slowest changes."
    )
    reason = TextOrNull(help_text="Why no wait is the bottleneck.")


class RangeSerializer(serializers.Serializer[object]):
    low = serializers.FloatField(help_text="Value by line-level evidence only.")
    high = serializers.FloatField(help_text="Value by all evidence: an upper bound.")


class FigureSerializer(serializers.Serializer[object]):
    segment = serializers.DictField(child=serializers.CharField())
    value = serializers.FloatField(allow_null=True)
    numerator = serializers.FloatField(allow_null=True)
    denominator = serializers.FloatField(allow_null=True)
    sample_size = serializers.IntegerField(allow_null=True, help_text="Facts that entered; null where withheld.")
    people = serializers.IntegerField(allow_null=True, help_text="Distinct people among them; null where withheld.")
    reason = serializers.CharField(allow_null=True, help_text="Why there is no value.")
    to_date = serializers.BooleanField(help_text="The window or bucket is not over yet.")
    left_out = serializers.IntegerField(
        allow_null=True, help_text="Facts that count here but lack the measured value; null where withheld."
    )
    range = RangeSerializer(required=False, help_text="The range of figures based on attribution.")
    evidence = serializers.DictField(
        child=serializers.FloatField(),
        required=False,
        help_text="Method of attribution → share 0–1 of the attributed lines.",
    )


class PointSerializer(FigureSerializer):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": serializers.DateField(), "to": serializers.DateField(), **super().get_fields()}


class PointInWordsSerializer(PointSerializer):
    text = serializers.CharField(allow_null=True, help_text="The value in human units: 22.9 h.")


class ChangeSerializer(serializers.Serializer[object]):
    text = serializers.CharField(help_text="The difference in human units: +1.2 h; “no change” within the usual.")
    judgement = serializers.ChoiceField(choices=JUDGEMENTS)


class FigureWithChangeSerializer(HeadingSerializer, FigureSerializer):
    computed_at = serializers.DateTimeField()
    text = serializers.CharField(allow_null=True, help_text="The value in human units: 22.9 h.")
    previous = PointInWordsSerializer(
        help_text="The window before, of the same length; of an unfinished quarter or month, the same part of it."
    )
    change = ChangeSerializer(allow_null=True, help_text="Null where one of the two has no value.")


class ShortfallSerializer(serializers.Serializer[object]):
    """Records that are missing from the figures."""

    key = serializers.CharField()
    count = serializers.IntegerField(allow_null=True, help_text="Null where it is not shown, or nothing is counted.")
    sentence = serializers.CharField()


class SeriesSerializer(HeadingSerializer):
    granularity = serializers.ChoiceField(choices=list(Granularity))
    computed_at = serializers.DateTimeField()
    fresh_until = serializers.DateTimeField()
    unmatched = serializers.FloatField(
        allow_null=True, required=False, help_text="Share 0–1 of facts without a matched person; only without a unit."
    )
    segment_page = serializers.IntegerField(required=False, help_text="For answers with more than one page.")
    segments = serializers.IntegerField(required=False, help_text="Segments of all pages.")
    total = FigureSerializer(many=True)
    series = PointSerializer(many=True)
    shortfalls = ShortfallSerializer(many=True)


class ColumnSerializer(serializers.Serializer[object]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the answer
    meaning = serializers.CharField()


class RowsSerializer(HeadingSerializer):
    recipe = serializers.CharField(help_text="The computation of the value from the rows.")
    note = serializers.CharField(allow_null=True, help_text="Why rows of other people are not among them.")
    columns = ColumnSerializer(many=True)
    total = serializers.IntegerField(help_text="Rows of all pages.")
    page = serializers.IntegerField()
    size = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    rows = serializers.ListField(child=serializers.DictField())


class BinSerializer(serializers.Serializer[object]):
    count = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": serializers.FloatField(), "to": serializers.FloatField(), **super().get_fields()}


class DistributionSerializer(HeadingSerializer):
    sample_size = serializers.IntegerField()
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    percentiles = serializers.DictField(child=serializers.FloatField())
    histogram = BinSerializer(many=True)
    reason = serializers.CharField(allow_null=True)


class MetricSerializer(serializers.Serializer[object]):
    """One entry of the catalogue."""

    key = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    meaning = serializers.CharField()
    formula = serializers.CharField()
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure), source="unit")
    better = serializers.ChoiceField(choices=BETTER)
    belongs_to = serializers.ChoiceField(choices=list(BelongsTo))
    hand_kept = serializers.BooleanField(source="is_hand_kept", help_text="Whether people enter its values.")
    statistic = serializers.ChoiceField(choices=list(Statistic), allow_null=True)
    statistics = serializers.ListField(child=serializers.ChoiceField(choices=list(Statistic)))
    minimum_sample = serializers.IntegerField()
    categories = serializers.ListField(child=serializers.CharField())
    initiatives = serializers.ListField(child=serializers.CharField())
    space = serializers.ListField(child=serializers.CharField())
    segments = serializers.ListField(child=serializers.ChoiceField(choices=list(Dimension)))
    facets = serializers.ListField(child=serializers.ChoiceField(choices=list(Dimension)))
    chain = serializers.ListField(child=serializers.CharField(), help_text="Both kinds of indicators.")
    positive_indicators = serializers.ListField(child=serializers.CharField())
    negative_indicators = serializers.ListField(child=serializers.CharField())
    look_for = serializers.SerializerMethodField(
        help_text="The rules of *What to look for* in words; of those that hold, the first is shown."
    )
    source_facts = serializers.CharField(source="source")
    reference = serializers.CharField()

    def get_look_for(self, metric: Metric) -> list[str]:
        return [rule_in_words(rule) for rule in metric.look_for]


class CatalogueSerializer(serializers.Serializer[object]):
    metrics = MetricSerializer(many=True)


class ShortMetricSerializer(serializers.Serializer[object]):
    key = serializers.CharField()
    name = serializers.CharField()
    meaning = serializers.CharField()
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure), source="unit")
    better = serializers.ChoiceField(choices=BETTER)
    segments = serializers.ListField(child=serializers.ChoiceField(choices=list(Dimension)))


class NamedUnitSerializer(serializers.Serializer[object]):
    slug = serializers.CharField()
    name = serializers.CharField()
    location = serializers.CharField(help_text="The unit's parent and Org Tree.")


class QuarterDaysSerializer(DateRangeSerializer):
    name = serializers.CharField(help_text="2026-Q3.")


class ShortCatalogueSerializer(serializers.Serializer[object]):
    today = serializers.DateField()
    quarter = QuarterDaysSerializer()
    previous_quarter = QuarterDaysSerializer()
    metrics = ShortMetricSerializer(many=True)
    units = NamedUnitSerializer(many=True, help_text="At most 20, the closest first; `q` finds others.")


def _repeated(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, many=True, explode=True, description=description)


WINDOW_PARAMETERS = [
    OpenApiParameter("unit", str, description="Slug of a unit; without it the whole organisation."),
    OpenApiParameter("person", str, description="me: your own figures; with a unit, those of your time in it."),
    _repeated("where", "attribute=value of people; repeat for OR within, AND between."),
    _repeated("facet", "name=value; repeat for OR within a name, AND between names."),
    OpenApiParameter("from", str, description="First day, 2026-01-31. By default 12 weeks before `to`."),
    OpenApiParameter("to", str, description="The day after the last. By default tomorrow."),
]
FIGURE_PARAMETERS = [
    *WINDOW_PARAMETERS,
    OpenApiParameter("statistic", str, enum=list(Statistic), description="For durations."),
]
SERIES_PARAMETERS = [
    *FIGURE_PARAMETERS,
    OpenApiParameter("granularity", str, enum=list(Granularity), description="Default: week."),
    _repeated("segment", "Split by it; repeat for two."),
]
SERIES_PAGE_PARAMETERS = [
    *SERIES_PARAMETERS,
    OpenApiParameter("segment_page", int, description="From 1: 200 segments a page, by their number of facts."),
]
ROWS_PARAMETERS = [
    *SERIES_PARAMETERS,
    OpenApiParameter("page", int, description="From 1."),
    OpenApiParameter("size", int, description="Rows a page, at most 1,000; by default 100."),
]
