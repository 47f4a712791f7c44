"""Webhooks of a project or a group: they name the streams to read again, within seconds.

A delivery names people only by number, writes times in several ways, and lacks a record's history, so nothing of it is
stored, and the stream reads the record as usual.
https://docs.gitlab.com/user/project/integrations/webhook_events/, https://docs.gitlab.com/api/project_webhooks/
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.connectors.base import Arrival, Http, Json
from integrations.connectors.errors import GoneError, PermanentError, TransientError
from integrations.connectors.gitlab.issues import INCIDENT
from integrations.connectors.gitlab.lists import list_all
from integrations.connectors.gitlab.records import Place
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import Kind

_KINDS: Mapping[str, Kind] = {  # by `object_kind`
    "build": Kind.PIPELINE_RUN,  # a job
    "deployment": Kind.DEPLOYMENT,
    "incident": Kind.INCIDENT,
    "issue": Kind.WORK_ITEM,
    "merge_request": Kind.PULL_REQUEST,
    "pipeline": Kind.PIPELINE_RUN,
    "work_item": Kind.WORK_ITEM,
}
EVENTS = (
    *("merge_requests_events", "note_events", "pipeline_events", "deployment_events"),
    *("issues_events", "confidential_issues_events", "confidential_note_events"),
)
"""What a webhook is registered for: a pipeline's events come with each of its jobs."""


def arrival_of(headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
    """The delivery, if it has the secret.  Before 17.4 GitLab gives it no id of its own."""
    token, event = headers.get("x-gitlab-token", ""), headers.get("x-gitlab-event", "")
    if not secret or not event or not hmac.compare_digest(token.encode("utf-8", "replace"), secret.encode()):
        return None
    return Arrival(headers.get("idempotency-key", "") or hashlib.sha256(body).hexdigest(), event)


def news_of(payload: Json) -> tuple[str, Kind] | None:
    """The project and the stream to read; None for an event that is not used."""
    of = _kind_of(payload)
    project = text_of(payload.get("project"), "id") or text_of(payload, "project_id")
    return (project, of) if of is not None and project else None


def _kind_of(payload: Json) -> Kind | None:
    kind = text_of(payload, "object_kind")
    if kind == "note":
        if payload.get("merge_request"):
            return Kind.PULL_REQUEST
        return _of_issue(object_of(payload, "issue")) if payload.get("issue") else None
    if kind in ("issue", "work_item"):
        return _of_issue(object_of(payload, "object_attributes"))
    return _KINDS.get(kind)


def _of_issue(issue: Json) -> Kind:
    return Kind.INCIDENT if text_of(issue, "type").lower() == INCIDENT else Kind.WORK_ITEM


def register_hook(http: Http, place: Place, address: str, secret: str) -> str:
    """Register a webhook that sends to `address`, and return its id.

    An existing one is replaced: GitLab does not reveal its secret.
    """
    for hook in _at(http, place, address):
        remove_hook(http, place, text_of(hook, "id"))
    events: Json = dict.fromkeys(EVENTS, True)
    settings = {"url": address, "token": secret, "enable_ssl_verification": True, "push_events": False, **events}
    try:
        hook = http.post(place.path("hooks"), json=settings).json()
    except PermanentError:
        hook = next(_at(http, place, address), None)  # registered by a request whose answer was lost
        if hook is None:
            raise
    number = text_of(hook, "id")
    if not number:
        raise TransientError("GitLab registered the webhook without saying under which number.")
    return number


def remove_hook(http: Http, place: Place, hook_id: str) -> None:
    """Remove the webhook; does nothing if it is gone already."""
    try:
        http.delete(place.path("hooks", hook_id))
    except GoneError:
        return


def _at(http: Http, place: Place, address: str) -> Iterator[Any]:
    """The project's webhooks that send to the address."""
    for hook in list_all(http, place.path("hooks")):
        if text_of(hook, "url") == address:
            yield hook
