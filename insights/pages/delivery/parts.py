"""Parts that load after the page: menus, and whatever is slow.

Without JavaScript their links open the same parts as pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from insights.pages.delivery.answers import DELIVERY_PAGE
from insights.pages.delivery.page import page_filters
from insights.pages.delivery.sections import LEDES, section
from insights.pages.delivery.spread import slowest
from insights.pages.filter_bar import facet_part
from insights.pages.integrations.needs import need_lines
from insights.ui.bad_filter import explains_bad_filters
from insights.ui.filters import Filters
from insights.ui.scope_bar import scope_navigation, scope_words
from integrations.delivery.completeness import completeness


def slowest_part(_request: HttpRequest, filters: Filters) -> dict[str, Any]:
    return {"title": "Slowest changes", "slowest": slowest(filters), "part": "insights/_part_slowest.html"}


def needs(request: HttpRequest, _filters: Filters) -> dict[str, Any]:
    """The missing inputs of DORA, independent of the filters."""
    for_admin = bool(getattr(request.user, "is_staff", False))
    lines = need_lines(completeness(), timezone.now(), for_admin=for_admin)
    return {"title": "Missing DORA inputs", "needs": lines, "part": "insights/_part_dora_needs.html"}


def _section(name: str) -> Callable[[HttpRequest, Filters], dict[str, Any]]:
    def made(_request: HttpRequest, filters: Filters) -> dict[str, Any]:
        return {
            "title": name.capitalize(),
            "section": section(name, filters),
            "part": "insights/delivery/_section.html",
        }

    return made


def _menu(part: str) -> Callable[[HttpRequest, Filters], dict[str, Any]]:
    def menu(_request: HttpRequest, filters: Filters) -> dict[str, Any]:
        return {**facet_part(DELIVERY_PAGE, filters, part), "part": "insights/_part_facet.html"}

    return menu


PARTS: Mapping[str, Callable[[HttpRequest, Filters], dict[str, Any]]] = {
    "slowest": slowest_part,
    "needs": needs,
    **{name: _section(name) for name in LEDES},
    **{offered.part: _menu(offered.part) for offered in DELIVERY_PAGE.facets},
}


@login_required
@require_GET
@vary_on_headers("HX-Request")
@explains_bad_filters
def delivery_part(request: HttpRequest, name: str) -> HttpResponseBase:
    try:
        part = PARTS[name]
    except KeyError:
        raise Http404("No such part.") from None
    filters = page_filters(request)
    context = part(request, filters)
    if request.headers.get("HX-Request"):
        return render(request, context["part"], context)
    context["whose"] = scope_words(filters, scope_navigation(request, filters))
    return render(request, "insights/part_page.html", context)
