"""The charts of a metric's page (trend, split trend, distribution), its routes, and the outliers: the facts of the
greatest values, with links to their pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from insights.catalogue.declarations import Metric
from insights.engine.distribution import has_distribution
from insights.engine.fact_rows import GREATEST
from insights.pages.cards import Trend
from insights.pages.drawing import BULK, histogram, trend_of
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
from insights.pages.rows import record_page_of, record_url
from insights.privacy.rows import NOBODY
from insights.privacy.visible import visible_distribution, visible_rows
from insights.query.enums import UnitOfMeasure
from insights.query.query import Dimension
from insights.ui import wording
from insights.ui.charts import ChartData
from insights.ui.filters import Filters
from insights.ui.metric_panel import metric_named
from insights.ui.views import part_view, render_part


def trend(metric: Metric, filters: Filters) -> ChartData:
    """One line, with the borders of the published bands."""
    drawn = trend_of(Trend("trend", metric.key), metric_page_of(metric), of_trend(filters))
    return replace(drawn, benchmarks=lines(filters, metric))


def split(metric: Metric, filters: Filters) -> ChartData:
    """A line per value of the picked dimension."""
    card = Trend("split", metric.key, by=Dimension(filters.picked[SPLIT]))
    return trend_of(card, metric_page_of(metric), of_trend(filters))


def spread(metric: Metric, filters: Filters) -> ChartData:
    distribution = visible_distribution(filters.query(metric.key), filters.access)
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


OUTLIERS_LISTED = 8
NAMES = ("title", "reference", "subject", "repository")  # columns that name a fact, the best first


def highest_title(metric: Metric) -> str:
    """The heading of the list: of durations the greatest are the slowest."""
    return "Slowest" if metric.unit is UnitOfMeasure.SECONDS else "Highest"


@part_view
def metric_outliers(request: HttpRequest, key: str) -> HttpResponseBase:
    """A part of the page, or a page of its own."""
    metric = metric_named(key)
    if not has_distribution(metric):
        raise Http404("Its facts have no single value each.")
    filters = metric_filters(request, metric)
    rows = visible_rows(filters.query(key), filters.access, size=OUTLIERS_LISTED, order=GREATEST)
    context = {
        "title": f"{highest_title(metric)}: {metric.name}",
        "heading": highest_title(metric),
        "outliers": [_outlier(metric, row, rows.rows) for row in rows.rows],
        "with_people": any(row.get("person") not in (None, *NOBODY.values()) for row in rows.rows),
        "note": rows.note,
        "part": "insights/metrics/_outliers.html",
    }
    return render_part(request, context, filters)


def _outlier(metric: Metric, row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    greatest = max(other["contribution"] for other in rows) or 1.0
    fact = row.get("fact_id")
    is_total = "day" not in row
    names = [row[name] for name in NAMES if row.get(name)]
    unnamed = "Total" if is_total else "A fact" if fact is None else f"#{fact}"
    return {
        "name": names[0] if names else unnamed,
        "reference": row.get("reference") or "" if row.get("title") else "",
        "url": record_url(record_page_of(metric.key), fact),
        "person": row.get("person") or "",
        "day": "" if is_total else wording.day(row["day"]),
        "value": str(wording.reading(row["contribution"], metric.unit)),
        "fraction": row["contribution"] / greatest,
    }
