"""The charts of a metric's page (trend, split trend, distribution), its routes, and the outliers: the facts of the
greatest values, with links to their pages.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from core.views import part_view
from insights.catalogue.declarations import Metric
from insights.engine.distribution import has_distribution
from insights.pages.drawing import highest_title, histogram_of, trend_of
from insights.pages.metric.benchmarks import lines
from insights.pages.metric.filters import (
    SPLIT,
    columns_of,
    metric_filters,
    metric_page_of,
    of_trend,
    splits_of,
)
from insights.pages.routes import Charts, PageRoutes
from insights.pages.rows import greatest_rows
from insights.query.query import Dimension
from insights.ui.cards import Trend
from insights.ui.charts import ChartData
from insights.ui.filters import Filters
from insights.ui.metric_panel import metric_named
from insights.ui.views import render_part


def trend(metric: Metric, filters: Filters) -> ChartData:
    """One line, with the borders of the published bands."""
    drawn = trend_of(Trend("trend", metric.key), metric_page_of(metric), of_trend(filters))
    return replace(drawn, benchmarks=lines(filters, metric))


def split(metric: Metric, filters: Filters) -> ChartData:
    """A line per value of the picked dimension."""
    card = Trend("split", metric.key, by=Dimension(filters.picked[SPLIT]))
    return trend_of(card, metric_page_of(metric), of_trend(filters))


def spread(metric: Metric, filters: Filters) -> ChartData:
    return histogram_of(filters, metric)


def charts_of(metric: Metric) -> Charts:
    """The charts of a metric; one that is always split has no plain trend."""
    charts = {} if metric.always_by else {"trend": trend}
    if splits_of(metric):
        charts["split"] = split
    if has_distribution(metric):
        charts["spread"] = spread
    return {name: partial(chart, metric) for name, chart in charts.items()}


def routes_of(key: str) -> PageRoutes:
    """The routes of the metric's page.  Raises Http404."""
    metric = metric_named(key)
    return PageRoutes(
        metric_page_of(metric),
        partial(metric_filters, metric=metric),
        columns_of(metric),
        parts={},
        charts=charts_of(metric),
        csv_prefix=f"headway-{key.replace('.', '-')}",
    )


@part_view
def metric_outliers(request: HttpRequest, key: str) -> HttpResponseBase:
    """A part of the page, or a separate page."""
    metric = metric_named(key)
    if not has_distribution(metric):
        raise Http404("Its facts have no single value each.")
    filters = metric_filters(request, metric)
    context = {
        "title": f"{highest_title(metric)}: {metric.name}",
        **greatest_rows(filters, metric.key),
        "part": "insights/metrics/_outliers.html",
    }
    return render_part(request, context, filters)
