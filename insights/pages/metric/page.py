"""A metric's page: its cards, its routes, and the figure with its definition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get, metrics
from insights.engine.distribution import has_distribution
from insights.figure_records.restatements import restatements
from insights.pages import presenter
from insights.pages.answers import Answers, PageQuery, figures_view
from insights.pages.drawing import highest_title
from insights.pages.filter_bar import page_head
from insights.pages.how import kept_by
from insights.pages.metric.benchmarks import benchmark, lines
from insights.pages.metric.chain import chain_csv, chain_part, linked
from insights.pages.metric.filters import (
    SPLIT,
    columns_of,
    in_panels,
    metric_filters,
    metric_page_of,
    of_trend,
    pickers,
    split_of,
)
from insights.pages.routes import PageRoutes
from insights.pages.units import units_part
from insights.privacy.scope_access import has_scope
from insights.query.enums import BelongsTo, Better
from insights.query.query import MetricValue
from insights.ui import tiles, wording
from insights.ui.agreements import Agreement, agreements_on
from insights.ui.cards import Card, Distribution, Section, Slowest, Trend
from insights.ui.charts import ChartData
from insights.ui.filters import STATISTIC, Filters
from insights.ui.hints import rule_in_words
from insights.ui.metric_panel import metric_named
from insights.ui.offers import actions_on
from insights.ui.scope_bar import scope_navigation
from insights.ui.shortfalls import queries_behind
from orgtree.trees.surroundings import Surroundings

GREATEST_LISTED = 8
OVER_TIME = ("trend", "split")  # at least half a year
DIRECTIONS = {
    Better.HIGHER: "higher is better",
    Better.LOWER: "lower is better",
    Better.NEITHER: "–",
}
COUNTS_FOR = {
    BelongsTo.PERSON: "the unit of its author at that time",
    BelongsTo.OWNER: "the unit that owns the service or repository",
    BelongsTo.UNIT: "only the unit that it was entered for",
}


def section_of(metric: Metric) -> Section:
    """The charts of a metric, and its greatest facts; a metric that is always split has no plain trend."""
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
    if "trend" in charts:
        charts = {**charts, "trend": partial(_with_bands, charts["trend"], metric)}
    return PageRoutes(
        page,
        partial(metric_filters, metric=metric),
        columns_of(metric),
        parts={**presenter.parts(sections, page), "chain": partial(chain_part, metric)},
        charts=charts,
        tables={**presenter.tables(sections, page), "chain": partial(chain_csv, metric)},
        filters_of=lambda name, filters: of_trend(filters) if name in OVER_TIME else filters,
    )


def _with_bands(draw: Callable[[Filters], ChartData], metric: Metric, filters: Filters) -> ChartData:
    """The chart with the borders of the published bands."""
    return replace(draw(filters), benchmarks=lines(filters, metric))


@figures_view
def metric_page(request: HttpRequest, key: str) -> HttpResponseBase:
    metric = metric_named(key)
    filters = metric_filters(request, metric)
    around = scope_navigation(request, filters)
    answers = _read(metric, filters, around)
    figure = answers.figure(key) if answers.now else None
    section = section_of(metric)
    over_time = [card for card in section.cards if isinstance(card, Trend)]
    spans: Sequence[tiles.Span] = (7, 5) if len(over_time) > 1 else (12,)
    known = {other.key for other in metrics()}
    context = {
        "metric": metric,
        **page_head(answers, around),
        "statistics": pickers(filters, metric, STATISTIC.parameter),
        "figure": figure,
        "printed": str(wording.reading(figure.value, metric.unit)) if figure and figure.value is not None else "",
        "sample": sample_words(metric, figure) if figure else "",
        "restated": [restatement.sentence for restatement in restatements(metric, filters.scope, filters.access)],
        "change": answers.change(key) if figure else None,
        "shortfalls": answers.shortfalls([key]) if figure else (),
        "charts": [_card(card, answers, span=span) for card, span in zip(over_time, spans, strict=False)],
        "spread": [
            _card(card, answers, span=6) if isinstance(card, Distribution) else presenter.shown_card(card, answers)
            for card in section.cards
            if isinstance(card, Distribution | Slowest)
        ],
        "chain_url": answers.part_url("chain") if len(linked(metric)) > 1 else "",
        "chain_csv_url": answers.page.chart_csv_url(filters, "chain"),
        "future": [linked_key for linked_key in metric.chain if linked_key not in known],
        "benchmark": benchmark(filters, metric, figure) if figure else None,
        "units": None if metric.always_by else units_part(request, answers.page, filters, around),
        "agreed": _agreed(metric, filters),
        "definition": [*_definition(metric), *(kept_by(metric) if metric.is_hand_kept else [])],
        "actions": actions_on(metric, filters.scope, filters.access),
        "how_url": _url(in_panels(filters), "metric_how", metric),
        "rows_url": _url(in_panels(filters), "metric_rows", metric),
        "first_rows_url": _url(in_panels(filters), "metric_first_rows", metric),
        "notes_url": filters.url(reverse("annotations")),
        "api_url": reverse("api_metric", args=[key]),
    }
    return render(request, "insights/metrics/metric.html", context)


def _read(metric: Metric, filters: Filters, around: Surroundings) -> Answers:
    """The figures of this and the previous window and those of the scope's tiles, in one call.

    The metric's own are left out if the viewer has no default scope, or the metric is always split.
    """
    queries: list[PageQuery] = []
    if not metric.always_by and has_scope(filters.scope, filters.access):
        behind = queries_behind([metric], filters.query(metric.key))
        queries = [
            PageQuery(metric.key, compared=True, whole=True),
            *(PageQuery(lacking.key, whole=True) for lacking in behind),
        ]
    return metric_page_of(metric).read(filters, queries, around=around)


def _agreed(metric: Metric, filters: Filters) -> Agreement | None:
    """Threshold and target of the shown statistic."""
    agreement = agreements_on([metric.key], filters.scope, filters.access).get(metric.key)
    query = filters.query(metric.key, statistic=filters.statistic)
    return agreement if agreement and agreement.is_of_statistic(query) else None


def sample_words(metric: Metric, figure: MetricValue) -> str:
    """The sample: facts, people, and facts that are left out because they lack the measured value."""
    if figure.withheld or not (figure.sample_size or figure.left_out):
        return ""
    facts = wording.count(figure.sample_size, metric.fact)
    people = f", {wording.count(figure.people, 'person', 'people')}" if figure.people else ""
    left_out = f" · {figure.left_out:,} without a value excluded" if figure.left_out else ""
    few = (
        f" · small sample: a stable figure needs {metric.minimum_sample}"
        if figure.sample_size < metric.minimum_sample
        else ""
    )
    return f"{facts}{people}{left_out}{few}"


def _card(card: Trend | Distribution, answers: Answers, *, span: tiles.Span) -> tiles.ChartCard:
    """The card of a chart, which is shown even if the window has no figure."""
    key, filters, is_spread = str(card.metric), answers.filters, isinstance(card, Distribution)
    drawn = filters if is_spread else of_trend(filters)
    made = replace(answers, narrowed=in_panels(drawn)).card(
        card.name,
        key,
        title=f"{card.title}, {drawn.span}",
        kind="stacked_bar" if is_spread else "line",
        span=span,
        pickers=pickers(filters, get(key), SPLIT) if isinstance(card, Trend) and card.by else (),
        caveat=f"Shows more than the selected {filters.span}." if drawn.window != filters.window else "",
    )
    return replace(made, note_url="") if is_spread else made


def _url(filters: Filters, route: str, metric: Metric) -> str:
    return filters.url(reverse(route, args=[metric.key]))


def _definition(metric: Metric) -> Sequence[tuple[str, str]]:
    pairs = [
        ("Key", f"{metric.key}, version {metric.version}"),
        ("Formula", metric.formula),
        ("Unit", wording.UNITS[metric.unit]),
        ("Direction", DIRECTIONS[metric.better]),
        ("Statistic", metric.statistic.value if metric.statistic else "one value"),
        (
            "Other statistics",
            ", ".join(statistic for statistic in metric.statistics if statistic is not metric.statistic),
        ),
        ("Counts for", COUNTS_FOR[metric.belongs_to]),
        ("Split by", _words(metric.segments)),
        ("Filtered by", _words(metric.facets)),
        ("Minimum sample", wording.count(metric.minimum_sample, metric.fact) if metric.minimum_sample > 1 else ""),
        ("What to look for", " ".join(rule_in_words(rule) for rule in metric.look_for)),
        ("Leading indicators", _names(metric.positive_indicators)),
        ("Guardrails", _names(metric.negative_indicators)),
        ("Categories", _words(metric.categories)),
        ("Initiative", _words(metric.initiatives)),
        ("SPACE", _words(metric.space)),
        ("Source", metric.source),
    ]
    return [(term, description) for term, description in pairs if description]


def _names(keys: Sequence[str]) -> str:
    return ", ".join(metric.name for metric in metrics() if metric.key in keys)


def _words(codes: Sequence[str]) -> str:
    return ", ".join(code.replace("_", " ") for code in codes)
