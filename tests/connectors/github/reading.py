"""Reading a stream of the simulated GitHub to its end, as the sync does, but into a list of drafts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from demo.providers.github_server import GitHubServer
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import SchemaError
from integrations.connectors.github.connector import GitHub
from integrations.connectors.github.stream_repository import Place, recognise
from integrations.connectors.github.webhooks import records_of
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind
from tests.connectors.reading import QUICK

TOKEN = "github_pat_of_the_tests"
LONG_AFTER = datetime(2026, 6, 1, tzinfo=UTC)  # the small history has ended, and nothing in it is young


@dataclass(slots=True)
class Reading:
    """The drafts of a stream, its final cursor, and the number of requests."""

    drafts: list[AnyDraft] = field(default_factory=list)
    refused: list[SchemaError] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    requests: int = 0

    @property
    def cursor(self) -> Mapping[str, Any]:
        return self.pages[-1].cursor

    @property
    def ids(self) -> list[str]:
        return [draft.external_id for draft in self.drafts]


def drafts_of_delivery(event: str, payload: dict[str, Any]) -> list[Any]:
    """The drafts of a webhook's delivery."""
    return [draft for record in records_of(event, payload) or [] for draft in record.normalise(record.payload)]


def connector(github: GitHubServer, **settings: str) -> GitHub:
    values = {"base_url": github.url, "owners": "acme", **settings}
    return GitHub(Settings(values, {"token": TOKEN}))


@contextmanager
def client(of: GitHub) -> Iterator[ConnectionHttp]:
    with ConnectionHttp(of, patience=QUICK) as http:
        yield http


def resource_at(http: ConnectionHttp, of: GitHub) -> FetchedResource:
    """The one repository."""
    (shop,) = (resource for resource in of.resources(http) if resource.name.startswith("acme/shop"))
    return FetchedResource(shop.kind, shop.external_id, shop.name, shop.details)


def read(
    github: GitHubServer,
    kind: Kind,
    cursor: Mapping[str, Any] | None = None,
    *,
    now: datetime = LONG_AFTER,
    pages: int | None = None,
    **settings: str,
) -> Reading:
    """Read on from the cursor, at most so many pages."""
    reading = Reading()
    of = connector(github, **settings)
    with client(of) as http:
        resource = resource_at(http, of)
        requests_before = http.requests
        recognise(Place(resource), None)  # as the stream of the repository does, which is read first
        for page in of.fetch(http, resource, kind, cursor or {}, now=now):
            reading.pages.append(page)
            for record in page.records:
                try:
                    reading.drafts += record.normalise(record.payload)
                except SchemaError as problem:
                    reading.refused.append(problem)
            if len(reading.pages) == pages:
                break
        reading.requests = http.requests - requests_before
    return reading
