"""Reading a stream of the simulated Jira to its end, as the sync does, but into a list of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from demo.providers.jira_server import JiraServer
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.http import ConnectionHttp, Patience
from integrations.connectors.jira import Jira
from integrations.enums import Kind, ResourceKind

EMAIL, TOKEN = "reader@example.com", "token_of_the_tests"
QUICK = Patience(connect=5, read=5, whole=10, tries=3, first_wait=0.01, longest_wait=0.05)
KIND_OF = {Kind.WORK_ITEM: ResourceKind.PROJECT, Kind.SPRINT: ResourceKind.BOARD}


def connector(jira: JiraServer, **settings: str) -> Jira:
    return Jira(Settings({"base_url": jira.url, "email": EMAIL, **settings}, {"token": TOKEN}))


def resource_at(http: ConnectionHttp, of: Jira, kind: Kind) -> FetchedResource:
    """The one project, or its board."""
    (found,) = (resource for resource in of.resources(http) if resource.kind == KIND_OF[kind])
    return FetchedResource(found.kind, found.external_id, found.name, found.details)


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
    pages = []
    with ConnectionHttp(of, patience=QUICK) as http:
        resource = resource_at(http, of, kind)
        for page in of.fetch(http, resource, kind, cursor or {}, now=now or jira.at):
            pages.append(page)
            if len(pages) == most:
                break
    return pages


def drafts_of(pages: list[Page]) -> list[AnyDraft]:
    return [draft for page in pages for record in page.records for draft in record.normalise(record.payload)]


def by_id(drafts: list[AnyDraft]) -> dict[str, AnyDraft]:
    """The last draft of each record."""
    return {draft.external_id: draft for draft in drafts}
