"""What stands below a list that comes in pages: which of how many, and the ways to the pages beside."""

from __future__ import annotations

from collections.abc import Callable


def page_numbers(page: int, *, size: int, shown: int, total: int, url: Callable[[int], str]) -> dict[str, object]:
    """For the context of a template: of page `page` (from 1), which has `shown` of `total` rows and room for `size`."""
    first = (page - 1) * size + 1
    last = first + shown - 1
    return {
        "first": first,
        "last": last,
        "total": f"{total:,}",
        "previous_url": url(page - 1) if page > 1 else "",
        "next_url": url(page + 1) if last < total else "",
    }
