"""A metric of the units below, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404, HttpRequest

from insights.catalogue.declarations import Metric
from insights.pages.metric.filters import metric_filters, metric_page_of
from insights.pages.routes import units_urls
from insights.pages.units import Column, UnitsOfPage, units_of_page
from insights.query.enums import BelongsTo, UnitOfMeasure
from insights.ui.metric_panel import metric_named


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


def metric_units(request: HttpRequest, key: str) -> UnitsOfPage:
    """Raises Http404 and BadFilterError."""
    metric = metric_named(key)
    if metric.always_by:
        raise Http404("It is always split in another way.")
    columns = columns_of(metric)
    filters = metric_filters(request, metric, columns)
    return units_of_page(request, metric_page_of(metric), filters, columns, name="metric")


urlpatterns = units_urls("metric", metric_units)
