"""Pages whose address is a secret: whoever has the link may use it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]


def secret_link(view: View[Arguments]) -> View[Arguments]:
    """No page that is opened from this one learns its address.

    `no-referrer` would go further, and make browsers send `Origin: null`, which the check of forms refuses.
    """

    @wraps(view)
    def without_address(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        return response

    return without_address
