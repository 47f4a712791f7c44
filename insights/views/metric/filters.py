"""What a metric's page can be changed by: whose figures, how far back, by week or month, and the statistic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.http import Http404, HttpRequest
from django.urls import reverse

from insights import windows
from insights.benchmarks.sets import SETS
from insights.filters import (
    GRANULARITIES,
    GRANULARITY_NAMES,
    STATISTIC,
    Choice,
    Filters,
    read_filters,
    statistic_of_metric,
)
from insights.metrics.declarations import Metric
from insights.metrics.errors import UnknownMetricError
from insights.metrics.query import Dimension, MetricQuery, Statistic, Window
from insights.metrics.registry import get
from insights.scope_access import access_in
from insights.tiles import Picker
from insights.views.units import Column, units_choice

RANGES = {"26w": "6 months", "52w": "1 year"}  # a trend of less says little
DEFAULT_TREND = "26w"
SPLITS = {
    Dimension.ASSISTANCE: "With and without AI",
    Dimension.AGENT: "Agent",
    Dimension.WORK_TYPE: "Work type",
    Dimension.SIZE_CLASS: "Size",
    Dimension.SERVICE: "Service",
    Dimension.REPOSITORY: "Repository",
}
SPLIT = "by"
BENCHMARK = "set"
BY_ORGANISATION = "organisation"  # the set that the organisation looks at


def metric_named(key: str) -> Metric:
    """Raises Http404."""
    try:
        return get(key)
    except UnknownMetricError:
        raise Http404("No such metric.") from None


def metric_filters(request: HttpRequest, metric: Metric, columns: Sequence[Column] = ()) -> Filters:
    """The page's state: at least half a year; facets of other pages are let go.  Raises BadFilterError."""
    choices = [*choices_of(metric), *([units_choice(columns)] if columns else [])]
    read = read_filters(request.GET, today=windows.local_today(), access=access_in(request), choices=choices)
    read = read.without_facets()
    return read if read.range in RANGES else read.with_range(DEFAULT_TREND)


def choices_of(metric: Metric) -> list[Choice]:
    statistic = statistic_of_metric(metric)
    found = [statistic] if statistic else []
    if splits := splits_of(metric):
        found.append(Choice(SPLIT, {each.value: SPLITS[each] for each in splits}))
    sets = {slug: each.name for slug, each in SETS.items() if metric.key in each.metrics}
    if sets:
        found.append(Choice(BENCHMARK, {BY_ORGANISATION: "The organisation’s", **sets}))
    return found


def splits_of(metric: Metric) -> list[Dimension]:
    return [dimension for dimension in SPLITS if dimension in metric.segments]


def statistic_of(filters: Filters, metric: Metric) -> Statistic | None:
    """The one that is shown; None: the metric has one value."""
    return (filters.statistic or metric.statistic) if metric.statistics else None


def query_of(filters: Filters, metric: Metric, *segments: Dimension, window: Window | None = None) -> MetricQuery:
    return replace(filters.query(metric.key, *segments, window=window), statistic=filters.statistic)


def page_url(filters: Filters, metric: Metric) -> str:
    return filters.url(reverse("metric_page", args=[metric.key]))


def page_of_another(filters: Filters, metric: Metric) -> str:
    """The page of another metric for the same people and days."""
    return replace(filters, choices=()).url(reverse("metric_page", args=[metric.key]))


def in_panels(filters: Filters) -> Filters:
    """As the panels of the metric read it: they know the statistic, and no other choice of the page."""
    kept = [choice for choice in filters.choices if choice.parameter == STATISTIC.parameter]
    return replace(filters, choices=kept)


def pickers(filters: Filters, metric: Metric, parameter: str) -> list[Picker]:
    """The links of one choice; none where there is nothing to choose."""
    found = [choice for choice in filters.choices if choice.parameter == parameter]
    if not found or len(found[0].options) < 2:
        return []
    [choice] = found
    return [
        Picker(label, page_url(filters.with_pick(choice, option), metric), filters.picked[parameter] == option)
        for option, label in choice.options.items()
    ]


def range_pickers(filters: Filters, metric: Metric) -> list[Picker]:
    return [
        Picker(label, page_url(filters.with_range(name), metric), filters.range == name)
        for name, label in RANGES.items()
    ]


def granularity_pickers(filters: Filters, metric: Metric) -> list[Picker]:
    return [
        Picker(GRANULARITY_NAMES[one], page_url(filters.with_granularity(one), metric), filters.granularity is one)
        for one in GRANULARITIES
    ]
