"""What a metric's page can be changed by: whose figures, of which days, its facets, and the statistic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.http import Http404, HttpRequest
from django.urls import reverse

from insights.benchmarks.sets import SETS
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.pages.answers import InsightsPage, OfferedFacet, facts_of
from insights.pages.units import Column, units_choice
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.errors import UnknownMetricError
from insights.query.query import Dimension, MetricQuery, Statistic, Window
from insights.ui.filters import FACETS, STATISTIC, Choice, Filters, read_filters, statistic_of_metric
from insights.ui.tiles import Picker

SHORTEST_TREND = timedelta(weeks=26)  # of less, a trend says little
SPLITS = {
    Dimension.ASSISTANCE: "With and without AI",
    Dimension.AGENT: "Agent",
    Dimension.WORK_TYPE: "Work type",
    Dimension.SIZE_CLASS: "Size",
    Dimension.COMPLEXITY_CLASS: "Complexity",
    Dimension.SERVICE: "Service",
    Dimension.PROJECT: "Project",
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
    """The page's state; facets that the metric does not have are let go.  Raises BadFilterError."""
    choices = [*choices_of(metric), *([units_choice(columns)] if columns else [])]
    read = read_filters(request.GET, today=windows.local_today(), access=access_in(request), choices=choices)
    return replace(read, facets={name: chosen for name, chosen in read.facets.items() if name in metric.facets})


def of_trend(filters: Filters) -> Filters:
    """The same for the trend: it ends with the window that has come, and is never shorter than half a year."""
    come = windows.passed(filters.window, today=filters.today)
    start = min(filters.window.start, come.end - SHORTEST_TREND)
    if start == filters.window.start:
        return filters
    return replace(filters, range="custom", window=Window(start, come.end))


def metric_page_of(metric: Metric) -> InsightsPage:
    """With a menu for each facet that the metric can be listed by; it is listed once the menu is opened."""
    return InsightsPage(
        "metric_page",
        facets=[
            OfferedFacet(dimension, metric.key, "fact", part=dimension.value, amount=facts_of)
            for dimension in FACETS
            if dimension in metric.facets and dimension in metric.segments
        ],
        about=(metric.key,),
    )


def choices_of(metric: Metric) -> list[Choice]:
    statistic = statistic_of_metric(metric)
    choices = [statistic] if statistic else []
    if splits := splits_of(metric):
        choices.append(Choice(SPLIT, {split.value: SPLITS[split] for split in splits}))
    sets = {slug: published.name for slug, published in SETS.items() if metric.key in published.metrics}
    if sets:
        choices.append(Choice(BENCHMARK, {BY_ORGANISATION: "The organisation’s", **sets}))
    return choices


def splits_of(metric: Metric) -> list[Dimension]:
    return [dimension for dimension in SPLITS if dimension in metric.segments]


def statistic_of(filters: Filters, metric: Metric) -> Statistic | None:
    """The one that is shown; None: the metric has one value."""
    return (filters.statistic or metric.statistic) if metric.statistics else None


def query_of(filters: Filters, metric: Metric, *segments: Dimension, window: Window | None = None) -> MetricQuery:
    return replace(filters.query(metric.key, *segments, window=window), statistic=filters.statistic)


def metric_page_url(filters: Filters, metric: Metric) -> str:
    """The page of another metric for the same people and days."""
    return replace(filters, choices=()).url(reverse("metric_page", args=[metric.key]))


def in_panels(filters: Filters) -> Filters:
    """As the panels of the metric read it: they know the statistic, and no other choice of the page."""
    choices = [choice for choice in filters.choices if choice.parameter == STATISTIC.parameter]
    return replace(filters, choices=choices)


def pickers(filters: Filters, metric: Metric, parameter: str) -> list[Picker]:
    """The links of one choice; none where there is nothing to choose."""
    matching = [choice for choice in filters.choices if choice.parameter == parameter]
    if not matching or len(matching[0].options) < 2:
        return []
    [choice] = matching
    return [
        Picker(
            label,
            metric_page_of(metric).url(filters.with_pick(choice, option)),
            filters.picked[parameter] == option,
        )
        for option, label in choice.options.items()
    ]
