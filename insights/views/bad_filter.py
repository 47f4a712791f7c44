"""A wrong parameter in an address is answered with 400 and a sentence that names it, on every insights page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from insights.filters import BadFilterError
from insights.metrics.errors import QueryError

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponseBase]


def explains_bad_filters(view: View[Arguments]) -> View[Arguments]:
    @wraps(view)
    def explained(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (BadFilterError, QueryError) as problem:
            if "text/html" not in request.headers.get("Accept", "text/html"):
                return JsonResponse({"parameter": problem.parameter, "message": problem.message}, status=400)
            without = request.GET.copy()
            for parameter in {problem.parameter, *(("from", "to", "through") if problem.parameter == "to" else ())}:
                without.pop(parameter, None)
            query = without.urlencode()
            context = {"problem": problem, "clear_url": f"{request.path}{'?' + query if query else ''}"}
            return render(request, "insights/bad_filter.html", context, status=400)

    return explained
