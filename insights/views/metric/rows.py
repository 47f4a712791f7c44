"""The facts that stand out: those of the greatest values, each with the way to its page."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from insights.metrics.distribution import has_distribution
from insights.metrics.row_statement import RowOrder
from insights.metrics.rows import ColumnKind
from insights.metrics.visible import visible_rows
from insights.views.bad_filter import explains_bad_filters
from insights.views.metric.filters import metric_filters, metric_named, query_of
from insights.views.rows import row_table
from insights.views.scope_bar import look_around, scope_words

OUTLIERS_LISTED = 8
NOT_LISTED = frozenset({ColumnKind.INSTANT, ColumnKind.LINK})


@login_required
@require_GET
@vary_on_headers("HX-Request")
@explains_bad_filters
def metric_outliers(request: HttpRequest, key: str) -> HttpResponseBase:
    """A part of the page, or a page of its own."""
    metric = metric_named(key)
    if not has_distribution(metric):
        raise Http404("It is not made of one amount for each fact.")
    filters = metric_filters(request, metric)
    query = replace(query_of(filters, metric), statistic=None)
    found = visible_rows(query, filters.access, size=OUTLIERS_LISTED, order=RowOrder.GREATEST)
    context = {
        "title": f"Greatest of {metric.name}",
        "table": row_table(found, without=NOT_LISTED),
        "note": found.note,
        "part": "insights/metrics/_outliers.html",
    }
    if request.headers.get("HX-Request"):
        return render(request, "insights/metrics/_outliers.html", context)
    context["whose"] = scope_words(filters, look_around(request, filters))
    return render(request, "insights/part_page.html", context)
