"""PagerDuty's lists: pages of a hundred by offset, none of which reaches beyond the ten-thousandth entry.

https://developer.pagerduty.com/docs/pagination
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.connectors.base import Http
from integrations.connectors.errors import TransientError

PER_PAGE = 100
MOST_OF_A_LIST = 10_000


def list_page(http: Http, path: str, name: str, params: Mapping[str, Any], *, offset: int) -> tuple[list[Any], bool]:
    """The entries from `offset` on, and whether there are more."""
    document = http.get(path, params={**params, "limit": PER_PAGE, "offset": offset}).json()
    entries = document.get(name) if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise TransientError(f"PagerDuty answered {path} with something else than a list of {name}.")
    return entries, bool(entries) and document.get("more") is True


def list_all(http: Http, path: str, name: str, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """The entries of all pages, up to the cap."""
    offset, more = 0, True
    while more and offset < MOST_OF_A_LIST:
        entries, more = list_page(http, path, name, params or {}, offset=offset)
        yield from entries
        offset += PER_PAGE
