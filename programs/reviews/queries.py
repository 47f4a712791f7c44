"""Lists of reviews, units whose review is missing, and the review of a meeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import django_filters
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse

from core.list_filters import ViewerFilters
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.meetings.services.records import MeetingRecord
from programs.models import Meeting, MeetingKind, Review, ReviewPoint
from programs.requests.visible import UnitFilter
from programs.teams.queries import teams_on

MOST_DUE = 50


class ReviewFilters(ViewerFilters):
    """The reviews that the viewer may see and that match the filters, as in `listed_reviews`."""

    unit = UnitFilter(help_text="Slug: its reviews and those of the units below it.")
    state = django_filters.ChoiceFilter(
        method="in_state", label="State", empty_label="All", choices=[("open", "Open"), ("signed", "Signed")]
    )
    month = django_filters.DateFilter(input_formats=["%Y-%m-%d"], help_text="Its first day, 2026-10-01.")

    def visible(self, access: Access) -> QuerySet[Review]:
        return listed_reviews(access.visibility)

    def in_state(self, reviews: QuerySet[Review], _name: str, state: str) -> QuerySet[Review]:
        return reviews.filter(signed_at__isnull=state == "open")


def listed_reviews(visibility: Visibility) -> QuerySet[Review, Any]:
    """The reviews that the viewer may see, latest first, with their decisions and attendance."""
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


def point_of(review: Review, pk: int) -> ReviewPoint:
    """A point of the review.  Raises Http404."""
    return get_object_or_404(review.points.select_related("review__unit"), pk=pk)


def last_month(today: date) -> date:
    """The first day of the last complete month."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def units_without_review(visibility: Visibility, month: date) -> QuerySet[Unit]:
    """Teams that the viewer leads and whose review of that month is not signed, by name."""
    if not visibility.leads_any:
        return Unit.objects.none()
    signed = Review.objects.filter(unit=OuterRef("pk"), month=month, signed_at__isnull=False)
    teams = teams_on((month + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    units = teams if visibility.leads_whole else teams.filter(pk__in=visibility.managed_ids)
    return units.filter(~Exists(signed)).order_by("name", "pk")


def reviews_of_meetings(meetings: Sequence[Meeting], visibility: Visibility) -> Mapping[int, MeetingRecord]:
    """Maps meeting ids to reviews; for one not prepared yet, a link to the list for those who lead the unit."""
    about = [meeting for meeting in meetings if meeting.series.kind == MeetingKind.REVIEW and meeting.series.unit_id]
    seen = Review.objects.within(visibility).filter(
        unit__in={meeting.series.unit_id for meeting in about}, month__in={meeting.period_start for meeting in about}
    )
    reviews = {(review.unit_id, review.month): review for review in seen}
    found = {}
    for meeting in about:
        unit = meeting.series.unit
        review = reviews.get((unit.pk, meeting.period_start)) if unit else None
        if unit is None or (review is None and not visibility.leads(unit.pk)):
            continue
        found[meeting.pk] = MeetingRecord(
            title=f"Review of {unit.name}, {meeting.period_start:%B %Y}",
            url=reverse("review", args=[review.pk]) if review else f"{reverse('reviews')}?unit={unit.slug}",
            is_signed=review is not None and review.is_signed,
            signers=frozenset([unit.leader_id] if unit.leader_id else []),
        )
    return found
