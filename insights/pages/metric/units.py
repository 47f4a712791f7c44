"""A metric of the units below, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from insights.catalogue.declarations import Metric
from insights.pages.metric.filters import metric_filters, metric_named
from insights.pages.units import TREE, Column, UnitsOfPage, tree_param, unassigned_row, units_csv, units_table
from insights.query.enums import BelongsTo, UnitOfMeasure
from insights.ui.bad_filter import explains_bad_filters


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


def columns_of(metric: Metric) -> Sequence[Column]:
    """The columns; only metrics of people have a number of people."""
    columns = [
        Column("value", metric.marked_name, metric.key, metric.unit),
        Column("before", "Window before", metric.key, metric.unit, of_window_before=True),
        Column("sample", "Facts", metric.key, UnitOfMeasure.COUNT, pick=lambda figure: float(figure.sample_size)),
        Column("left_out", "Left out", metric.key, UnitOfMeasure.COUNT, pick=lambda figure: float(figure.left_out)),
    ]
    if metric.belongs_to is BelongsTo.PERSON:
        people = Column("people", "People", metric.key, UnitOfMeasure.COUNT, pick=lambda figure: float(figure.people))
        columns.append(people)
    return columns


def _units(request: HttpRequest, key: str) -> UnitsOfPage:
    metric = metric_named(key)
    if metric.always_by:
        raise Http404("It is always split in another way.")
    filters = metric_filters(request, metric, columns_of(metric))
    return UnitsOfPage(
        filters=filters,
        columns=columns_of(metric),
        page_url=reverse("metric_page", args=[key]),
        unassigned_url=filters.url(reverse("metric_units_unassigned", args=[key]), **tree_param(request)),
        csv_name=f"headway-{key.replace('.', '-')}-units",
        tree=request.GET.get(TREE, ""),
    )
