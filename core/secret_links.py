"""Pages behind a secret link: anyone who has the link may use it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]


def secret_link(view: View[Arguments]) -> View[Arguments]:
    """Keeps the link out of the Referer header of pages opened from this one.

    `no-referrer` would be stricter, but makes browsers send `Origin: null`, which Django's CSRF check refuses.
    """

    @wraps(view)
    def without_address(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        return response

    return without_address
