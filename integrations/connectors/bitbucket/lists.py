"""Reads Bitbucket's lists, by the parameters of their links or, where records are only sorted, by page number.

https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination: `values` holds the entries, `next` the address
of the following page, and `size` their number, if it is known.  A page number that is too high is refused, so none is
made up: https://github.com/apache/devlake/issues/4539
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from integrations.connectors.base import Http
from integrations.connectors.errors import TransientError
from integrations.connectors.json_text import list_in
from integrations.connectors.unchecked import object_of, text_of

API = "/2.0/"
PER_PAGE = 100
PER_PAGE_OF_PULL_REQUESTS = 50  # the most that these lists give, as does a pull request's activity


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list; `next` are the parameters of the following one, empty at the end."""

    items: list[Any]
    next: Mapping[str, str]
    total: int | None
    headers: Mapping[str, str]


def list_page(http: Http, path: str, params: Mapping[str, Any]) -> Listed:
    """A page of the list at `path`.  Raises TransientError if it is not a list, or not the requested page.

    Only the parameters of links are used, because their address is the server's own view of it.
    """
    response = http.get(path, params={"pagelen": PER_PAGE, **params})
    document = object_of(response.json())
    items = list_in(response.json(), "values", f"Bitbucket answered {path}")
    following = dict(parse_qsl(urlsplit(text_of(document, "next")).query, keep_blank_values=True))
    if following and all(str(params.get(name, "")) == value for name, value in following.items() if name != "pagelen"):
        raise TransientError(f"Bitbucket's list {path} leads in a circle: a page names itself as the next.")
    number, requested = text_of(document, "page"), str(params.get("page", "1"))
    if number and number != requested and requested.isdecimal():
        raise TransientError(f"Bitbucket answered {path} with page {number} of its list instead of page {requested}.")
    total = text_of(document, "size")
    return Listed(items, following, int(total) if total.isdecimal() else None, response.headers)


def list_all(http: Http, path: str, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """The entries of all pages."""
    here: Mapping[str, Any] = params or {}
    while True:
        listed = list_page(http, path, here)
        yield from listed.items
        if not listed.next:
            return
        here = {**here, **listed.next}
