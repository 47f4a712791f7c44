"""The cards of a metric's page, and its routes: trend, split trend, distribution, the facts of the greatest values, and
the chain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from insights.catalogue.declarations import Metric
from insights.engine.distribution import has_distribution
from insights.pages import presenter
from insights.pages.drawing import highest_title
from insights.pages.metric.benchmarks import lines
from insights.pages.metric.chain import chain_csv, chain_part
from insights.pages.metric.filters import columns_of, metric_filters, metric_page_of, of_trend, split_of
from insights.pages.routes import PageRoutes
from insights.ui.cards import Card, Distribution, Section, Slowest, Trend
from insights.ui.charts import ChartData
from insights.ui.filters import Filters
from insights.ui.metric_panel import metric_named

GREATEST_LISTED = 8


def section_of(metric: Metric) -> Section:
    """The charts of a metric, and its greatest facts; one that is always split has no plain trend."""
    cards: list[Card] = [] if metric.always_by else [Trend("trend", metric.key, "Trend")]
    if split := split_of(metric):
        cards.append(Trend("split", metric.key, "Split", by=split))
    if has_distribution(metric):
        cards.append(Distribution("spread", metric.key, "Distribution", span=6))
        cards.append(Slowest("outliers", metric.key, highest_title(metric), most=GREATEST_LISTED))
    return Section("metric", metric.name, "", tuple(cards))


def routes_of(key: str) -> PageRoutes:
    """The routes of the metric's page.  Raises Http404."""
    metric = metric_named(key)
    page, sections = metric_page_of(metric), [section_of(metric)]
    charts = presenter.charts(sections, page)
    return PageRoutes(
        page,
        partial(metric_filters, metric=metric),
        columns_of(metric),
        parts={**presenter.parts(sections, page), "chain": partial(chain_part, metric)},
        charts={name: draw if name == "spread" else partial(_over_time, draw, metric) for name, draw in charts.items()},
        tables={**presenter.tables(sections, page), "chain": partial(chain_csv, metric)},
    )


def _over_time(draw: Callable[[Filters], ChartData], metric: Metric, filters: Filters) -> ChartData:
    """The chart of half a year at least; on one line also the borders of the published bands."""
    drawn = draw(of_trend(filters))
    is_split = drawn.query is None or drawn.query.segments
    return drawn if is_split else replace(drawn, benchmarks=lines(filters, metric))
