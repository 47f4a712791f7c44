"""The catalogue of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import Cell, csv_response
from core.views import page_view
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import matches, metrics
from insights.query.enums import Category
from insights.ui import tiles

LONGEST_SEARCH = 100
CSV_HEADS = (
    *("key", "version", "name", "meaning", "formula", "unit", "better", "statistic", "minimum_sample"),
    *(
        "categories",
        "initiatives",
        "space",
        "segments",
        "facets",
        "chain",
        "positive_indicators",
        "negative_indicators",
    ),
    *("source", "reference"),
)


@page_view
def metric_catalogue(request: HttpRequest) -> HttpResponseBase:
    search = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    groups = grouped([metric for metric in metrics() if matches(metric, search)])
    context = {
        "groups": groups,
        "search": search,
        "count": sum(map(len, groups.values())),
        "all_link": tiles.Link("Show all metrics", reverse("metric_catalogue")),
    }
    return render(request, "insights/metrics/catalogue.html", context)


@page_view
def metric_catalogue_csv(request: HttpRequest) -> HttpResponseBase:
    return csv_response("headway-metrics", _csv_rows())


def grouped(shown: Sequence[Metric]) -> Mapping[str, Sequence[Metric]]:
    """Metrics by the title of their first category, in the catalogue's order; each metric once."""
    by_category = {category: [metric for metric in shown if metric.categories[0] is category] for category in Category}
    return {category_title(category): members for category, members in by_category.items() if members}


def category_title(category: Category) -> str:
    return category.value.upper() if category in (Category.DORA, Category.AI) else category.value.capitalize()


def _csv_rows() -> Iterator[Sequence[Cell]]:
    yield CSV_HEADS
    for metric in metrics():
        yield [_cell(getattr(metric, head)) for head in CSV_HEADS]


def _cell(value: object) -> Cell:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return value if isinstance(value, int) else "" if value is None else str(value)
