"""Reads GitLab's REST lists, by page number or by keyset, whichever their links say.

https://docs.gitlab.com/api/rest/#pagination: beyond 10,000 records a list has no total.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from integrations.connectors.base import Http
from integrations.connectors.errors import TransientError
from integrations.connectors.json_text import list_in

PER_PAGE = 100
_NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="?next"?')


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list; `next` are the parameters of the following one, empty at the end.

    `total` counts all pages; None if GitLab does not say.
    """

    items: list[Any]
    next: Mapping[str, str]
    total: int | None
    headers: Mapping[str, str]


def list_page(http: Http, path: str, params: Mapping[str, Any]) -> Listed:
    """A page of the list at `path`.  Raises TransientError if it is not a list, or names itself as the next page.

    Only the parameters of links are used, because their address is the server's own view of it.
    """
    response = http.get(path, params={"per_page": PER_PAGE, **params})
    following = _following(response.headers, params)
    if following and all(str(params.get(name, "")) == value for name, value in following.items()):
        raise TransientError(f"GitLab's list {path} leads in a circle: a page names itself as the next.")
    total = response.headers.get("x-total", "")
    return Listed(
        items=list_in(response.json(), "", f"GitLab answered {path}"),
        next=following,
        total=int(total) if total.isdecimal() else None,
        headers=response.headers,
    )


def list_all(http: Http, path: str, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """The entries of all pages."""
    here: Mapping[str, Any] = params or {}
    while True:
        listed = list_page(http, path, here)
        yield from listed.items
        if not listed.next:
            return
        here = {**here, **listed.next}


def _following(headers: Mapping[str, str], params: Mapping[str, Any]) -> Mapping[str, str]:
    """The parameters of the next page by its link, or by its number where a proxy drops links."""
    if link := _NEXT.search(headers.get("link", "")):
        return dict(parse_qsl(urlsplit(link[1]).query, keep_blank_values=True))
    number = headers.get("x-next-page", "").strip()
    return {"page": number} if number else {}
