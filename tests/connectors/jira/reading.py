"""Reading a stream of the simulated Jira to its end, as the sync does, but into a list of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from demo.providers.jira_server import JiraServer
from integrations.connectors.base import Page, Settings
from integrations.connectors.jira.connector import Jira
from integrations.enums import Kind, ResourceKind
from tests.connectors.reading import TOKEN, only_resource, read_pages

EMAIL = "reader@example.com"
KIND_OF = {Kind.WORK_ITEM: ResourceKind.PROJECT, Kind.SPRINT: ResourceKind.BOARD}


def connector(jira: JiraServer, **settings: str) -> Jira:
    return Jira(Settings({"base_url": jira.url, "email": EMAIL, **settings}, {"token": TOKEN}))


def pages_of(
    jira: JiraServer,
    kind: Kind,
    cursor: Mapping[str, Any] | None = None,
    *,
    now: datetime | None = None,
    most: int | None = None,
    **settings: str,
) -> list[Page]:
    """Read on from the cursor, at most so many pages."""
    of = connector(jira, **settings)
    return read_pages(of, only_resource(of, KIND_OF[kind]), kind, cursor, now=now or jira.at, most=most)
