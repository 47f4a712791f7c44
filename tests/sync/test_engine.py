"""Turns of streams, permission to store, and records that cannot be stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Connection, QuarantinedPayload, Stream, SyncRun
from integrations.sync import pages, slices
from integrations.sync.enqueue import cancel_sync, enqueue_sync, is_syncing, pause, resume
from integrations.sync.health import sync_health
from integrations.sync.leases import LEASE, LostLeaseError, claimed
from integrations.sync.quarantine import replay
from integrations.sync.readings import WORKER_ENDED, open_run
from integrations.sync.resources import discover_resources
from integrations.sync.slices import SliceLimits, run_next_slice
from tests.sync import connector
from tests.sync.conftest import stream_of
from tests.sync.connector import Example
from tests.sync.provider import TOKEN, Provider, SeenRequest
from tests.sync.readings import last_run, let_time_pass, read_everything, read_through, titles


def connected(provider: Provider, name: str, match: str) -> Connection:
    connection = Connection.objects.create(
        provider=Example.slug,
        name=name,
        settings={"base_url": provider.url, "resources": {"match": [match]}},
        secrets={"token": TOKEN},
    )
    discover_resources(connection)
    return connection


def test_turns_go_round_the_connections_and_within_them_round_the_streams(
    connection: Connection, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_LIMITS", SliceLimits(pages=1))
    for name in ("big/a", "big/b", "small/c"):
        provider.repository(name, pull_requests=50)
    connected(provider, "Big", "big/*")
    connected(provider, "Small", "small/*")
    order = []
    while (sync_slice := run_next_slice()) is not None:
        assert sync_slice.run is not None
        order.append(str(sync_slice.run.stream.resource))  # type: ignore[union-attr]
    assert order[:6] == ["big/a", "small/c", "big/b", "small/c", "big/a", "small/c"]
    assert sorted(order) == ["big/a"] * 3 + ["big/b"] * 3 + ["small/c"] * 3
    assert {(run.state, run.read) for run in SyncRun.objects.all()} == {(SyncRun.State.DONE, 50)}


def test_a_turn_that_ends_goes_on_in_the_same_run(
    connection: Connection, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_LIMITS", SliceLimits(pages=2))
    provider.repository("acme/shop", pull_requests=70)
    discover_resources(connection)
    run_next_slice()
    run = last_run(connection)
    assert (run.state, run.read, run.to_read) == (SyncRun.State.WAITING, 40, 70)
    [health] = sync_health(timezone.now())
    [pull_requests] = health.kinds
    assert (pull_requests.under_way, pull_requests.read, pull_requests.to_read) == (1, 40, 70)
    assert (pull_requests.seconds_left(timezone.now()) or 0) > 0
    assert is_syncing(connection)
    run_next_slice()
    run.refresh_from_db()
    assert (run.state, run.read, SyncRun.objects.count()) == (SyncRun.State.DONE, 70, 1)
    assert len(provider.requests_for("/pulls")) == 4  # no page was fetched that was not stored
    assert not is_syncing(connection)


def test_a_stream_is_one_workers_until_its_lease_is_over_or_its_session_gone(
    connection: Connection, provider: Provider
) -> None:
    provider.repository("acme/shop", pull_requests=3)
    discover_resources(connection)
    with claimed() as first:
        assert first is not None
        with claimed() as second:
            assert second is None
        Stream.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        with claimed() as second:
            assert second is not None
            with pytest.raises(LostLeaseError):
                first.renew()
            with pytest.raises(LostLeaseError):
                open_run(first)
    # A killed worker: the row says leased, and nobody holds the lock.
    Stream.objects.update(leased_by="a worker that was killed", leased_until=timezone.now() + LEASE)
    stream = stream_of(connection, "acme/shop")
    SyncRun.objects.create(stream=stream)
    sync_slice = run_next_slice()
    assert sync_slice is not None
    interrupted, done = SyncRun.objects.order_by("pk")
    assert (interrupted.state, interrupted.problem) == (SyncRun.State.INTERRUPTED, WORKER_ENDED)
    assert done.state == SyncRun.State.DONE


def test_a_rate_limited_host_leaves_the_slice_to_others(
    connection: Connection, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.repository("acme/shop", pull_requests=3)
    discover_resources(connection)
    monkeypatch.setattr(slices, "SLICES_PER_HOST", 0)
    sync_slice = run_next_slice()
    assert sync_slice is not None
    assert (sync_slice.run, sync_slice.rate_limited) == (None, connection.pk)
    assert run_next_slice(without=[connection.pk]) is None
    assert stream_of(connection, "acme/shop").leased_by == ""


def test_a_pause_holds_from_the_next_page_on_and_what_was_stored_stays(
    connection: Connection, provider: Provider
) -> None:
    provider.repository("acme/shop", pull_requests=100)
    discover_resources(connection)
    run = paused_after_page(connection, 2)
    assert run.state == SyncRun.State.WAITING
    assert run.read == 40
    assert run_next_slice() is None
    resume(connection)
    read_through(connection)
    run.refresh_from_db()
    assert (run.state, run.read) == (SyncRun.State.DONE, 100)


def paused_after_page(connection: Connection, page: int) -> SyncRun:
    """Let a turn begin, and pause while it stores that page."""
    original = pages.store_page

    def store_page(at: Any, read: Any, *, requests: int) -> None:
        original(at, read, requests=requests)
        if read.cursor.get("page") == page + 1:
            pause(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "store_page", store_page)
        run_next_slice()
    return last_run(connection)


def during(ending: str, *, page: int, do: Any) -> Any:
    def look(request: SeenRequest) -> None:
        if request.path.endswith(ending) and request.page == page:
            do()

    return look


def test_a_worker_that_is_to_end_ends_its_turn_after_the_page(
    connection: Connection, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.repository("acme/shop", pull_requests=100)
    discover_resources(connection)
    to_end = threading.Event()
    to_end.set()
    monkeypatch.setattr(slices, "stopping", to_end)
    run_next_slice()
    assert (last_run(connection).state, last_run(connection).read) == (SyncRun.State.WAITING, 20)
    assert len(provider.requests_for("/pulls")) == 1


def test_a_cancelled_reading_stores_nothing_more_and_says_so(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop", pull_requests=100)
    discover_resources(connection)
    original = pages.store_page

    def store_page(at: Any, read: Any, *, requests: int) -> None:
        if read.cursor.get("page") == 3:
            cancel_sync(connection)
        original(at, read, requests=requests)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "store_page", store_page)
        run_next_slice()
    run = last_run(connection)
    assert (run.state, run.read, len(titles(connection))) == (SyncRun.State.INTERRUPTED, 20, 20)
    assert run.problem.startswith("Cancelled.")
    assert run_next_slice() is None
    let_time_pass(connection)
    read_through(connection)
    assert len(titles(connection)) == 100


def test_what_cannot_be_understood_is_put_aside_and_the_rest_of_its_page_is_stored(
    connection: Connection, provider: Provider
) -> None:
    shop = provider.repository("acme/shop", pull_requests=30)
    shop.pull_requests[7]["number"] = "seven"
    discover_resources(connection)
    (run,) = read_everything(connection)
    assert (run.state, run.read, run.added, run.quarantined) == (SyncRun.State.DONE, 30, 29, 1)
    quarantined = QuarantinedPayload.objects.get()
    assert (quarantined.path, quarantined.problem) == ("number", "should be a whole number and is text")
    assert quarantined.payload["title"] == "Change 7 of acme/shop"
    read_everything(connection, full=True)
    quarantined = QuarantinedPayload.objects.get()  # once, however often it is read

    assert replay(connection, [quarantined]).refused == 1
    quarantined.payload["number"] = 7
    quarantined.save()
    assert replay(connection, [quarantined]).understood == 1
    assert len(titles(connection)) == 30
    assert QuarantinedPayload.objects.get().replayed_at is not None


def normalised_otherwise(patch: pytest.MonkeyPatch, otherwise: Callable[[Any], Any]) -> None:
    """Number 2 of the tests' connector is what `otherwise` makes of its drafts."""
    original = connector.normalise_of

    def normalise_of(resource: Any) -> Any:
        normalise = original(resource)
        return lambda payload: (otherwise if payload["number"] == 2 else list)(normalise(payload))

    patch.setattr(connector, "normalise_of", normalise_of)


@pytest.mark.parametrize(
    ("otherwise", "fault"),
    [
        (lambda drafts: [replace(drafts[0], number=2**40)], "DataError"),  # no column takes it
        (lambda drafts: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_fault_of_ours_puts_its_record_aside_and_stores_the_others(
    connection: Connection,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    otherwise: Callable[[Any], Any],
    fault: str,
) -> None:
    provider.repository("acme/shop", pull_requests=30)
    discover_resources(connection)
    normalised_otherwise(monkeypatch, otherwise)
    (run,) = read_everything(connection)
    assert (run.state, run.added, run.quarantined) == (SyncRun.State.DONE, 29, 1)
    quarantined = QuarantinedPayload.objects.get()
    assert quarantined.external_id.endswith("-2")
    assert quarantined.problem == f"Headway failed on it ({fault}); its log says more"


def test_a_record_that_is_understood_by_now_leaves_quarantine(connection: Connection, provider: Provider) -> None:
    shop = provider.repository("acme/shop", pull_requests=3)
    shop.pull_requests[2]["number"] = None
    discover_resources(connection)
    read_everything(connection)
    shop.pull_requests[2]["number"] = 2
    provider.change(shop, 2, "Mended")
    (run,) = read_everything(connection)
    assert (run.added, run.quarantined) == (1, 0)
    assert QuarantinedPayload.objects.get().replayed_at is not None


@pytest.mark.parametrize("pages_a_turn", [1, 20])
def test_a_full_reading_finds_what_is_gone_over_any_number_of_turns(
    connection: Connection, provider: Provider, monkeypatch: pytest.MonkeyPatch, pages_a_turn: int
) -> None:
    monkeypatch.setattr(slices, "SLICE_LIMITS", SliceLimits(pages=pages_a_turn))
    shop = provider.repository("acme/shop", pull_requests=50)
    provider.repository("acme/site", pull_requests=30)
    discover_resources(connection)
    read_everything(connection)
    del shop.pull_requests[4]
    assert sum(run.removed for run in read_everything(connection)) == 0
    runs = read_everything(connection, full=True)
    assert sorted((run.full, run.removed) for run in runs) == [(True, 0), (True, 1)]
    assert len(titles(connection)) == 79
    provider.open(shop, 4, "Here again")
    read_everything(connection)
    assert titles(connection)[f"{shop.external_id}-4"] == "Here again"


def test_a_record_that_moves_while_everything_is_read_is_not_gone(connection: Connection, provider: Provider) -> None:
    shop = provider.repository("acme/shop", pull_requests=50)
    discover_resources(connection)
    read_everything(connection)

    def move() -> None:
        if "Moved" not in shop.pull_requests[5]["title"]:
            provider.change(shop, 5, "Moved to the front, which was read already")

    provider.before_answer = during("/pulls", page=2, do=move)
    (run,) = read_everything(connection, full=True)
    assert (run.removed, run.changed) == (0, 1)
    assert len(titles(connection)) == 50


def test_everything_is_looked_at_again_every_week(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop", pull_requests=30)
    discover_resources(connection)
    read_everything(connection)
    Stream.objects.update(full_at=timezone.now() - timedelta(days=8))
    assert [run.full for run in read_everything(connection)] == [True]
    assert [run.full for run in read_everything(connection)] == [False]


def test_runs_that_found_nothing_do_not_bury_the_others(connection: Connection, provider: Provider) -> None:
    shop = provider.repository("acme/shop", pull_requests=3)
    discover_resources(connection)
    read_everything(connection)
    for number in range(5):
        if number == 2:
            provider.change(shop, 1, "News")
        read_everything(connection)
    runs = SyncRun.objects.order_by("pk").values_list("added", "changed")
    assert list(runs) == [(3, 0), (0, 1), (0, 0)]


def test_a_fault_of_our_own_is_said_and_tried_again(
    connection: Connection, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.repository("acme/shop", pull_requests=3)
    discover_resources(connection)
    with monkeypatch.context() as patch:
        patch.setattr(slices, "store_page", lambda *_, **__: 1 / 0)
        run_next_slice()
    stream = stream_of(connection, "acme/shop")
    assert stream.problem == "Headway itself failed: ZeroDivisionError."
    assert last_run(connection).state == SyncRun.State.FAILED
    enqueue_sync(connection)
    read_through(connection)
    assert len(titles(connection)) == 3
