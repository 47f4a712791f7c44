"""The list of monthly reviews, and the teams whose review is due."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.page_links import Picker, page_links, read_page
from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from insights.ui.views import action_view, record_view
from orgtree.access.who_sees import names_of
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.models import Review
from programs.reviews.queries import MOST_DUE, ReviewFilters, last_month, units_without_review
from programs.reviews.services.writing import prepare_review

PAGE_SIZE = 25


@record_view
def reviews(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    filters = filters_of(request, facets=())
    around = scope_navigation(request, filters)
    own = {name: value for name in ("state", "month") if (value := request.GET.get(name, "").strip())}
    listed = ReviewFilters({"unit": filters.scope.unit or "", **own}, access, today=filters.today)
    page = Paginator(listed.qs, PAGE_SIZE).get_page(read_page(request))
    month = last_month(filters.today)
    context: dict[str, Any] = {
        "scope": scope_bar(filters, around, {}, request.path, extra_params=own),
        "whose": scope_words(filters, around),
        "states": _states(filters, own),
        "reviews": page,
        "names": names_of([review.signed_by for review in page if review.signed_by]),
        "month": month,
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


def _due(visibility: Visibility, month: date) -> list[tuple[Unit, int | None]]:
    """Units whose review is due, with the one that is open."""
    units = list(units_without_review(visibility, month)[:MOST_DUE])
    open_reviews = dict(Review.objects.filter(unit__in=units, month=month).values_list("unit", "pk"))
    return [(unit, open_reviews.get(unit.pk)) for unit in units]


def _states(filters: Filters, own: dict[str, str]) -> list[Picker]:
    return [
        Picker(label, _url(filters, {**own, "state": value}), active=own.get("state", "") == value)
        for value, label in ReviewFilters.pickers()["state"].items()
    ]


def _url(filters: Filters, own: dict[str, str], **more: str) -> str:
    return filters.url(reverse("reviews"), **{**own, **more})
