"""Shared by the two panels of a metric: parameters, figures, and the base template."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import Http404, HttpRequest

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find
from insights.privacy.visible import Freshness, visible_totals
from insights.query.query import Answer, MetricValue, Query
from insights.ui import tiles
from insights.ui.filters import FACETS, FACETS_OF_ROWS, Filters, filters_of, statistic_of_metric


@dataclass(frozen=True)
class PanelParams:
    """The metric and the filters of a panel."""

    metric: Metric
    filters: Filters

    @property
    def query(self) -> Query:
        return self.filters.query(self.metric.key, statistic=self.filters.statistic)


def metric_named(key: str) -> Metric:
    """The metric with this key.  Raises Http404."""
    metric = find(key)
    if metric is None:
        raise Http404("No such metric.")
    return metric


def read_panel_params(request: HttpRequest, key: str) -> PanelParams:
    """The request's parameters.  Raises Http404 for an unknown metric, QueryError for a wrong parameter."""
    metric = metric_named(key)
    choice = statistic_of_metric(metric)
    filters = filters_of(request, [choice] if choice else [], facets=(*FACETS, *FACETS_OF_ROWS))
    return PanelParams(metric, filters)


def figures(params: PanelParams, *others: str) -> tuple[Answer, MetricValue, MetricValue, list[float | None]]:
    """The answer, its figure for the whole window, the previous window's, and the values of other metrics."""
    query = params.query
    before = replace(query, window=params.filters.previous)
    beside = [replace(query, key=key, statistic=None) for key in others]
    answer, earlier, *found = visible_totals(
        [query, before, *beside], params.filters.access, freshness=Freshness.OF_PAGES
    )
    return answer, tiles.whole(answer), tiles.whole(earlier), [tiles.whole(other).value for other in found]


def is_panel(request: HttpRequest) -> bool:
    """Whether htmx requests the side panel's fragment."""
    return "HX-Request" in request.headers


def base_template(request: HttpRequest) -> str:
    """The base template: a fragment for the side panel, a whole page for the same address on its own."""
    return "insights/_panel_base.html" if is_panel(request) else "insights/_panel_page.html"
