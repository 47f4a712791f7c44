"""Lists of reviews, and which units wait for theirs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import django_filters
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from core.list_filters import ListFilters
from orgtree.access.access import Access
from orgtree.models import Unit, UnitPlacement
from orgtree.models.visibility import Visibility
from programs.models import Review
from programs.teams.queries import teams_on

MOST_DUE = 50


class ReviewFilters(ListFilters):
    """The reviews that the viewer may see and asks for, as `listed_reviews`."""

    unit = django_filters.CharFilter(method="of_unit", help_text="Slug: its reviews and those of the units below it.")
    state = django_filters.ChoiceFilter(
        method="in_state", label="State", empty_label="All", choices=[("open", "Open"), ("signed", "Signed")]
    )
    month = django_filters.DateFilter(input_formats=["%Y-%m-%d"], help_text="Its first day, 2026-10-01.")

    def __init__(self, data: Mapping[str, Any], access: Access, *, today: date) -> None:
        super().__init__(data, listed_reviews(access.visibility))
        self.today = today

    def of_unit(self, reviews: QuerySet[Review], _name: str, slug: str) -> QuerySet[Review]:
        below = UnitPlacement.objects.filter(ancestor__slug=slug, during__contains=self.today)
        return reviews.filter(unit__in=below.values("unit"))

    def in_state(self, reviews: QuerySet[Review], _name: str, state: str) -> QuerySet[Review]:
        return reviews.filter(signed_at__isnull=state == "open")


def listed_reviews(visibility: Visibility) -> QuerySet[Review, Any]:
    """Those that the viewer may see, the latest first, with what was decided and who attended."""
    return (
        Review.objects.within(visibility)
        .select_related("unit", "signed_by")
        .annotate(
            decisions=Count("points", filter=~Q(points__decision=""), distinct=True),
            tickets=Count("points__tickets", distinct=True),
            invited=Count("attendance", distinct=True),
            attended=Count("attendance", filter=Q(attendance__attended=True), distinct=True),
        )
        .order_by("-month", "unit__name", "pk")
    )


def last_month(today: date) -> date:
    """The first day of the month that is over."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def units_without_review(visibility: Visibility, month: date) -> QuerySet[Unit]:
    """Teams that the viewer leads and whose review of that month is not signed, by name."""
    if not visibility.leads_any:
        return Unit.objects.none()
    signed = Review.objects.filter(unit=OuterRef("pk"), month=month, signed_at__isnull=False)
    teams = teams_on((month + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    units = teams if visibility.leads_whole else teams.filter(pk__in=visibility.managed_ids)
    return units.filter(~Exists(signed)).order_by("name", "pk")
