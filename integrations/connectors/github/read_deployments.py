"""The stream of deployments: the list by creation, and the statuses of those that changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.errors import GoneError
from integrations.connectors.github.deployments import normalise_deployment
from integrations.connectors.github.graphql import details_of
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.newest_first import LISTED_AGAIN, NewestFirst
from integrations.connectors.github.queries import DEPLOYMENTS
from integrations.connectors.github.stream_repository import Place
from integrations.connectors.unchecked import as_record, text_of, time_of

SOURCE = "deployment"
BATCH_OVER_GRAPHQL = 100
BATCH_OVER_REST = 25  # of one request each


def fetch_deployments(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """The list does not contain a deployment's state; each status changes its time, so it is read again for a day.

    Later changes arrive by webhook, or with the next full reading.
    """

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        if place.graphql:
            details = details_of(http, place.graphql, DEPLOYMENTS, [text_of(entry, "node_id") for entry in entries])
            return [_record(place, entry, details=details.get(text_of(entry, "node_id"))) for entry in entries]
        return [_record(place, entry, statuses=_statuses(http, place, entry, now)) for entry in entries]

    def is_young(item: Any) -> bool:
        created_at = time_of(item, "created_at")
        return created_at is not None and created_at > now - LISTED_AGAIN

    deployments = NewestFirst(
        path=place.path("deployments"),
        params={},
        sorted_by="created_at",
        read=read,
        batch=BATCH_OVER_GRAPHQL if place.graphql else BATCH_OVER_REST,
        is_open=is_young,
    )
    yield from deployments.pages(http, cursor, now=now)


def _statuses(http: Http, place: Place, entry: Json, now: datetime) -> list[Any] | None:
    number = text_of(entry, "id")
    if not number:
        return None
    try:
        return list(list_all(http, place.path("deployments", number, "statuses"), now=now))
    except GoneError:
        return None  # gone since it was listed, and not yet missed


def _record(place: Place, deployment: Json, **history: object) -> RawRecord:
    parts = {name: part for name, part in history.items() if part is not None}
    payload = {"deployment": as_record(deployment), "repository": place.repository, **parts}
    return RawRecord(payload, normalise_deployment, text_of(deployment, "id"), SOURCE)
