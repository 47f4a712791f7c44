"""Differences between Cloud and Data Center: paths, pages of a search, the rest of a changelog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.connectors.base import Http, Json
from integrations.connectors.errors import TransientError
from integrations.connectors.json_text import list_in
from integrations.connectors.reader import LATEST
from integrations.connectors.unchecked import object_of, text_of, time_of

ISSUES_PER_PAGE = 100  # Cloud's maximum if fields are named
CHANGES_PER_PAGE = 100
LISTED_PER_PAGE = 50  # projects, boards and sprints


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search; `next` is the start of the following one, empty at the end."""

    issues: Sequence[Any]
    next: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Site:
    """A Jira site; `is_cloud` decides its API.  Data Center has version 2 of it."""

    is_cloud: bool

    def path(self, *parts: str) -> str:
        return "/".join(("rest/api", "3" if self.is_cloud else "2", *parts))

    def search(self, http: Http, jql: str, *, fields: Sequence[str], start: str, changes: bool = True) -> Found:
        """A page of a search; `start` is the `next` of the page before.

        https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/
        """
        params: dict[str, Any] = {"jql": jql, "fields": ",".join(fields), "maxResults": ISSUES_PER_PAGE}
        if changes:
            params["expand"] = "changelog"
        if self.is_cloud:
            if start:
                params["nextPageToken"] = start
            path = self.path("search", "jql")
        else:
            params["startAt"] = start or "0"
            path = self.path("search")
        answer = http.get(path, params=params)
        document = answer.json()
        issues = list_in(document, "issues", f"Jira answered {path}")
        if self.is_cloud:
            token = "" if document.get("isLast") else str(document.get("nextPageToken") or "")
            return Found(issues, token, answer.headers)
        _confirm_start(document, int(start or 0), path)
        until = int(start or 0) + len(issues)
        total = document.get("total")
        is_last = not issues or not isinstance(total, int) or until >= total
        return Found(issues, "" if is_last else str(until), answer.headers)

    def count(self, http: Http, jql: str) -> int | None:
        """The approximate number of issues; None if Jira does not say."""
        if self.is_cloud:
            counted = http.post(self.path("search", "approximate-count"), json={"jql": jql}).json()
            count = object_of(counted).get("count")
        else:
            document = http.get(self.path("search"), params={"jql": jql, "maxResults": 0}).json()
            count = object_of(document).get("total")
        return count if isinstance(count, int) else None

    def histories(self, http: Http, issue: Json) -> list[Any] | None:
        """All changes of an issue from a search, oldest first; None if the search returned none.

        Cloud includes only the latest forty; Data Center has no other list, and includes all.
        """
        changelog = issue.get("changelog")
        if not isinstance(changelog, dict):
            return None
        given = list_in(changelog, "histories", "Jira answered a search")
        total = changelog.get("total")
        if not self.is_cloud or not isinstance(total, int) or total <= len(given):
            return sorted(given, key=_place)
        path = self.path("issue", str(issue.get("id", "")), "changelog")
        return sorted(pages(http, path, per_page=CHANGES_PER_PAGE), key=_place)


def pages(
    http: Http, path: str, *, per_page: int = LISTED_PER_PAGE, params: Mapping[str, str] | None = None
) -> Iterator[Any]:
    """The values of all pages of a list that counts from `startAt`."""
    start = 0
    while True:
        document = http.get(path, params={**(params or {}), "startAt": start, "maxResults": per_page}).json()
        values = list_in(document, "values", f"Jira answered {path}")
        _confirm_start(document, start, path)
        yield from values
        start += len(values)
        if not values or document.get("isLast") is True or start >= _total(document, start + 1):
            return


def _confirm_start(document: Mapping[str, Any], start: int, path: str) -> None:
    """Raise TransientError for another page than the requested one: a proxy or a cache may repeat it."""
    if document.get("startAt", start) != start:
        raise TransientError(f"Jira answered {path} with a page other than the requested one.")


def _total(document: Mapping[str, Any], otherwise: int) -> int:
    total = document.get("total")
    return total if isinstance(total, int) else otherwise


def _place(history: Any) -> tuple[datetime, int]:
    """The time of a change, as an instant, since texts do not sort if a clock is set back; and its number within a
    moment.
    """
    number = text_of(history, "id")
    return time_of(history, "created") or LATEST, int(number) if number.isdecimal() else 0
