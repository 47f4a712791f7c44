"""Shared by views of pages: they require a sign-in, restrict methods, and explain a wrong parameter."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from core.page_links import url_with
from core.write_errors import FieldError
from insights.columns.source import PAGE
from insights.engine.live_rows import rows_of_answer
from insights.privacy.scope_access import access_in
from insights.ui.filters import CONTEXT, Filters
from insights.ui.scope_bar import scope_navigation, scope_words

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponseBase]


def explains_bad_filters(view: View[Arguments]) -> View[Arguments]:
    @wraps(view)
    def explaining(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except FieldError as problem:
            return explained(request, problem)

    return explaining


def explained(request: HttpRequest, problem: FieldError) -> HttpResponse:
    """The error page, or JSON for scripts.  Raises Http404.

    The session forgets a context that can no longer be shown, such as a unit that is gone.
    """
    if problem.field not in request.GET:
        request.session.pop(CONTEXT, None)
    if "text/html" not in request.headers.get("Accept", "text/html"):
        return JsonResponse({"parameter": problem.field, "message": problem.message}, status=problem.status)
    if problem.status == HTTPStatus.NOT_FOUND:
        raise Http404(problem.message)
    if problem.status == HTTPStatus.FORBIDDEN:
        return render(request, "insights/no_scope.html", status=problem.status)
    without = request.GET.copy()
    for parameter in {problem.field, *(("from", "to", "through") if problem.field == "to" else ())}:
        without.pop(parameter, None)
    context = {"problem": problem, "clear_url": url_with(request.path, without)}
    return render(request, "insights/bad_filter.html", context, status=problem.status)


def page_view(view: View[Arguments]) -> View[Arguments]:
    return login_required(require_GET(explains_bad_filters(view)))


def form_view(view: View[Arguments]) -> View[Arguments]:
    """Decorate a page that also accepts POST."""
    return login_required(never_cache(require_http_methods(["GET", "POST"])(explains_bad_filters(view))))


def record_view(view: View[Arguments]) -> View[Arguments]:
    """Decorate a page of editable content: a browser that returns to it reads it again."""
    return never_cache(page_view(view))


def action_view(view: View[Arguments]) -> View[Arguments]:
    """Decorate a view that only accepts POST from forms."""
    return login_required(never_cache(require_POST(explains_bad_filters(view))))


def figures_view(view: View[Arguments]) -> View[Arguments]:
    """Decorate a page with several reads of figures: all are as of one moment, and share their look-ups."""

    @wraps(view)
    def of_one_moment(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
        access_in(request)  # may write, which nothing can from within
        with rows_of_answer(PAGE):
            return view(request, *args, **kwargs)

    return page_view(of_one_moment)


def part_view(view: View[Arguments]) -> View[Arguments]:
    """Decorate a part that loads into a page, or opens as a separate page."""
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
        context = {**context, "whose": scope_words(filters, scope_navigation(request, filters, is_part=True))}
    return render(request, page, context)
