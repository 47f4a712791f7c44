"""Webhooks of a repository or a workspace: they name the streams to read again, within seconds.

A delivery lacks a record's history, so nothing of it is stored, and the stream reads the record as usual.
https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/, /manage-webhooks/
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.connectors.base import Arrival, Http, Json, signed_with_sha256
from integrations.connectors.bitbucket.lists import list_all
from integrations.connectors.bitbucket.records import Place, bare, braced
from integrations.connectors.errors import GoneError, PermanentError, TransientError
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import Kind

EVENTS = (
    *("pullrequest:created", "pullrequest:updated", "pullrequest:fulfilled", "pullrequest:rejected"),
    *("pullrequest:approved", "pullrequest:unapproved"),
    *("pullrequest:changes_request_created", "pullrequest:changes_request_removed"),
    *("pullrequest:comment_created", "pullrequest:comment_updated", "pullrequest:comment_deleted"),
    *("repo:push", "repo:commit_status_created", "repo:commit_status_updated"),
)


def arrival_of(headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
    """The delivery, if it is signed with the secret: with SHA-256, under the header name that GitHub uses for SHA-1."""
    algorithm, _, signed = headers.get("x-hub-signature", "").partition("=")
    event = headers.get("x-event-key", "")
    if algorithm != "sha256" or not event or not signed_with_sha256(body, secret, signed):
        return None
    return Arrival(headers.get("x-request-uuid", "") or hashlib.sha256(body).hexdigest(), event)


def news_of(event: str, payload: Json) -> tuple[str, Kind] | None:
    """The repository and the stream to read; None for an event that is not used.  Builds report commit statuses."""
    repository = bare(text_of(object_of(payload, "repository"), "uuid"))
    kind = _kind_of(event)
    return (repository, kind) if repository and kind is not None else None


def _kind_of(event: str) -> Kind | None:
    if event.startswith("pullrequest:"):
        return Kind.PULL_REQUEST
    if event.startswith("repo:commit_status_"):
        return Kind.PIPELINE_RUN
    return Kind.COMMIT if event == "repo:push" else None


def register_hook(http: Http, place: Place, address: str, secret: str) -> str:
    """Register a webhook that sends to `address`, and return its id.

    An existing one is replaced: Bitbucket does not reveal its secret.
    """
    for hook in _at(http, place, address):
        remove_hook(http, place, text_of(hook, "uuid"))
    settings = {"description": "Headway", "url": address, "secret": secret, "active": True, "events": list(EVENTS)}
    try:
        hook = http.post(place.path("hooks"), json=settings).json()
    except PermanentError:
        hook = next(_at(http, place, address), None)  # registered by a request whose answer was lost
        if hook is None:
            raise
    uuid = bare(text_of(hook, "uuid"))
    if not uuid:
        raise TransientError("Bitbucket registered the webhook without saying under which id.")
    return uuid


def remove_hook(http: Http, place: Place, hook_id: str) -> None:
    """Remove the webhook; does nothing if it is gone already."""
    try:
        http.delete(place.path("hooks", braced(hook_id)))
    except GoneError:
        return


def _at(http: Http, place: Place, address: str) -> Iterator[Any]:
    """The repository's webhooks that send to the address."""
    for hook in list_all(http, place.path("hooks")):
        if text_of(hook, "url") == address:
            yield hook
