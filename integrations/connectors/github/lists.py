"""Reads GitHub's REST lists: pages by their Link headers, with conditional requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.connectors.base import Http
from integrations.connectors.errors import TransientError
from integrations.connectors.json_text import list_in
from integrations.connectors.unchecked import object_of

PER_PAGE = 100
_LINK = re.compile(r'<([^<>]+)>\s*;\s*rel="(next|last)"')
_PAGE_NUMBER = re.compile(r"[?&]page=(\d{1,7})(?:&|$)")


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list.  `next` is the address of the following one, empty at the end; `pages_left` is an estimate.

    `total` counts this page and all that follow, if the list reports it.
    """

    items: list[Any]
    next: str
    etag: str
    headers: Mapping[str, str]
    pages_left: int | None
    total: int | None = None


def list_page(
    http: Http, path: str, *, params: Mapping[str, Any] | None = None, etag: str = "", within: str = ""
) -> Listed | None:
    """The page at `path`; None if it is unchanged since it had `etag`.

    `within` is the field that holds the list if the answer is an object (workflow_runs).
    """
    response = http.get(path, params=params, headers={"if-none-match": etag} if etag else None)
    if response.status == 304:
        return None
    links = {name: address for address, name in _LINK.findall(response.headers.get("link", ""))}
    document = response.json()
    total = object_of(document).get("total_count")
    return Listed(
        items=list_in(document, within, f"GitHub answered {path.partition('?')[0]}"),
        next=links.get("next", ""),
        etag=response.headers.get("etag", ""),
        headers=response.headers,
        pages_left=_pages_left(links),
        total=total if isinstance(total, int) else None,
    )


def following(listed: Listed, address: str) -> str:
    """The next page's address, empty at the end.  Raises TransientError if the page at `address` names itself."""
    if listed.next and listed.next == address:
        raise TransientError("GitHub's list leads in a circle: a page names itself as the next.")
    return listed.next


def list_all(http: Http, path: str, *, within: str = "") -> Iterator[Any]:
    """The entries of all pages."""
    page = list_page(http, path, params={"per_page": PER_PAGE}, within=within)
    while page is not None:
        yield from page.items
        if not page.next:
            return
        page = list_page(http, page.next, within=within)


def _pages_left(links: Mapping[str, str]) -> int | None:
    if "next" not in links:
        return 0
    next_, last = (_PAGE_NUMBER.search(links.get(name, "")) for name in ("next", "last"))
    return int(last[1]) - int(next_[1]) + 1 if next_ and last else None
