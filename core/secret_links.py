"""Secrets that open something for anyone who has them: tokens, and links to pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]


def secret_digest(secret: str) -> bytes:
    """SHA-256 of a random secret, which is stored in its place."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


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
