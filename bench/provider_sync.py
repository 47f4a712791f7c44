"""Syncing a provider's pull requests, compared with a bare client that fetches the same pages and discards them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import httpx
from django.conf import settings

from bench.figures import Limit, Measured
from integrations.connectors.base import (
    CheckedPermission,
    Connector,
    Cursor,
    FetchedResource,
    Field,
    Http,
    Json,
    Page,
    RawRecord,
    ResourceDraft,
    register,
)
from integrations.connectors.drafts import ProvidedParts, PullRequestCommitDraft, PullRequestDraft, ReviewDraft, Who
from integrations.connectors.reader import Reader
from integrations.enums import Kind, PullRequestState, ResourceKind, ReviewState
from integrations.intake.places import store_resource
from integrations.models import Connection, Stream, SyncRun
from integrations.sync.leases import claimed
from integrations.sync.slices import take_slice

LIMIT_RATIO = 1.5
PAGE_SIZE = 100
SECONDS_A_PAGE = 0.15  # GitHub takes several times as long for such a page
MOST_GROWTH_MB = 50


@register
class BenchProvider(Connector):
    """Pages of pull requests with their commits and reviews."""

    slug = "bench"
    name = "Bench"
    kinds = {ResourceKind.REPOSITORY: (Kind.PULL_REQUEST,)}
    fields = (Field("base_url", "Base URL"),)
    permissions = ""

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return []

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        yield ResourceDraft(ResourceKind.REPOSITORY, "bench", f"bench/{self.base_url.rpartition(':')[2]}")

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        number = cursor.get("page", 1)
        while number is not None:
            answer = http.get("/pulls", params={"page": number}).json()
            records = [RawRecord(record, normalise_pull_request, str(record["id"])) for record in answer["records"]]
            number = answer["next"]
            yield Page(records, {"page": number} if number else {"end": True}, left=answer["left"])


def normalise_pull_request(payload: Json) -> Sequence[PullRequestDraft]:
    pull = Reader(payload)
    return [
        PullRequestDraft(
            external_id=pull.identifier("id"),
            repository="bench",
            number=pull.integer("number"),
            title=pull.text("title"),
            author=Who(login=pull.text("author")),
            state=PullRequestState.MERGED,
            native_state="merged",
            created_at=pull.time("created_at"),
            merged_at=pull.time("merged_at"),
            updated_at=pull.time("updated_at"),
            commits=ProvidedParts(
                [
                    PullRequestCommitDraft(sha=commit.text("sha"), position=position, authored_at=commit.time("at"))
                    for position, commit in enumerate(pull.objects("commits"))
                ]
            ),
            reviews=ProvidedParts(
                [
                    ReviewDraft(
                        external_id=review.text("id"),
                        author=Who(login=review.text("by")),
                        state=ReviewState.APPROVED,
                        native_state="approved",
                        submitted_at=review.time("at"),
                    )
                    for review in pull.objects("reviews")
                ]
            ),
        )
    ]


def provider_sync(*, pulls: int) -> list[Measured]:
    """The first sync of this many pull requests, newest first, by this process."""
    with _server(pulls) as base_url:
        limit = _seconds_of_bare_client(base_url)
        stream = _stream_for_us_alone(base_url)
        sizes: list[float] = []
        seconds, run = _seconds_of_sync(stream, sizes)
    growth = max(sizes[len(sizes) // 5 :]) - sizes[len(sizes) // 5]
    conditions = (
        f"{pulls:,} pull requests of 2 commits and a review in pages of {PAGE_SIZE}, from a server on the same cores "
        f"that takes {SECONDS_A_PAGE * 1000:.0f} ms a page"
    )
    return [
        Measured(
            name="provider sync",
            value=seconds,
            unit="s",
            goal=f"≤ {LIMIT_RATIO:g} × the limit",
            met=seconds <= LIMIT_RATIO * limit,
            limit=Limit("s: a bare client that fetches the same pages and reads their JSON", limit),
            conditions=f"{conditions}; {run.requests:,} requests, {run.added:,} added",
        ),
        Measured(
            name="provider sync, memory",
            value=growth,
            unit="MB more",
            goal=f"≤ {MOST_GROWTH_MB} MB",
            met=growth <= MOST_GROWTH_MB,
            conditions=f"the process's own memory at its most after the first fifth of the pages, {max(sizes):.0f} MB, "
            "beside what it was after that fifth",
        ),
    ]


@contextmanager
def _server(pulls: int) -> Iterator[str]:
    words = [sys.executable, "-m", "bench.provider_server", str(pulls), str(PAGE_SIZE), str(SECONDS_A_PAGE)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=settings.BASE_DIR) as server:
        try:
            if server.stdout is None:
                raise RuntimeError("The bench's provider has no output.")
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def _seconds_of_bare_client(base_url: str) -> float:
    with httpx.Client(base_url=base_url, timeout=30, trust_env=False) as client:
        started = time.perf_counter()
        page: int | None = 1
        while page is not None:
            page = client.get("/pulls", params={"page": page}).raise_for_status().json()["next"]
        return time.perf_counter() - started


def _stream_for_us_alone(base_url: str) -> Stream:
    """A stream that is never due, so that the worker leaves it alone."""
    connection = Connection.objects.create(
        provider=BenchProvider.slug, name=f"Bench {time.time_ns()}", settings={"base_url": base_url}
    )
    draft = ResourceDraft(ResourceKind.REPOSITORY, "bench", f"bench/{connection.pk}")
    resource = store_resource(connection, draft)
    return Stream.objects.create(resource=resource, kind=Kind.PULL_REQUEST, due_at=None)


def _seconds_of_sync(stream: Stream, sizes: list[float]) -> tuple[float, SyncRun]:
    started = time.perf_counter()
    run = None
    while run is None or not (run.finished_at or run.problem):
        with claimed(stream=stream.pk) as lease:
            run = take_slice(lease) if lease else None
        if run is None:
            raise RuntimeError("Another process reads the bench's stream.")
        sizes.append(_resident_mb())
    seconds = time.perf_counter() - started
    Stream.objects.filter(pk=stream.pk).update(due_at=None)
    if run.state != SyncRun.State.DONE:
        raise RuntimeError(f"The sync ended as {run.state}: {run.problem}")
    return seconds, run


def _resident_mb() -> float:
    """0 if the system does not report it."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * 4096 / 1e6
    except OSError:
        return 0.0
