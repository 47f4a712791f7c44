"""What all pages of figures share: they need a sign-in, answer GET alone, and explain a wrong filter."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from insights.ui.bad_filter import Arguments, View, explains_bad_filters
from insights.ui.filters import Filters
from insights.ui.scope_bar import scope_navigation, scope_words


def page_view(view: View[Arguments]) -> View[Arguments]:
    return login_required(require_GET(explains_bad_filters(view)))


def part_view(view: View[Arguments]) -> View[Arguments]:
    """For a part that loads into a page, or opens as a page of its own."""
    return vary_on_headers("HX-Request")(page_view(view))


def render_part(
    request: HttpRequest,
    context: dict[str, Any],
    filters: Filters | None = None,
    *,
    page: str = "insights/part_page.html",
) -> HttpResponse:
    """The template `part` of the context; without htmx within `page`, which names the scope of the filters."""
    if request.headers.get("HX-Request"):
        return render(request, context["part"], context)
    if filters:
        context = {**context, "whose": scope_words(filters, scope_navigation(request, filters))}
    return render(request, page, context)
