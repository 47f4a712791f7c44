"""Lists of the Web API: pages by number, with the total of entries in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.connectors.base import Http, Json
from integrations.connectors.errors import TransientError
from integrations.connectors.unchecked import object_of, objects_of

PER_PAGE = 100
MOST = 10_000  # entries that a list gives


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page of a list; `left` is the number of entries after it."""

    entries: list[Json]
    left: int
    headers: Mapping[str, str]


def list_page(http: Http, path: str, within: str, params: Mapping[str, Any], number: int) -> ListedPage:
    """A page of a list.  Raises TransientError if it is not the requested page."""
    response = http.get(path, params={**params, "p": number, "ps": PER_PAGE})
    document = response.json()
    entries, paging = object_of(document).get(within), object_of(document, "paging")
    if not isinstance(entries, list):
        raise TransientError(f"SonarQube answered {path} with something other than a list.")
    if paging.get("pageIndex") != number:
        raise TransientError(f"SonarQube answered {path} with another page.")
    total = paging.get("total")
    known = min(total, MOST) if isinstance(total, int) and not isinstance(total, bool) else 0
    return ListedPage(objects_of(entries), max(0, known - number * PER_PAGE), response.headers)


def list_all(http: Http, path: str, within: str, params: Mapping[str, Any]) -> Iterator[Json]:
    number = 1
    while True:
        page = list_page(http, path, within, params, number)
        yield from page.entries
        if not page.left:
            return
        number += 1
