"""Links between the pages of a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.paginator import Page


def page_links(page: Page[Any], url: Callable[[str], str]) -> dict[str, object]:
    """Context of `components/paging.html`; `url` is the list's address with that number as its page."""
    return {
        "first": page.start_index(),
        "last": page.end_index(),
        "total": f"{page.paginator.count:,}",
        "previous_url": url(str(page.previous_page_number())) if page.has_previous() else "",
        "next_url": url(str(page.next_page_number())) if page.has_next() else "",
    }
