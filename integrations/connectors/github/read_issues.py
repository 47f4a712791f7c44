"""The stream of issues: the list by last change, and the history of whatever changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.errors import GoneError
from integrations.connectors.github.graphql import details_of
from integrations.connectors.github.issues import EVENTS_OF_INTEREST, normalise_issue
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.newest_first import NewestFirst
from integrations.connectors.github.queries import ISSUES
from integrations.connectors.github.stream_repository import Place
from integrations.connectors.unchecked import as_record, text_of

SOURCE = "issue"
BATCH_OVER_GRAPHQL = 50
BATCH_OVER_REST = 25  # of one request each


def fetch_issues(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Nothing where the repository's issues are switched off."""
    if place.details.get("has_issues") is False:
        yield Page((), cursor)
        return

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        if place.graphql:
            details = details_of(http, place.graphql, ISSUES, [text_of(entry, "node_id") for entry in entries])
            return [_record(place, entry, details=details.get(text_of(entry, "node_id"))) for entry in entries]
        return [_record(place, entry, timeline=_timeline(http, place, entry, now)) for entry in entries]

    issues = NewestFirst(
        path=place.path("issues"),
        params={"state": "all", "sort": "updated", "direction": "desc"},
        sorted_by="updated_at",
        read=read,
        batch=BATCH_OVER_GRAPHQL if place.graphql else BATCH_OVER_REST,
        is_relevant=lambda item: not (isinstance(item, dict) and "pull_request" in item),
        parameter="since",
    )
    yield from issues.pages(http, cursor, now=now)


def _timeline(http: Http, place: Place, entry: Json, now: datetime) -> list[Any] | None:
    number = text_of(entry, "number")
    if not number:
        return None
    try:
        events = list_all(http, place.path("issues", number, "timeline"), now=now)
        return [event for event in events if text_of(event, "event") in EVENTS_OF_INTEREST]
    except GoneError:
        return None  # gone since it was listed, and not yet missed


def _record(place: Place, issue: Json, **history: object) -> RawRecord:
    parts = {name: part for name, part in history.items() if part is not None}
    payload = {"issue": as_record(issue), "repository": place.repository, **parts}
    return RawRecord(payload, normalise_issue, text_of(issue, "id"), SOURCE)
