"""The filters of a metric's page: scope, window, facets, statistic, split and benchmark set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.http import HttpRequest
from django.urls import reverse

from core.page_links import Picker
from insights.benchmarks.sets import SETS
from insights.catalogue.declarations import Metric
from insights.pages.answers import InsightsPage, OfferedFacet, facts_of
from insights.pages.units import Column, units_choice
from insights.query import windows
from insights.query.enums import BelongsTo, UnitOfMeasure
from insights.query.query import Dimension, Window
from insights.ui.filters import DIMENSION_LABELS, FACETS, STATISTIC, Choice, Filters, filters_of, statistic_of_metric

SHORTEST_TREND = timedelta(weeks=26)  # a shorter trend says little
SPLIT_BY = (
    *(Dimension.AGENT, Dimension.WORK_TYPE, Dimension.SIZE_CLASS, Dimension.COMPLEXITY_CLASS, Dimension.SERVICE),
    *(Dimension.PROJECT, Dimension.EPIC, Dimension.INITIATIVE, Dimension.INVESTMENT, Dimension.SEVERITY),
    Dimension.REPOSITORY,
)
SPLITS = {Dimension.ASSISTANCE: "With and without AI"} | {by: DIMENSION_LABELS[by] for by in SPLIT_BY}
SPLIT = "by"
BENCHMARK = "set"
BY_ORGANISATION = "organisation"  # the organisation's benchmark set


def metric_filters(request: HttpRequest, metric: Metric) -> Filters:
    """The page's state, without facets that the metric does not support.  Raises QueryError."""
    choices = [*choices_of(metric), units_choice(columns_of(metric))]
    return filters_of(request, choices, facets=[facet for facet in FACETS if facet in metric.facets])


def of_trend(filters: Filters) -> Filters:
    """The filters of the trend, which ends today at the latest and covers at least half a year."""
    come = windows.passed(filters.window, today=filters.today)
    start = min(filters.window.start, come.end - SHORTEST_TREND)
    if start == filters.window.start:
        return filters
    return replace(filters, range="custom", window=Window(start, come.end))


def metric_page_of(metric: Metric) -> InsightsPage:
    """The page with a menu for each facet that the metric can be split by; menus load when opened."""
    return InsightsPage(
        "metric_page",
        facets=[
            OfferedFacet(dimension, metric.key, metric.fact, part=dimension.value, amount=facts_of)
            for dimension in FACETS
            if dimension in metric.facets and dimension in metric.segments
        ],
        about=(metric.key,),
    )


def columns_of(metric: Metric) -> Sequence[Column]:
    """The columns of the units below; only metrics of people show a number of people, and metrics that are always split
    do not.
    """
    if metric.always_by:
        return []
    columns = [
        Column("value", metric.marked_name, metric.key, metric.unit),
        Column("before", "Previous period", metric.key, metric.unit, of_window_before=True),
        Column("sample", "Sample", metric.key, UnitOfMeasure.COUNT, pick=lambda figure: float(figure.sample_size)),
        Column("left_out", "Excluded", metric.key, UnitOfMeasure.COUNT, pick=lambda figure: float(figure.left_out)),
    ]
    if metric.belongs_to is BelongsTo.PERSON:
        people = Column("people", "People", metric.key, UnitOfMeasure.COUNT, pick=lambda figure: float(figure.people))
        columns.append(people)
    return columns


def choices_of(metric: Metric) -> list[Choice]:
    statistic = statistic_of_metric(metric)
    choices = [choice for choice in (statistic, split_of(metric)) if choice]
    sets = {slug: published.name for slug, published in SETS.items() if metric.key in published.metrics}
    if sets:
        choices.append(Choice(BENCHMARK, {BY_ORGANISATION: "The organisation’s", **sets}))
    return choices


def split_of(metric: Metric) -> Choice | None:
    """The dimensions by which the metric can be split; None without any."""
    splits = {dimension.value: label for dimension, label in SPLITS.items() if dimension in metric.segments}
    return Choice(SPLIT, splits) if splits else None


def metric_page_url(filters: Filters, metric: Metric) -> str:
    """The URL of another metric's page for the same scope and window."""
    return replace(filters, choices=()).url(reverse("metric_page", args=[metric.key]))


def in_panels(filters: Filters) -> Filters:
    """The filters for the metric's panels, which have no pickers of the page except the statistic."""
    choices = [choice for choice in filters.choices if choice.parameter == STATISTIC.parameter]
    return replace(filters, choices=choices)


def pickers(filters: Filters, metric: Metric, parameter: str) -> list[Picker]:
    """The links of one picker; empty with fewer than two options."""
    choice = next((choice for choice in filters.choices if choice.parameter == parameter), None)
    return metric_page_of(metric).pickers(filters, choice) if choice and len(choice.options) > 1 else []
