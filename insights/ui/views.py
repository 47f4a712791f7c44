"""Views of pages with figures."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from core.views import Arguments, View, page_view
from insights.columns.source import PAGE
from insights.engine.live_rows import rows_of_answer
from insights.privacy.scope_access import access_in
from insights.ui.filters import Filters
from insights.ui.scope_bar import scope_navigation, scope_words


def figures_view(view: View[Arguments]) -> View[Arguments]:
    """Decorate a page with several reads of figures: all are as of one moment, and share their look-ups."""

    @wraps(view)
    def of_one_moment(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
        access_in(request)  # may write, which nothing can from within
        with rows_of_answer(PAGE):
            return view(request, *args, **kwargs)

    return page_view(of_one_moment)


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
        context = {**context, "whose": scope_words(filters, scope_navigation(request, filters, is_part=True))}
    return render(request, page, context)
