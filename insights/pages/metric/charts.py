"""The charts of a metric's page: trend, split trend, and distribution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from core.csv_export import csv_response
from insights.catalogue.declarations import Metric
from insights.engine.distribution import has_distribution
from insights.pages.answers import Answers, InsightsPage, PageQuery
from insights.pages.drawing import BULK, histogram, over_time, split_over_time, values_of
from insights.pages.metric.benchmarks import lines
from insights.pages.metric.filters import SPLIT, metric_filters, of_trend, query_of, splits_of
from insights.pages.metric.rows import highest_title
from insights.pages.routes import annotated
from insights.privacy.visible import Freshness, visible_distribution, visible_series
from insights.query.query import Answer, Dimension
from insights.ui.charts import ChartData, Dataset, Role, chart_response
from insights.ui.filters import Filters
from insights.ui.metric_panel import metric_named
from insights.ui.views import page_view

# Labels of segment values; others have none.
NAMES = {"feature": "Feature", "bug": "Bug", "other": "Other", "AI": "With an agent", "Non-AI": "Without"}


@page_view
def metric_chart(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    return chart_response(request, drawn(request, key, name))


@page_view
def metric_chart_csv(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    return csv_response(f"headway-{key.replace('.', '-')}-{name}", drawn(request, key, name).rows())


def drawn(request: HttpRequest, key: str, name: str) -> ChartData:
    """Raises Http404 where the metric has no such chart, and BadFilterError."""
    metric = metric_named(key)
    if name not in chart_names(metric):
        raise Http404("No such chart.")
    filters = metric_filters(request, metric)
    return annotated(CHARTS[name](metric, filters), filters)


def trend(metric: Metric, filters: Filters) -> ChartData:
    """One line, with the borders of the published bands."""
    filters = of_trend(filters)
    [answer] = visible_series([query_of(filters, metric)], filters.access, freshness=Freshness.OF_PAGES)
    chart = over_time("line", answer, [Dataset(metric.name, metric.key, "single", values_of(answer.series))])
    return replace(chart, benchmarks=lines(filters, metric), reason=_why_empty(answer))


def split(metric: Metric, filters: Filters) -> ChartData:
    """A line per value of the picked dimension."""
    filters = of_trend(filters)
    dimension = Dimension(filters.picked[SPLIT])
    query = query_of(filters, metric, dimension)
    [answer] = visible_series([query], filters.access, freshness=Freshness.OF_PAGES)
    query_of_split = PageQuery(metric.key, dimension)
    answers = Answers(InsightsPage("metric_page", about=(metric.key,)), filters, {query_of_split: answer}, {})
    role: Role = "agent" if dimension is Dimension.AGENT else "sequence"
    chart = split_over_time("line", answers, metric.key, dimension, role, names=NAMES)
    return replace(chart, reason=_why_empty(answer))


def _why_empty(answer: Answer) -> str:
    """The reason for an empty chart."""
    return next((figure.reason for figure in answer.total if figure.reason), "")


def spread(metric: Metric, filters: Filters) -> ChartData:
    distribution = visible_distribution(replace(query_of(filters, metric), statistic=None), filters.access)
    tail = f"{highest_title(metric)} {100 - BULK}%"
    return histogram(distribution, metric.unit, facts="Facts", tail=tail, label_name="Value")


CHARTS: Mapping[str, Callable[[Metric, Filters], ChartData]] = {"trend": trend, "split": split, "spread": spread}


def chart_names(metric: Metric) -> list[str]:
    """The charts of a metric; one that is always split has no plain trend."""
    names = [] if metric.always_by else ["trend"]
    if splits_of(metric):
        names.append("split")
    return [*names, "spread"] if has_distribution(metric) else names
