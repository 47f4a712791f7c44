"""Middleware that refuses requests with a NUL in URL, form or cookies, which the database cannot store.

It runs before every view.  JSON bodies are checked by `insights.api.json_body`.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict, UnreadablePostError

from core.api.errors import error_document
from core.views import explained
from core.write_errors import FieldError

NUL = "\0"
MESSAGE = "A NUL character can be neither stored nor searched. Leave it out."


class RefuseNul:
    """Middleware.  A path with a NUL names nothing: 404; a parameter or form field: 400 that names it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A quoted cookie may contain \000: such a session does not exist.
        for name in [name for name, value in request.COOKIES.items() if NUL in value]:
            del request.COOKIES[name]
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: object, kwargs: object
    ) -> HttpResponse | None:
        if NUL in request.path_info:
            raise Http404("No path contains a NUL.")
        field = _field_with_nul(request.GET)
        if field is None and not getattr(view, "csrf_exempt", False):  # programs send no forms
            field = _field_with_nul(_form(request))
        return None if field is None else _refused(request, field)


def _form(request: HttpRequest) -> QueryDict:
    try:
        return request.POST
    except UnreadablePostError:  # the client disconnected
        return QueryDict()


def _field_with_nul(given: QueryDict) -> str | None:
    fields = (name for name, values in given.lists() if NUL in name or any(NUL in value for value in values))
    return next(fields, None)


def _refused(request: HttpRequest, field: str) -> HttpResponse:
    name = field.replace(NUL, "")
    if request.path_info.startswith("/api/"):
        return JsonResponse(error_document(name, MESSAGE), status=HTTPStatus.BAD_REQUEST)
    return explained(request, FieldError(name, MESSAGE))
