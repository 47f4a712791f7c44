"""The page of a list that a URL names."""

from __future__ import annotations

from django.http import HttpRequest

from insights.query.errors import QueryError

LAST_PAGE = 1_000_000
PAGE_SIZE = 50


def read_page(request: HttpRequest) -> int:
    """The page's number, from 1.  Raises QueryError."""
    written = request.GET.get("page") or "1"
    if written.isascii() and written.isdigit() and 1 <= int(written[:9]) <= LAST_PAGE:
        return int(written[:9])
    raise QueryError("page", "It must be a page number, from 1.")
