"""Reads Azure DevOps' lists: by continuation token, or by number where a list has none.

https://learn.microsoft.com/rest/api/azure/devops: `value` holds the entries, and the header x-ms-continuationtoken the
token of the next page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.connectors.base import Http, Json, Response
from integrations.connectors.changes import ListedPage
from integrations.connectors.errors import TransientError
from integrations.connectors.json_text import list_in
from integrations.connectors.unchecked import as_record

PER_PAGE = 100
VERSION = "7.1"
NEXT = "x-ms-continuationtoken"


def get(http: Http, path: str, params: Mapping[str, Any] | None = None, *, version: str = VERSION) -> Response:
    return http.get(path, params={**(params or {}), "api-version": version})


def entries_in(response: Response, path: str) -> list[Any]:
    """The entries of a list's page.  Raises TransientError if it is not a list."""
    return list_in(response.json(), "value", f"Azure DevOps answered {path}")


def list_all(
    http: Http, path: str, params: Mapping[str, Any] | None = None, *, version: str = VERSION
) -> Iterator[Any]:
    """The entries of all pages, by their continuation tokens.  Raises TransientError if a page names itself."""
    here = dict(params or {})
    while True:
        response = get(http, path, here, version=version)
        yield from entries_in(response, path)
        token = response.headers.get(NEXT, "")
        if not token:
            return
        if token == here.get("continuationToken"):
            raise TransientError(f"Azure DevOps' list {path} leads in a circle: a page names itself as the next.")
        here["continuationToken"] = token


def list_without_offset(http: Http, path: str, params: Mapping[str, Any], number: int) -> ListedPage:
    """A page of a list that has no offset: the request asks for all pages up to it, and skips the earlier ones."""
    most = number * PER_PAGE
    response = get(http, path, {**params, "$top": most})
    items = entries_in(response, path)
    return ListedPage(items[most - PER_PAGE :], len(items) < most, response.headers)


def list_by_number(http: Http, path: str, params: Mapping[str, Any]) -> tuple[list[Json], Mapping[str, str]]:
    """The entries of all pages by their number, and the headers of the first page.

    Raises TransientError if a page comes twice.
    """
    found: list[Json] = []
    headers: Mapping[str, str] = {}
    while True:
        response = get(http, path, {**params, "$top": PER_PAGE, "$skip": len(found)})
        headers = headers or response.headers
        items = [as_record(item) for item in entries_in(response, path)]
        if items and items[0] in found:
            raise TransientError(f"Azure DevOps answered {path} with the same page twice.")
        found += items
        if len(items) < PER_PAGE:
            return found, headers
