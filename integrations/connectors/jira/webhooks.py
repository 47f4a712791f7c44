"""Webhooks, which an admin of Jira registers by hand: https://<site>/plugins/servlet/webhooks.

An issue's delivery holds its fields and not its changelog: it is stored at once, and its project's stream is read soon.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.connectors.base import Arrival, Json, RawRecord
from integrations.connectors.jira.issues import normalise_issue
from integrations.connectors.jira.read_issues import SOURCE, without_texts
from integrations.connectors.jira.sprints import normalise_sprint
from integrations.connectors.json_text import json_or_none
from integrations.connectors.signatures import signed_with_sha256
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import Kind

ISSUES = frozenset({"jira:issue_created", "jira:issue_updated"})
ISSUE_DELETED = "jira:issue_deleted"
SPRINTS = frozenset({"sprint_created", "sprint_updated", "sprint_started", "sprint_closed"})
SPRINT_DELETED = "sprint_deleted"


def arrival_of(headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
    algorithm, _, signed = headers.get("x-hub-signature", "").partition("=")
    delivery = headers.get("x-atlassian-webhook-identifier", "")
    if algorithm != "sha256" or not delivery or not signed_with_sha256(body, secret, signed):
        return None
    return Arrival(delivery, text_of(json_or_none(body), "webhookEvent") or "unknown")


def records_of(event: str, payload: Json) -> list[RawRecord] | None:
    """None for events that are not used."""
    issue, sprint = payload.get("issue"), payload.get("sprint")
    if event in ISSUES or event == ISSUE_DELETED:
        sent = {"issue": without_texts(issue) if isinstance(issue, dict) else issue, "deleted": event == ISSUE_DELETED}
        return [RawRecord(sent, normalise_issue, text_of(issue, "id"), SOURCE)]
    if event in SPRINTS or event == SPRINT_DELETED:
        board = object_of(sprint).get("originBoardId")
        sent = {"sprint": sprint, "board": board, "deleted": event == SPRINT_DELETED}
        return [RawRecord(sent, normalise_sprint, text_of(sprint, "id"), "sprint")]
    return None


def news_of(event: str, payload: Json) -> tuple[str, Kind] | None:
    """The project whose issue has changed."""
    if event not in ISSUES:
        return None
    project = text_of(object_of(payload, "issue", "fields", "project"), "id")
    return (project, Kind.WORK_ITEM) if project else None
