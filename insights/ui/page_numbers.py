"""Pagination: the page number of a URL, and the context of the page links."""

from __future__ import annotations

from collections.abc import Callable, Sized

from django.http import HttpRequest

from insights.query.errors import QueryError

LAST_PAGE = 1_000_000
PAGE_SIZE = 50


def page_numbers(
    page: int, shown: Sized, total: int, url: Callable[[int], str], *, size: int = PAGE_SIZE
) -> dict[str, object]:
    """Template context of page `page` (from 1) of size `size`, which shows the rows `shown` of `total`."""
    first = (page - 1) * size + 1
    last = first + len(shown) - 1
    return {
        "first": first,
        "last": last,
        "total": f"{total:,}",
        "previous_url": url(page - 1) if page > 1 else "",
        "next_url": url(page + 1) if last < total else "",
    }


def read_page(request: HttpRequest) -> int:
    """The page's number, from 1.  Raises QueryError."""
    written = request.GET.get("page") or "1"
    if written.isascii() and written.isdigit() and 1 <= int(written[:9]) <= LAST_PAGE:
        return int(written[:9])
    raise QueryError("page", "It must be a page number, from 1.")
