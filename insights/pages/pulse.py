"""The pulse: an open page asks every two seconds whether facts changed, and is told so with an ETag alone."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET

from insights.columns.change_mark import change_mark


def mark() -> str:
    """The ETag of the figures of this moment."""
    return quote_etag(change_mark())


@login_required
@require_GET
def open_page_pulse(request: HttpRequest) -> HttpResponseBase:
    """204 with the mark of the newest facts, columns and memberships and of the day; 304 while the page knows all."""
    response = HttpResponse(status=204)
    response["ETag"] = mark()
    response["Cache-Control"] = "private, no-cache"
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
