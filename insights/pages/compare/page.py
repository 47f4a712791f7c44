"""The page `/insights/compare/`: a table of units × metrics, with each unit's rank marked."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import csv_response
from core.views import page_view, part_view
from insights.catalogue.declarations import Metric
from insights.pages.answers import InsightsPage, PageQuery, figures_view
from insights.pages.catalogue import category_title
from insights.pages.compare.table import (
    FEWEST_RANKED,
    LEGEND,
    METRICS,
    MOST_METRICS,
    MOST_UNITS,
    UNITS,
    CompareParams,
    comparable_metrics,
    compared_rows,
    compared_units,
    csv_rows,
    read_params,
    table_headings,
    whole_row,
)
from insights.pages.filter_bar import page_head
from insights.pages.units import ListedUnits, Row, unit_rows
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.enums import Category
from insights.ui.filters import STATISTIC, Filters
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.views import render_part
from orgtree.trees.search import units_matching

LONGEST_SEARCH = 100
GROUPS = (Category.DORA, Category.EFFICIENCY, Category.QUALITY, Category.HYGIENE, Category.PLANNING, Category.AI)


@figures_view
def compare(request: HttpRequest) -> HttpResponseBase:
    params = read_params(request)
    filters = params.filters
    around = scope_navigation(request, filters)
    read = params.page.read(filters, [PageQuery(metric.key) for metric in params.metrics], around=around)
    listed = compared_units(request, params)
    rows = _rows(params, listed)
    shown = {row.slug for row in rows[:MOST_UNITS]}
    units = [unit for unit in listed.units if unit.slug in shown]
    name = scope_words(filters, around)
    whole = [read.figure(metric.key) for metric in params.metrics]
    context = {
        **page_head(read, around),
        "statistics": read.pickers(STATISTIC),
        "headings": table_headings(params),
        "rows": compared_rows(rows, params)[:MOST_UNITS],
        "left_out": max(len(rows) - MOST_UNITS, 0),
        "whole": None if params.units else whole_row(name, filters.url(reverse("delivery")), whole, params),
        "trees": listed.trees,
        "legend": LEGEND,
        "fewest_ranked": FEWEST_RANKED,
        "chosen": params.metrics,
        "groups": _groups(params),
        "units": [{"slug": unit.slug, "name": unit.name, "note": unit.tree_name, "chosen": True} for unit in units],
        "chosen_units": bool(params.units),
        "below_url": params.url(**{UNITS: ""}),
        "metrics_form": _hidden_fields(params, METRICS),
        "units_form": _hidden_fields(params, UNITS),
        "most_metrics": MOST_METRICS,
        "most_units": MOST_UNITS,
        "csv_url": filters.url(reverse("compare_csv"), **params.parameters()),
    }
    return render(request, "insights/compare/compare.html", context)


@page_view
def compare_csv(request: HttpRequest) -> HttpResponseBase:
    params = read_params(request)
    return csv_response("headway-compare", csv_rows(_rows(params, compared_units(request, params)), params))


@part_view
def compare_choices(request: HttpRequest) -> HttpResponseBase:
    """Units that can be added to the comparison, found by the words of `q`."""
    search = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    access, today = access_in(request), windows.local_today()
    matching = units_matching(search, access.visibility, on=today) if search else []
    context = {
        "title": "Units to compare",
        "part": "insights/compare/_choices.html",
        "search": search,
        "units": [{"slug": unit.slug, "name": unit.name, "note": unit.tree_name, "chosen": False} for unit in matching],
    }
    return render_part(request, context)


def page_of(request: HttpRequest) -> tuple[InsightsPage, Filters]:
    params = read_params(request)
    return params.page, params.filters


def _rows(params: CompareParams, listed: ListedUnits) -> list[Row]:
    """The rows of the table of units; each name links to the unit's delivery page."""
    delivery = reverse("delivery")
    rows = unit_rows(params.of_page(), listed)
    return [replace(row, url=params.filters.with_unit(row.slug).url(delivery)) for row in rows]


def _groups(params: CompareParams) -> dict[str, list[Metric]]:
    """The metrics that can be added, each under the first of its categories."""
    left = [metric for metric in comparable_metrics() if metric not in params.metrics]
    groups = {}
    for category in GROUPS:
        groups[category_title(category)] = [metric for metric in left if category in metric.categories]
        left = [metric for metric in left if category not in metric.categories]
    return {title: listed for title, listed in groups.items() if listed}


def _hidden_fields(params: CompareParams, without: str) -> list[tuple[str, str]]:
    """Hidden fields of a form that changes one of the page's parameters."""
    hidden = {name: value for name, value in params.parameters().items() if name not in (without, "sort")}
    return [*params.filters.parameters(), *hidden.items()]
