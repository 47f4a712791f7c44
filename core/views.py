"""Views of pages: they require a sign-in, restrict methods, and explain a wrong parameter."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from core.page_links import url_with
from core.write_errors import FieldError

CONTEXT = "context"  # in the account's session: the parameters of the page that it saw last

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
        return render(request, "no_scope.html", status=problem.status)
    without = request.GET.copy()
    for parameter in {problem.field, *(("from", "to", "through") if problem.field == "to" else ())}:
        without.pop(parameter, None)
    context = {"problem": problem, "clear_url": url_with(request.path, without)}
    return render(request, "bad_filter.html", context, status=problem.status)


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


def part_view(view: View[Arguments]) -> View[Arguments]:
    """Decorate a part that loads into a page, or opens as a separate page."""
    return vary_on_headers("HX-Request")(page_view(view))
