"""The charts of a metric's page: trend, split trend, and distribution; and the page's routes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from insights.catalogue.declarations import Metric
from insights.engine.distribution import has_distribution
from insights.pages.drawing import BULK, Chart, histogram
from insights.pages.metric.benchmarks import lines
from insights.pages.metric.filters import (
    SPLIT,
    columns_of,
    metric_filters,
    metric_page_of,
    of_trend,
    query_of,
    splits_of,
)
from insights.pages.metric.rows import highest_title
from insights.pages.routes import Charts, PageRoutes
from insights.privacy.visible import visible_distribution
from insights.query.query import Dimension
from insights.ui.charts import ChartData
from insights.ui.filters import Filters
from insights.ui.metric_panel import metric_named


def trend(metric: Metric, filters: Filters) -> ChartData:
    """One line, with the borders of the published bands."""
    chart = Chart("trend", metric.key, metric.name, "line")
    drawn = chart.draw(metric_page_of(metric), of_trend(filters))
    return replace(drawn, benchmarks=lines(filters, metric))


def split(metric: Metric, filters: Filters) -> ChartData:
    """A line per value of the picked dimension."""
    chart = Chart("split", metric.key, metric.name, "line", by=Dimension(filters.picked[SPLIT]))
    return chart.draw(metric_page_of(metric), of_trend(filters))


def spread(metric: Metric, filters: Filters) -> ChartData:
    distribution = visible_distribution(replace(query_of(filters, metric), statistic=None), filters.access)
    tail = f"{highest_title(metric)} {100 - BULK}%"
    return histogram(distribution, metric.unit, facts="Facts", tail=tail, label_name="Value")


def charts_of(metric: Metric) -> Charts:
    """The charts of a metric; one that is always split has no plain trend."""
    charts = {} if metric.always_by else {"trend": trend}
    if splits_of(metric):
        charts["split"] = split
    if has_distribution(metric):
        charts["spread"] = spread
    return {name: partial(chart, metric) for name, chart in charts.items()}


def routes_of(key: str) -> PageRoutes:
    """What answers the routes of the metric's page.  Raises Http404."""
    metric = metric_named(key)
    return PageRoutes(
        metric_page_of(metric),
        partial(metric_filters, metric=metric),
        columns_of(metric),
        parts={},
        charts=charts_of(metric),
        csv_prefix=f"headway-{key.replace('.', '-')}",
    )
