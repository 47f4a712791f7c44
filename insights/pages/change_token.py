"""The change token: open pages poll it every two seconds to learn whether facts changed, as an ETag."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from insights.columns.change_token import change_token
from insights.ui.views import page_view


def current_token() -> str:
    """The ETag of the current figures."""
    return quote_etag(change_token())


@page_view
def page_change_token(request: HttpRequest) -> HttpResponseBase:
    """204 with the token of the newest facts, columns, memberships and day; 304 while it is unchanged."""
    response = HttpResponse(status=204)
    response["ETag"] = current_token()
    response["Cache-Control"] = "private, no-cache"
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
