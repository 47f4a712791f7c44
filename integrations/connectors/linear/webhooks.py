"""Webhooks of a team: they name the streams to read again, within seconds.

A delivery names people and statuses by ids and lacks a record's history, so nothing of it is stored, and the stream
reads the record as usual.  https://linear.app/developers/webhooks; mutations webhookCreate and webhookDelete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.base import Arrival, Http, Json, signed_with_sha256
from integrations.connectors.errors import GoneError, PermanentError, TransientError
from integrations.connectors.json_text import json_or_none
from integrations.connectors.linear.graphql import ask, list_all
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import Kind

LONGEST_AGO = timedelta(minutes=5)  # Linear recommends one minute; our clock may be wrong by some
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RESOURCE_TYPES = ("Issue", "IssueLabel", "Comment", "Cycle", "Project", "Initiative")
_OF_TEAM: Mapping[str, Kind] = {"Issue": Kind.WORK_ITEM, "Cycle": Kind.SPRINT}
_OF_WORKSPACE = frozenset({"Project", "ProjectUpdate", "Initiative", "InitiativeUpdate"})
LIST = """
query Webhooks($first: Int!, $after: String) {
  webhooks(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes { id url team { id } } }
}"""
CREATE = """
mutation Register($input: WebhookCreateInput!) { webhookCreate(input: $input) { success webhook { id } } }"""
DELETE = "mutation Remove($id: String!) { webhookDelete(id: $id) { success } }"


def arrival_of(headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
    """The delivery, if it is signed with the secret and was sent within the last minutes."""
    delivery, event = headers.get("linear-delivery", ""), headers.get("linear-event", "")
    if not delivery or not event or not signed_with_sha256(body, secret, headers.get("linear-signature", "")):
        return None
    return Arrival(delivery, event) if _is_fresh(json_or_none(body)) else None


def _is_fresh(document: Any) -> bool:
    sent = document.get("webhookTimestamp") if isinstance(document, dict) else None
    if isinstance(sent, bool) or not isinstance(sent, (int, float)) or not 0 <= sent < 10**14:
        return False
    return abs(datetime.now(UTC) - EPOCH - timedelta(milliseconds=sent)) <= LONGEST_AGO


def news_of(event: str, payload: Json) -> tuple[str, Kind] | None:
    """The team or workspace, and the stream to read; None for an event that is not used."""
    data = object_of(payload, "data")
    if event in _OF_WORKSPACE:
        workspace = text_of(payload, "organizationId")
        return (workspace, Kind.WORK_ITEM) if workspace else None
    issue = object_of(data, "issue") if event == "Comment" else data
    team = text_of(issue, "teamId") or text_of(object_of(issue, "team"), "id")
    kind = Kind.WORK_ITEM if event == "Comment" else _OF_TEAM.get(event)
    return (team, kind) if team and kind is not None else None


def register_hook(http: Http, team: str, address: str, secret: str) -> str:
    """Register a webhook of the team that sends to `address`, and return its id.

    An existing one is replaced: Linear does not reveal its secret to everybody.
    """
    for known in _at(http, team, address):
        remove_hook(http, text_of(known, "id"))
    settings = {"url": address, "teamId": team, "secret": secret, "resourceTypes": list(RESOURCE_TYPES)}
    try:
        data, _ = ask(http, CREATE, {"input": {**settings, "label": "Headway"}})
        hook: Any = object_of(data, "webhookCreate", "webhook")
    except PermanentError:
        hook = next(_at(http, team, address), None)  # registered by a request whose answer was lost
        if hook is None:
            raise
    id_ = text_of(hook, "id")
    if not id_:
        raise TransientError("Linear registered the webhook without saying under which id.")
    return id_


def remove_hook(http: Http, hook_id: str) -> None:
    """Remove the webhook; does nothing if it is gone already."""
    if any(text_of(hook, "id") == hook_id for hook in list_all(http, LIST, "webhooks")):
        try:
            ask(http, DELETE, {"id": hook_id})
        except GoneError:
            return


def _at(http: Http, team: str, address: str) -> Iterator[Any]:
    """The team's webhooks that send to the address."""
    for hook in list(list_all(http, LIST, "webhooks")):
        if text_of(hook, "url") == address and text_of(object_of(hook, "team"), "id") == team:
            yield hook
