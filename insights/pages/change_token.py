"""The change token: open pages poll it every two seconds to learn whether facts changed, as an ETag."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.http import quote_etag
from django.views.decorators.http import etag

from insights.columns.change_token import change_token
from insights.ui.views import page_view


def current_token() -> str:
    """The ETag of the current figures."""
    return quote_etag(change_token())


@page_view
@etag(lambda _request: current_token())
def page_change_token(request: HttpRequest) -> HttpResponse:
    """204 with the token of the newest facts, columns, memberships and day; 304 while it is unchanged."""
    return HttpResponse(status=204)
