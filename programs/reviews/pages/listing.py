"""The list of monthly reviews, and the teams whose review is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from core.page_links import page_links
from core.write_errors import FieldError
from insights.pages.annotations.labels import GONE
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.filters import Filters, read_filters
from insights.ui.page_numbers import read_page
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from insights.ui.tiles import Picker
from insights.ui.views import action_view, record_view
from orgtree.access.who_sees import names_of
from orgtree.models import Unit
from programs.models import Review
from programs.reviews.pages.labels import month_words
from programs.reviews.queries import MOST_DUE, ReviewFilters, last_month, units_without_review
from programs.reviews.services.writing import prepare_review

PAGE_SIZE = 25


@dataclass(frozen=True)
class ReviewLine:
    url: str
    unit: str
    month: str
    state: str
    signed: str  # by whom and when
    decisions: int
    tickets: int
    attendance: str


@dataclass(frozen=True)
class DueReview:
    slug: str
    unit: str
    url: str  # of the open review; empty: it is not prepared


@record_view
def reviews(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    filters = read_filters(request.GET, today=windows.local_today(), access=access).without_facets()
    around = scope_navigation(request, filters)
    own = {name: value for name in ("state", "month") if (value := request.GET.get(name, "").strip())}
    listed = ReviewFilters({"unit": filters.scope.unit or "", **own}, access, today=filters.today)
    page = Paginator(listed.qs, PAGE_SIZE).get_page(read_page(request))
    month = last_month(filters.today)
    context: dict[str, Any] = {
        "scope": scope_bar(filters, around, {}, request.path, extra_params=own),
        "whose": scope_words(filters, around),
        "states": _states(filters, own),
        "reviews": _lines(list(page)),
        "month": month_words(month),
        "month_key": month.isoformat(),
        "due": _due(access.visibility, month),
        "leads": access.visibility.leads_any,
        "is_narrowed": bool(own),
        **page_links(page, lambda number: _url(filters, own, page=number)),
        "all_url": _url(filters, {}),
    }
    return render(request, "programs/reviews/list.html", context)


@action_view
def review_prepare(request: HttpRequest) -> HttpResponse:
    """`unit` (a slug) and `month` (its first day)."""
    access = access_in(request)
    unit = Unit.objects.within(access.visibility).filter(slug=request.POST.get("unit", "").replace("\x00", "")).first()
    if unit is None:
        raise Http404("There is no such unit, or you may not see it.")
    try:
        month = date.fromisoformat(request.POST.get("month", ""))
        prepared = prepare_review(access, unit, month)
    except FieldError as problem:
        messages.error(request, problem.message)
    except ValueError:
        messages.error(request, "Give a month by its first day, such as 2026-10-01.")
    else:
        return redirect("review", prepared.pk)
    return redirect("reviews")


def _lines(listed: Sequence[Review]) -> list[ReviewLine]:
    names = names_of([review.signed_by for review in listed if review.signed_by])
    return [
        ReviewLine(
            url=reverse("review", args=[review.pk]),
            unit=review.unit.name,
            month=month_words(review.month),
            state="Signed" if review.is_signed else "Open",
            signed=signed_words(review, names),
            decisions=review.decisions,  # type: ignore[attr-defined]  # annotated by listed_reviews
            tickets=review.tickets,  # type: ignore[attr-defined]
            attendance=f"{review.attended} of {review.invited}",  # type: ignore[attr-defined]
        )
        for review in listed
    ]


def signed_words(review: Review, names: Any) -> str:
    """By whom and when; empty where it is open."""
    if review.signed_at is None:
        return ""
    return f"{names.get(review.signed_by_id or 0, GONE)}, {wording.day(timezone.localdate(review.signed_at))}"


def _due(visibility: Any, month: date) -> list[DueReview]:
    units = list(units_without_review(visibility, month)[:MOST_DUE])
    open_reviews = dict(Review.objects.filter(unit__in=units, month=month).values_list("unit", "pk"))
    return [
        DueReview(
            unit.slug, unit.name, reverse("review", args=[open_reviews[unit.pk]]) if unit.pk in open_reviews else ""
        )
        for unit in units
    ]


def _states(filters: Filters, own: dict[str, str]) -> list[Picker]:
    return [
        Picker(label, _url(filters, {**own, "state": value}), active=own.get("state", "") == value)
        for value, label in ReviewFilters.pickers()["state"].items()
    ]


def _url(filters: Filters, own: dict[str, str], **more: str) -> str:
    pairs = {name: value for name, value in {**own, **more}.items() if value}
    return filters.url(reverse("reviews"), **pairs)
