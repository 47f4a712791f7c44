"""A metric's page: its trend, its split by child unit, its definition, and what it is read together with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from insights import tiles, windows, wording
from insights.agents import agent_name, in_agent_order
from insights.annotations.standing import with_notes
from insights.charts import ChartData, ChartView, Dataset
from insights.filters import DEFAULT_GRANULARITY, DEFAULT_RANGE, Choice, Filters, read_filters
from insights.metrics.declarations import Metric
from insights.metrics.errors import UnknownMetricError
from insights.metrics.query import Dimension, SeriesAnswer
from insights.metrics.registry import get, metrics
from insights.metrics.terms import Better, UnitOfMeasure
from insights.metrics.visible import Freshness, visible_series
from insights.scope_access import access_in
from insights.views.annotations.links import note_url
from insights.views.bad_filter import explains_bad_filters
from insights.views.scope_bar import look_around, scope_bar_alone, scope_words
from insights.views.units import (
    TREE,
    Column,
    UnitsOfPage,
    tree_asked,
    unassigned_row,
    units_choice,
    units_csv,
    units_part,
    units_table,
)
from orgtree.csv_export import csv_response

TREND_WEEKS = 26
TREND_RANGE = f"{TREND_WEEKS}w"
DIRECTIONS = {
    Better.HIGHER: "higher is better",
    Better.LOWER: "lower is better",
    Better.NEITHER: "neither is better in itself",
}


@login_required
@require_GET
@explains_bad_filters
def metric_page(request: HttpRequest, key: str) -> HttpResponseBase:
    metric = _metric(key)
    filters = _filters(request, metric)
    around = look_around(request, filters)
    unsplit = () if metric.always_by else (_card(metric, "Trend", filters),)
    by_agent = (_card(metric, "By agent", filters),) if Dimension.AGENT in metric.segments else ()
    known = {each.key for each in metrics()}
    context = {
        "metric": metric,
        "scope": scope_bar_alone(filters, around, request.path),
        "whose": scope_words(filters, around),
        "definition": _definition(metric),
        "chain": [(linked, _page_of(linked, filters)) for linked in metrics() if linked.key in metric.chain],
        "future": [linked for linked in metric.chain if linked not in known],
        "charts": (*unsplit, *by_agent),
        "units": None
        if metric.always_by
        else units_part(
            request,
            filters,
            around,
            url=reverse("metric_units", args=[key]),
            csv_url=reverse("metric_units_csv", args=[key]),
        ),
        "how_url": filters.url(reverse("metric_how", args=[key])),
        "rows_url": filters.url(reverse("metric_rows", args=[key])),
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
    return csv_response(f"{_file_name(key)}-{name}", drawn(request, key, name).rows())


@login_required
@require_GET
@vary_on_headers("HX-Request")
@explains_bad_filters
def metric_units(request: HttpRequest, key: str) -> HttpResponseBase:
    return units_table(request, _units(request, key))


@login_required
@require_GET
@vary_on_headers("HX-Request")
@explains_bad_filters
def metric_units_unassigned(request: HttpRequest, key: str) -> HttpResponseBase:
    return unassigned_row(request, _units(request, key))


@login_required
@require_GET
@explains_bad_filters
def metric_units_csv(request: HttpRequest, key: str) -> HttpResponseBase:
    return units_csv(request, _units(request, key))


def drawn(request: HttpRequest, key: str, name: str) -> ChartData:
    """The metric's last half year by week, as one line or one for each agent.  Raises Http404 and BadFilterError."""
    metric = _metric(key)
    split = {"trend": (), "by-agent": (Dimension.AGENT,)}.get(name)
    if split is None or not set(split) <= set(metric.segments) or (metric.always_by and not split):
        raise Http404("No such chart.")
    filters = _filters(request, metric)
    [answer] = visible_series([filters.query(key, *split)], filters.access, freshness=Freshness.OF_PAGES)
    return with_notes(_by_agent(metric, answer) if split else _trend(metric, answer), filters.access)


def _filters(request: HttpRequest, metric: Metric) -> Filters:
    """Whose figures, of half a year by week; the page has no other filter."""
    read = read_filters(request.GET, today=windows.local_today(), access=access_in(request), choices=[_sorting(metric)])
    return read.without_facets().with_range(TREND_RANGE).with_granularity(DEFAULT_GRANULARITY)


def _units(request: HttpRequest, key: str) -> UnitsOfPage:
    metric = _metric(key)
    if metric.always_by:
        raise Http404("It is always split by something else.")
    filters = _filters(request, metric)
    return UnitsOfPage(
        filters=filters,
        columns=_columns(metric),
        page_url=reverse("metric_page", args=[key]),
        unassigned_url=filters.url(reverse("metric_units_unassigned", args=[key]), **tree_asked(request)),
        csv_name=f"{_file_name(key)}-units",
        tree=request.GET.get(TREE, ""),
    )


def _columns(metric: Metric) -> Sequence[Column]:
    weeks = f"last {TREND_WEEKS} weeks"
    return (
        Column("value", f"{metric.name}, {weeks}", metric.key, metric.unit),
        Column("before", f"{TREND_WEEKS} weeks before", metric.key, metric.unit, of_window_before=True),
        Column("sample", "Facts", metric.key, UnitOfMeasure.COUNT, pick=lambda figure: float(figure.sample_size)),
        Column("people", "People", metric.key, UnitOfMeasure.COUNT, pick=lambda figure: float(figure.people)),
    )


def _sorting(metric: Metric) -> Choice:
    return units_choice(_columns(metric))


def _page_of(metric: Metric, filters: Filters) -> str:
    """The page of another metric for the same people."""
    return replace(filters, range=DEFAULT_RANGE, choices=()).url(reverse("metric_page", args=[metric.key]))


def _file_name(key: str) -> str:
    return f"headway-{key.replace('.', '-')}"


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
        query=answer.query,
    )


def _card(metric: Metric, title: str, filters: Filters) -> tiles.ChartCard:
    name = title.lower().replace(" ", "-")
    return tiles.ChartCard(
        key=name,
        title=f"{title}, last {TREND_WEEKS} weeks",
        info=metric.meaning,
        kind="line",
        data_url=filters.url(reverse("metric_chart", args=[metric.key, name])),
        csv_url=filters.url(reverse("metric_chart_csv", args=[metric.key, name])),
        how_url=filters.url(reverse("metric_how", args=[metric.key])),
        rows_url=filters.url(reverse("metric_rows", args=[metric.key])),
        note_url=note_url(filters, metric.key),
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
