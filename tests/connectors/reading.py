"""Reads a stream of a simulated provider to its end, as the sync does, but into a list of drafts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from demo.providers.faults import Fault
from integrations.connectors.base import Connector, FetchedResource, Page
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import ConnectorError
from integrations.connectors.http import ConnectionHttp, Patience
from integrations.enums import Kind, ResourceKind

TOKEN = "token_of_the_tests"
QUICK = Patience(connect=5, read=5, whole=10, tries=3, first_wait=0.01, longest_wait=0.05)
MOST_FAILURES = 15


def only_resource(connector: Connector, kind: ResourceKind) -> FetchedResource:
    """The one resource of that kind at the provider."""
    with ConnectionHttp(connector, patience=QUICK) as http:
        (found,) = (resource for resource in connector.resources(http) if resource.kind == kind)
    return FetchedResource(found.kind, found.external_id, found.name, found.details)


def read_pages(
    connector: Connector,
    resource: FetchedResource,
    kind: Kind,
    cursor: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    most: int | None = None,
) -> list[Page]:
    """Continue from the cursor, for at most that many pages."""
    with ConnectionHttp(connector, patience=QUICK) as http:
        return list(islice(connector.fetch(http, resource, kind, cursor or {}, now=now), most))


def read_despite_faults(
    connector: Connector, resource: FetchedResource, kind: Kind, *, now: datetime
) -> list[AnyDraft]:
    """After each failure, continue from the last page that was read."""
    cursor: Mapping[str, Any] = {}
    drafts: list[AnyDraft] = []
    for _ in range(MOST_FAILURES):
        with ConnectionHttp(connector, patience=QUICK) as http:
            try:
                for page in connector.fetch(http, resource, kind, cursor, now=now):
                    drafts += drafts_of([page])
                    cursor = page.cursor
            except ConnectorError:
                continue
            return drafts
    raise AssertionError("The stream does not come to an end.")


def faults_that_change(
    usual: Mapping[str, AnyDraft], server: Any, faults: Mapping[str, Fault], read: Callable[[], list[AnyDraft]]
) -> list[str]:
    """The names of the faults of the simulated server under which other drafts than the usual ones are read."""
    differing = []
    for name, fault in faults.items():
        server.faults = [fault]
        if by_id(read()) != usual:
            differing.append(name)
    return differing


def assert_goes_on_from_any_page(pages: Sequence[Page], read: Callable[[Mapping[str, Any]], Sequence[Page]]) -> None:
    """Check that reading on from each page's cursor brings the drafts that were left."""
    usual = by_id(drafts_of(pages))
    for position, page in enumerate(pages[:-1]):
        assert by_id(drafts_of([*pages[: position + 1], *read(page.cursor)])) == usual


def drafts_of(pages: Iterable[Page]) -> list[AnyDraft]:
    return [draft for page in pages for record in page.records for draft in record.normalise(record.payload)]


def by_id(drafts: Iterable[AnyDraft]) -> dict[str, AnyDraft]:
    """The last draft of each record."""
    return {draft.external_id: draft for draft in drafts}
