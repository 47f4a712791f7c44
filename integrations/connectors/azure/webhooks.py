"""Service hooks: they name the streams to read again, within seconds.

Azure DevOps signs nothing, so a subscription sends the secret as the password of basic authentication.  A delivery
lacks a record's history, so nothing of it is stored, and the stream reads the record as usual.
https://learn.microsoft.com/azure/devops/service-hooks/events
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

from integrations.connectors.base import Arrival, Json
from integrations.connectors.json_text import json_or_none
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import Kind

_OF_PROJECT: Mapping[str, Kind] = {
    "build.complete": Kind.PIPELINE_RUN,
    "ms.vss-pipelines.run-state-changed-event": Kind.PIPELINE_RUN,
    "ms.vss-pipelines.stage-state-changed-event": Kind.DEPLOYMENT,
    "ms.vss-pipelines.job-state-changed-event": Kind.DEPLOYMENT,
    **dict.fromkeys(
        (f"workitem.{event}" for event in ("created", "updated", "deleted", "restored", "commented")), Kind.WORK_ITEM
    ),
}
_PULL_REQUEST, _COMMENT = "git.pullrequest.", "ms.vss-code.git-pullrequest-comment-event"


def arrival_of(headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
    """The delivery, if its password is the secret; the user name may be anything."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    try:
        _, _, password = base64.b64decode(encoded, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    if not secret or scheme.lower() != "basic" or not hmac.compare_digest(password, secret.encode()):
        return None
    document = json_or_none(body)
    delivery = text_of(document, "id")
    return Arrival(delivery, text_of(document, "eventType") or "unknown") if delivery else None


def news_of(payload: Json) -> tuple[str, Kind] | None:
    """The repository or project, and the stream to read; None for an event that is not used."""
    event = text_of(payload, "eventType")
    if event.startswith(_PULL_REQUEST) or event == _COMMENT:
        of = ("resource", "pullRequest") if event == _COMMENT else ("resource",)
        repository = text_of(object_of(payload, *of, "repository"), "id")
        return (repository, Kind.PULL_REQUEST) if repository else None
    kind, project = _OF_PROJECT.get(event), text_of(object_of(payload, "resourceContainers", "project"), "id")
    return (project, kind) if kind is not None and project else None
