"""Error responses of insights pages for bad parameters, with a sentence that names the parameter.

400 for an invalid value; 404 for a unit that does not exist or is hidden from the viewer; 403 where no scope was
requested and the viewer has no default one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from core.write_errors import FieldError
from insights.query.errors import ScopeNeededError, UnknownUnitError

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
    """The error page, or JSON for scripts.  Raises Http404."""
    status = _status(problem)
    if "text/html" not in request.headers.get("Accept", "text/html"):
        return JsonResponse({"parameter": problem.field, "message": problem.message}, status=status)
    if status == HTTPStatus.NOT_FOUND:
        raise Http404(problem.message)
    if status == HTTPStatus.FORBIDDEN:
        return render(request, "insights/no_scope.html", status=status)
    without = request.GET.copy()
    for parameter in {problem.field, *(("from", "to", "through") if problem.field == "to" else ())}:
        without.pop(parameter, None)
    query = without.urlencode()
    context = {"problem": problem, "clear_url": f"{request.path}{'?' + query if query else ''}"}
    return render(request, "insights/bad_filter.html", context, status=status)


def _status(problem: FieldError) -> HTTPStatus:
    if isinstance(problem, UnknownUnitError):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.FORBIDDEN if isinstance(problem, ScopeNeededError) else HTTPStatus.BAD_REQUEST
