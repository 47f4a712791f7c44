"""The catalogue of metrics, and the page of each: definition, chain, trend and split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from insights import tiles, windows, wording
from insights.agents import agent_name, in_agent_order
from insights.charts import ChartData, ChartView, Dataset
from insights.csv_export import Cell, csv_response
from insights.filters import read_filters
from insights.metrics.declarations import Metric
from insights.metrics.errors import UnknownMetricError
from insights.metrics.query import Dimension, MetricQuery, SeriesAnswer
from insights.metrics.registry import get, metrics
from insights.metrics.terms import Better, Category
from insights.metrics.visible import Freshness, visible_series
from insights.scope_access import access_in
from insights.views.bad_filter import explains_bad_filters

TREND_WEEKS = 26
LONGEST_SEARCH = 100
DIRECTIONS = {
    Better.HIGHER: "higher is better",
    Better.LOWER: "lower is better",
    Better.NEITHER: "neither is better in itself",
}
CSV_HEADS = (
    *("key", "version", "name", "meaning", "formula", "unit", "better", "statistic", "minimum_sample"),
    *("categories", "initiatives", "space", "segments", "facets", "chain", "source", "reference"),
)


@dataclass(frozen=True)
class Group:
    """The metrics of one category."""

    title: str
    metrics: Sequence[Metric]


@login_required
@require_GET
def metric_catalogue(request: HttpRequest) -> HttpResponseBase:
    search = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    groups = grouped([metric for metric in metrics() if matches(metric, search)])
    context = {
        "groups": groups,
        "search": search,
        "count": sum(len(group.metrics) for group in groups),
        "all_link": tiles.Link("Show all metrics", reverse("metric_catalogue")),
    }
    return render(request, "insights/metrics/catalogue.html", context)


@login_required
@require_GET
def metric_catalogue_csv(request: HttpRequest) -> HttpResponseBase:
    return csv_response("headway-metrics", _csv_rows())


@login_required
@require_GET
def metric_page(request: HttpRequest, key: str) -> HttpResponseBase:
    metric = _metric(key)
    unsplit = () if metric.always_by else (_card(metric, "Trend"),)
    by_agent = (_card(metric, "By agent"),) if Dimension.AGENT in metric.segments else ()
    context = {
        "metric": metric,
        "definition": _definition(metric),
        "chain": [linked for linked in metrics() if linked.key in metric.chain],
        "future": [linked for linked in metric.chain if linked not in {each.key for each in metrics()}],
        "charts": (*unsplit, *by_agent),
        "how_url": reverse("metric_how", args=[key]),
        "rows_url": f"{reverse('metric_rows', args=[key])}?range={TREND_WEEKS}w",
        "api_url": reverse("api_metric", args=[key]),
    }
    return render(request, "insights/metrics/metric.html", context)


class MetricChart(ChartView):
    def chart_data(self, request: HttpRequest) -> ChartData:
        return drawn(request, self.kwargs["key"], self.kwargs["name"])


@login_required
@require_GET
@explains_bad_filters
def metric_chart(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    response: HttpResponseBase = MetricChart.as_view()(request, key=key, name=name)
    return response


@login_required
@require_GET
@explains_bad_filters
def metric_chart_csv(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    return csv_response(f"headway-{key.replace('.', '-')}-{name}", drawn(request, key, name).rows())


def matches(metric: Metric, search: str) -> bool:
    """Whether every word of the search stands somewhere in the metric's entry."""
    text = " ".join((metric.key, metric.name, metric.meaning, metric.formula, *metric.categories)).lower()
    return all(word in text for word in search.lower().split())


def grouped(found: Sequence[Metric]) -> Sequence[Group]:
    """By first category, in the catalogue's order; a metric stands once."""
    by_category = {category: [metric for metric in found if metric.categories[0] is category] for category in Category}
    titles = {Category.AI: "AI", Category.DORA: "DORA"}
    return [
        Group(titles.get(category, category.value.capitalize()), members)
        for category, members in by_category.items()
        if members
    ]


def drawn(request: HttpRequest, key: str, name: str) -> ChartData:
    """The metric's last half year by week, as one line or one for each agent.  Raises Http404 and BadFilterError."""
    metric = _metric(key)
    split = {"trend": (), "by-agent": (Dimension.AGENT,)}.get(name)
    if split is None or not set(split) <= set(metric.segments) or (metric.always_by and not split):
        raise Http404("No such chart.")
    filters = read_filters(request.GET, today=windows.local_today(), access=access_in(request))
    query = MetricQuery(key, windows.trailing(TREND_WEEKS), scope=filters.scope, segments=split)
    [answer] = visible_series([query], filters.access, freshness=Freshness.OF_PAGES)
    return _by_agent(metric, answer) if split else _trend(metric, answer)


def _trend(metric: Metric, answer: SeriesAnswer) -> ChartData:
    values = [figure.value for figure in answer.series]
    return _over_time(metric, answer, [Dataset(metric.name, metric.key, "single", values)])


def _by_agent(metric: Metric, answer: SeriesAnswer) -> ChartData:
    agents = in_agent_order(tiles.by_segment(answer, Dimension.AGENT))
    points = {(figure.segment.get("agent"), figure.window): figure.value for figure in answer.series}
    found = list(dict.fromkeys(figure.window for figure in answer.series))
    datasets = [
        Dataset(agent_name(agent), agent, "agent", [points.get((agent, window)) for window in found])
        for agent in agents
    ]
    return _over_time(metric, answer, datasets)


def _over_time(metric: Metric, answer: SeriesAnswer, datasets: Sequence[Dataset]) -> ChartData:
    buckets = list({figure.window: figure for figure in answer.series}.values())
    return ChartData(
        kind="line",
        unit=metric.unit,
        labels=[wording.bucket(figure.window, answer.query.granularity) for figure in buckets],
        days=[figure.window.start for figure in buckets],
        datasets=datasets,
        drawn_from=1 if tiles.stub(buckets, answer.query.granularity) else 0,
        to_date_from=next((index for index, figure in enumerate(buckets) if figure.to_date), None),
    )


def _card(metric: Metric, title: str) -> tiles.ChartCard:
    name = title.lower().replace(" ", "-")
    return tiles.ChartCard(
        key=name,
        title=f"{title}, last {TREND_WEEKS} weeks",
        info=metric.meaning,
        kind="line",
        data_url=reverse("metric_chart", args=[metric.key, name]),
        csv_url=reverse("metric_chart_csv", args=[metric.key, name]),
        how_url=f"{reverse('metric_how', args=[metric.key])}?range={TREND_WEEKS}w",
        rows_url=f"{reverse('metric_rows', args=[metric.key])}?range={TREND_WEEKS}w",
    )


def _definition(metric: Metric) -> Sequence[tuple[str, str]]:
    pairs = [
        ("Key", f"{metric.key}, version {metric.version}"),
        ("Formula", metric.formula),
        ("Unit", metric.unit.replace("_", " ")),
        ("Direction", DIRECTIONS[metric.better]),
        ("Statistic", metric.statistic.value if metric.statistic else "one value"),
        ("Others to pick", ", ".join(each for each in metric.statistics if each is not metric.statistic)),
        ("Counts for", "the unit of its author at that time" if metric.belongs_to == "person" else "the owner unit"),
        ("Split by", _words(metric.segments)),
        ("Filtered by", _words(metric.facets)),
        ("Steady from", f"{metric.minimum_sample:,} facts on" if metric.minimum_sample > 1 else ""),
        ("Categories", ", ".join(metric.categories)),
        ("Initiative", ", ".join(metric.initiatives)),
        ("SPACE", ", ".join(metric.space)),
        ("Source", metric.source),
    ]
    return [(term, description) for term, description in pairs if description]


def _words(dimensions: Sequence[Dimension]) -> str:
    return ", ".join(dimension.replace("_", " ") for dimension in dimensions)


def _metric(key: str) -> Metric:
    try:
        return get(key)
    except UnknownMetricError:
        raise Http404("No such metric.") from None


def _csv_rows() -> Iterator[Sequence[Cell]]:
    yield CSV_HEADS
    for metric in metrics():
        yield [_cell(getattr(metric, head)) for head in CSV_HEADS]


def _cell(value: object) -> Cell:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return value if isinstance(value, int) else "" if value is None else str(value)
