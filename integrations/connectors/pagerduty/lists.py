"""PagerDuty's lists: pages of a hundred by offset, up to the ten-thousandth entry.

https://developer.pagerduty.com/docs/pagination
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.base import Http
from integrations.connectors.errors import TransientError
from integrations.connectors.json_text import list_in
from integrations.connectors.unchecked import objects_of, text_of

PER_PAGE = 100
MOST_OF_A_LIST = 10_000
LONGEST_WINDOW = timedelta(days=180)  # PagerDuty returns nothing for a wider one
SHORTEST_WINDOW = timedelta(seconds=1)  # a window that cannot be cut further is left for PagerDuty to refuse


def list_page(http: Http, path: str, params: Mapping[str, Any], *, offset: int = 0) -> tuple[list[Any], bool]:
    """The entries from `offset` on, and whether there are more; the last part of the path names them."""
    document = http.get(path, params={**params, "limit": PER_PAGE, "offset": offset}).json()
    entries = list_in(document, path.rpartition("/")[2], f"PagerDuty answered {path}")
    return entries, bool(entries) and document.get("more") is True


def list_all(http: Http, path: str, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """The entries of all pages, up to the cap."""
    offset, more = 0, True
    while more and offset < MOST_OF_A_LIST:
        entries, more = list_page(http, path, params or {}, offset=offset)
        yield from entries
        offset += len(entries)


def window_params(since: datetime, until: datetime) -> dict[str, str]:
    """The parameters for entries created in between, newest first."""
    return {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "time_zone": "UTC",
        "sort_by": "created_at:desc",
    }


def list_window(http: Http, path: str, params: Mapping[str, Any], *, since: datetime, until: datetime) -> Iterator[Any]:
    """The entries of a window, however many: one that is too wide, or reaches the cap, is cut in half.

    Entries may come twice.  Raises TransientError if a page is repeated, so that another one would be left out.
    """
    seen: set[str] = set()
    offset, more = 0, True
    while more:
        reaches_cap = offset + PER_PAGE > MOST_OF_A_LIST and until - since > SHORTEST_WINDOW
        if reaches_cap or until - since > LONGEST_WINDOW:
            middle = since + (until - since) / 2
            yield from list_window(http, path, params, since=middle, until=until)
            yield from list_window(http, path, params, since=since, until=middle)
            return
        entries, more = list_page(http, path, {**params, **window_params(since, until)}, offset=offset)
        ids = {text_of(entry, "id") for entry in objects_of(entries)}
        if ids and ids <= seen:
            raise TransientError(f"PagerDuty answered {path} with a page that was read before.")
        seen |= ids
        yield from entries
        offset += len(entries)
