"""Reading streams: page by page, in turns, to the end, and again."""

from __future__ import annotations

from integrations.models import Connection, SyncRun
from integrations.sync.resources import discover_resources
from integrations.sync.slices import run_next_slice
from tests.sync.conftest import stream_of
from tests.sync.provider import Provider
from tests.sync.readings import read_everything, titles


def test_everything_is_read_newest_first_and_then_only_what_changed(connection: Connection, provider: Provider) -> None:
    shop = provider.repository("acme/shop", pull_requests=50)
    discover_resources(connection)
    (first,) = read_everything(connection)
    assert (first.state, first.full, first.read, first.added, first.requests) == (SyncRun.State.DONE, True, 50, 50, 3)
    assert len(titles(connection)) == 50

    provider.change(shop, 7, "Renamed")
    (second,) = read_everything(connection)
    assert (second.full, second.changed, second.added, second.requests) == (False, 1, 0, 1)
    assert titles(connection)[f"{shop.external_id}-7"] == "Renamed"

    (third,) = read_everything(connection)
    assert (third.added, third.changed, third.removed, third.requests) == (0, 0, 0, 1)


def test_a_stream_that_is_done_is_due_again_after_the_interval(connection: Connection, provider: Provider) -> None:
    provider.repository("acme/shop", pull_requests=3)
    discover_resources(connection)
    read_everything(connection)
    stream = stream_of(connection, "acme/shop")
    assert stream.due_at is not None
    assert stream.succeeded_at is not None
    assert (stream.due_at - stream.succeeded_at).total_seconds() == connection.sync_every_minutes * 60
    assert run_next_slice() is None
