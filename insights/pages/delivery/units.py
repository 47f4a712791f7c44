"""The delivery page's units side by side."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from insights.pages.delivery.page import page_filters
from insights.pages.units import (
    DELIVERY_COLUMNS,
    TREE,
    UnitsOfPage,
    tree_param,
    unassigned_row,
    units_csv,
    units_table,
)
from insights.ui.bad_filter import explains_bad_filters


@login_required
@require_GET
@vary_on_headers("HX-Request")
@explains_bad_filters
def delivery_units(request: HttpRequest) -> HttpResponseBase:
    return units_table(request, _units(request))


@login_required
@require_GET
@vary_on_headers("HX-Request")
@explains_bad_filters
def delivery_units_unassigned(request: HttpRequest) -> HttpResponseBase:
    return unassigned_row(request, _units(request))


@login_required
@require_GET
@explains_bad_filters
def delivery_units_csv(request: HttpRequest) -> HttpResponseBase:
    return units_csv(request, _units(request))


def _units(request: HttpRequest) -> UnitsOfPage:
    filters = page_filters(request)
    return UnitsOfPage(
        filters=filters,
        columns=DELIVERY_COLUMNS,
        page_url=reverse("delivery"),
        unassigned_url=filters.url(reverse("delivery_units_unassigned"), **tree_param(request)),
        csv_name="headway-delivery-units",
        tree=request.GET.get(TREE, ""),
    )
