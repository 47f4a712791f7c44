"""URLs with parameters and of named routes, links that choose an option, and links between the pages of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page
from django.http import HttpRequest, QueryDict
from django.urls import get_script_prefix, reverse

from core.write_errors import FieldError

PAGE_SIZE = 50
LAST_PAGE = 1_000_000


@dataclass(frozen=True)
class Picker:
    """An option of a segmented control or a menu: the page with that option.

    With a `key`, which is unique on the page, it replaces its card alone (static/js/swap.js).
    """

    label: str
    url: str
    active: bool
    note: str = ""
    key: str = ""


def url_with(path: str, params: Mapping[str, object] | Iterable[tuple[str, object]]) -> str:
    """`path` with these parameters; those that are empty or None are left out.

    An empty path is this page, also without any parameter: an empty link would keep those of its address.
    """
    if isinstance(params, QueryDict):
        pairs: Iterable[tuple[str, object]] = [(name, value) for name, values in params.lists() for value in values]
    else:
        pairs = params.items() if isinstance(params, Mapping) else params
    query = urlencode([(name, value) for name, value in pairs if value not in ("", None)])
    return f"{path}?{query}" if query or not path else path


def with_parameter(url: str, name: str, value: object) -> str:
    """The URL with one more parameter."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode({name: value})}"


def read_page(request: HttpRequest) -> int:
    """The number of the page that the address names, from 1.  Raises FieldError."""
    written = request.GET.get("page") or "1"
    if written.isascii() and written.isdigit() and 1 <= int(written[:9]) <= LAST_PAGE:
        return int(written[:9])
    raise FieldError("page", "It must be a page number, from 1.")


def page_links(page: Page[Any], url: Callable[[str], str]) -> dict[str, object]:
    """The links of a page of Django's paginator, as `links_of_page`."""
    return links_of_page(page.number, page.object_list, page.paginator.count, url, size=page.paginator.per_page)


def links_of_page(page: int, shown: Sized, total: int, url: Callable[[str], str], *, size: int) -> dict[str, object]:
    """Context of `components/paging.html` for page `page` (from 1) of this size, which shows `shown` of `total` rows.

    `url` is the list's URL with that number as its page.
    """
    before = (page - 1) * size
    last = before + len(shown) if shown else 0  # beyond the end nothing is shown
    return {
        "first": f"{before + 1:,}" if shown else "0",
        "last": f"{last:,}",
        "total": f"{total:,}",
        "previous_url": url(str(page - 1)) if page > 1 else "",
        "next_url": url(str(page + 1)) if before + size < total else "",
    }


CACHE_SIZE = 4_096  # a page has two hundred links, and reversing them dominated its rendering


def address(name: str, *about: str) -> str:
    """The URL of a route name and its path arguments, as `reverse`.  Raises django.urls.NoReverseMatch."""
    return _address(get_script_prefix(), name, about)


@lru_cache(maxsize=CACHE_SIZE)
def _address(_prefix: str, name: str, about: tuple[str, ...]) -> str:
    return reverse(name, args=about)
