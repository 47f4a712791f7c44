"""The list of monthly reviews, and the teams whose review is due."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.views import action_view
from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from orgtree.access.who_sees import names_of
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.models import Review
from programs.requests.list_pages import UnitList
from programs.reviews.queries import MOST_DUE, ReviewFilters, last_month, units_without_review
from programs.reviews.services.writing import prepare_review


class Reviews(UnitList):
    plural = "reviews"
    filters = ReviewFilters
    template_name = "programs/reviews/list.html"
    card = "programs/reviews/_table.html"

    def context(self) -> dict[str, Any]:
        context, month, visibility = super().context(), last_month(self.today), self.access.visibility
        return {
            **context,
            "names": names_of([review.signed_by for review in context["rows"] if review.signed_by]),
            "month": month,
            "due": _due(visibility, month),
        }


@action_view
def review_prepare(request: HttpRequest) -> HttpResponse:
    """Prepares the review of `unit` (a slug) and `month` (its first day)."""
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
    """Units whose review is due, each with the id of its open review, if there is one."""
    units = list(units_without_review(visibility, month)[:MOST_DUE])
    open_reviews = dict(Review.objects.filter(unit__in=units, month=month).values_list("unit", "pk"))
    return [(unit, open_reviews.get(unit.pk)) for unit in units]
