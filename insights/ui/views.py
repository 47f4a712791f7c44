"""Parts of pages, and forms in the side panel."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.write_forms import WriteForm
from insights.ui.filters import Filters
from insights.ui.metric_panel import base_template, is_panel
from insights.ui.scope_bar import scope_navigation, scope_words


def render_part(
    request: HttpRequest,
    context: dict[str, Any],
    filters: Filters | None = None,
    *,
    page: str = "insights/part_page.html",
) -> HttpResponse:
    """The template `part` of the context, and what is `lacking` in it.

    For requests without htmx it is a page of its own: `page`, which names the scope of the filters.
    """
    if request.headers.get("HX-Request"):
        return render(request, "insights/_part.html", context)
    if filters:
        context = {**context, "whose": scope_words(filters, scope_navigation(request, filters, is_part=True))}
    return render(request, page, context)


def form_panel(request: HttpRequest, template: str, form: WriteForm, **context: Any) -> HttpResponse:
    """The form in the side panel, with status 200 because the panel shows no other responses, or as a page of its
    own.
    """
    context |= {"form": form, "base_template": base_template(request), "action": request.get_full_path()}
    return render(request, template, context, status=200 if is_panel(request) else form.status)
