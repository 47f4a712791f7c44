"""Parts of pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from insights.ui.filters import Filters
from insights.ui.scope_bar import scope_navigation, scope_words


def render_part(
    request: HttpRequest,
    context: dict[str, Any],
    filters: Filters | None = None,
    *,
    page: str = "insights/part_page.html",
) -> HttpResponse:
    """The template `part` of the context, and what is `lacking` in it.

    Without htmx within `page`, which names the scope of the filters.
    """
    if request.headers.get("HX-Request"):
        return render(request, "insights/_part.html", context)
    if filters:
        context = {**context, "whose": scope_words(filters, scope_navigation(request, filters, is_part=True))}
    return render(request, page, context)
