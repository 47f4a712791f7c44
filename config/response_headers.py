"""Keeps answers of signed-in readers and of API tokens out of caches that others share."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class PrivateAnswers:
    """Middleware: answers to requests with a session or a token say `Cache-Control: private, no-store`.

    What a reader may see is decided at each request: neither a proxy nor a shared computer's disk may repeat it later.
    Views that set the header themselves keep theirs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES or "Authorization" in request.headers:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
