"""The stream of pull requests: the list by last change, and the details of whatever changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.errors import GoneError, PermanentError
from integrations.connectors.github.graphql import details_of
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.newest_first import NewestFirst
from integrations.connectors.github.pull_request_parts import EVENTS_OF_INTEREST
from integrations.connectors.github.pull_requests import normalise_pull_request
from integrations.connectors.github.queries import PULL_REQUESTS
from integrations.connectors.github.stream_repository import Place
from integrations.connectors.unchecked import as_record, text_of

SOURCE = "pull_request"
BATCH_OVER_GRAPHQL = 25  # of up to 300 entries each: well below its limits of nodes and of ten seconds
BATCH_OVER_REST = 10  # of four requests each


def fetch_pull_requests(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Over REST a changed pull request costs four requests, over GraphQL 25 of them cost one."""

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        if place.graphql:
            details = details_of(http, place.graphql, PULL_REQUESTS, [text_of(entry, "node_id") for entry in entries])
            return [_record(entry, details=details.get(text_of(entry, "node_id"))) for entry in entries]
        return [_read_over_rest(http, place, entry, now) for entry in entries]

    pull_requests = NewestFirst(
        path=place.path("pulls"),
        params={"state": "all", "sort": "updated", "direction": "desc"},
        sorted_by="updated_at",
        read=read,
        batch=BATCH_OVER_GRAPHQL if place.graphql else BATCH_OVER_REST,
    )
    yield from pull_requests.pages(http, cursor, now=now)


def _read_over_rest(http: Http, place: Place, entry: Json, now: datetime) -> RawRecord:
    number = text_of(entry, "number")
    if not number:
        return _record(entry)
    pulls = place.path("pulls", number)
    try:
        pull_request = http.get(pulls).json()
        return _record(
            pull_request,
            commits=_commits(http, place, pull_request, now),
            reviews=list(list_all(http, f"{pulls}/reviews", now=now)),
            timeline=[
                event
                for event in list_all(http, place.path("issues", number, "timeline"), now=now)
                if text_of(event, "event") in EVENTS_OF_INTEREST
            ],
        )
    except GoneError:
        return _record(entry)  # gone since it was listed, and not yet missed


def _commits(http: Http, place: Place, pull_request: Any, now: datetime) -> list[Any]:
    """All of the pull request's, the oldest first.

    Its own list ends after 250; the comparison of its branches has the others, as long as GitHub knows both ends.
    """
    commits = list(list_all(http, place.path("pulls", text_of(pull_request, "number"), "commits"), now=now))
    count = text_of(pull_request, "commits")
    base, head = (text_of(pull_request.get(side), "sha") for side in ("base", "head"))
    if not count.isdecimal() or len(commits) >= int(count) or not base or not head:
        return commits
    try:
        compared = list(list_all(http, place.path("compare", f"{base}...{head}"), now=now, within="commits"))
    except PermanentError:
        return commits
    return compared if len(compared) == int(count) else commits


def _record(pull_request: Json, **parts: object) -> RawRecord:
    payload = {
        "pull_request": as_record(pull_request),
        **{name: part for name, part in parts.items() if part is not None},
    }
    return RawRecord(payload, normalise_pull_request, text_of(pull_request, "id"), SOURCE)
