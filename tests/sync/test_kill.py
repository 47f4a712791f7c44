"""A worker that is killed at any moment loses nothing, and two of them never read one stream at once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.db.models import Sum

from integrations.models import Connection, PullRequest, Stream, SyncRun
from integrations.sync.resources import discover_resources
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.servers import Server
from tests.sync.connector import Example
from tests.sync.provider import TOKEN, Provider

StartServer = Callable[..., AbstractContextManager[Server]]
SHOP, SITE = 300, 120
PAGE_SIZE = 10
PAGES = (SHOP + SITE) // PAGE_SIZE


@pytest.fixture
def two_repositories(provider: Provider) -> Provider:
    provider.page_size = PAGE_SIZE
    provider.repository("acme/shop", pull_requests=SHOP)
    provider.repository("acme/site", pull_requests=SITE)
    return provider


@pytest.mark.parametrize(
    ("seed", "kills"), [(1, 1), *(pytest.param(seed, 3, marks=pytest.mark.soak) for seed in range(2, 18))]
)
def test_a_worker_killed_at_any_moment_loses_nothing(
    start_server: StartServer, two_repositories: Provider, seed: int, kills: int
) -> None:
    provider = two_repositories
    chance = random.Random(seed)
    with start_server(named=f"sync-{seed}") as server:
        connect(server, provider)
        for requests in sorted(chance.sample(range(PAGES - 5), kills)):
            requests_before = len(provider.seen)
            server.run("worker", "-m", "tests.sync.worker")
            target = max(requests, requests_before + 1)
            wait_until(lambda: len(provider.seen) >= target, what=f"{target} requests")  # noqa: B023
            time.sleep(chance.uniform(0.0, 0.05))  # fetching, storing, or between: that is what chance decides
            server.kill("worker")
        assert stored(server, provider) == expected(provider)
        with server.database():
            runs = SyncRun.objects.all()
            interrupted = runs.filter(state=SyncRun.State.INTERRUPTED).count()
            assert 1 <= interrupted <= kills
            # What is counted moved with what was stored: nothing twice, nothing left out.
            assert runs.aggregate(added=Sum("added"), changed=Sum("changed")) == {"added": SHOP + SITE, "changed": 0}
            assert set(Stream.objects.values_list("leased_by", "problem")) == {("", "")}


def test_two_workers_share_the_streams_and_one_takes_over_from_the_other(
    start_server: StartServer, two_repositories: Provider
) -> None:
    provider = two_repositories
    with start_server(named="sync-two-workers") as server, watched(provider) as most_at_once:
        connect(server, provider)
        server.run("one", "-m", "tests.sync.worker")
        server.run("two", "-m", "tests.sync.worker")
        wait_until(lambda: len(provider.seen) > PAGES // 3, what="a third of the pages is read")
        server.kill("one")
        assert stored(server, provider) == expected(provider)
        assert set(most_at_once.values()) == {1}


@contextmanager
def watched(provider: Provider) -> Iterator[Counter[str]]:
    """The largest number of concurrent requests for each path."""
    lock = threading.Lock()
    under_way: Counter[str] = Counter()
    most: Counter[str] = Counter()
    answer = provider.answer

    def counted(target: str, token: str) -> Any:
        path = target.partition("?")[0]
        with lock:
            under_way[path] += 1
            most[path] = max(most[path], under_way[path])
        time.sleep(0.002)  # as long as a provider takes at least: overlapping requests would meet
        try:
            return answer(target, token)
        finally:
            with lock:
                under_way[path] -= 1

    provider.answer = counted  # type: ignore[method-assign]
    yield most


def connect(server: Server, provider: Provider) -> None:
    with server.database():
        connection = Connection.objects.create(
            provider=Example.slug,
            name="Example",
            settings={"base_url": provider.url, "resources": {"match": ["*"]}},
            secrets={"token": TOKEN},
        )
        discover_resources(connection)
    provider.seen.clear()


def stored(server: Server, provider: Provider) -> list[tuple[Any, ...]]:
    """Everything that is told of pull requests, once another worker has read to the end."""
    server.run("last", "-m", "tests.sync.worker", "--until-done")
    assert server.processes["last"].wait(timeout=PATIENCE_SECONDS) == 0, server.logs()
    with server.database():
        rows = PullRequest.objects.filter(deleted_at=None).order_by("external_id")
        return list(rows.values_list("external_id", "number", "title", "state", "updated_at", "repository__name"))


def expected(provider: Provider) -> list[tuple[Any, ...]]:
    return sorted(
        (pull["id"], pull["number"], pull["title"], "open", datetime.fromisoformat(pull["updated_at"]), repository.name)
        for repository in provider.repositories.values()
        for pull in repository.pull_requests.values()
    )
