"""Which business reviews there are, and which one is before another."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from core.list_filters import ListFilters
from orgtree.models.visibility import Visibility
from programs.models import Qbr, QbrPeriod, QbrState


class QbrFilters(ListFilters):
    """What a list of reviews is narrowed to, on pages and over the API."""

    unit = django_filters.CharFilter(field_name="unit__slug", label="Unit", help_text="Slug.")
    period = django_filters.ChoiceFilter(choices=QbrPeriod.choices, label="Period", empty_label="Any period")
    state = django_filters.ChoiceFilter(choices=QbrState.choices, label="State", empty_label="Any state")
    start = django_filters.DateFilter(field_name="start", label="Begins on", help_text="The first day of the period.")


def visible_qbrs(visibility: Visibility) -> QuerySet[Qbr]:
    """Those that the viewer may see, the latest first, with unit and document."""
    return Qbr.objects.within(visibility).select_related("unit", "document").order_by("-start", "-end", "unit", "pk")


def preceding_qbr(qbr: Qbr, visibility: Visibility) -> Qbr | None:
    """The latest frozen one of the same unit and kind of period before it, if the viewer may see it."""
    earlier = visible_qbrs(visibility).filter(unit=qbr.unit, period=qbr.period, document__isnull=False)
    return earlier.filter(end__lte=qbr.start).first()
