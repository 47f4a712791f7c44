"""The thread that writes what requests bring, and the bytes that it copies, without a database."""

from __future__ import annotations

import random
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DataError, OperationalError

from integrations.telemetry import store
from integrations.telemetry.decode_reading import Reading
from integrations.telemetry.sightings import AuthorNames, SessionKey
from integrations.telemetry.store_rows import (
    EventRow,
    PointRow,
    copy_of_events,
    copy_of_points,
    encode_events,
    encode_points,
    first_times,
    merge_events,
)
from integrations.telemetry.store_transaction import Received
from tests.patience import PATIENCE_SECONDS, wait_until

Write = Callable[[Sequence[Received]], None]
AUTHOR = AuthorNames("claude_code", "ada@example.com", "", "", "", "")
SESSIONS = [SessionKey("claude_code", f"session-{number}", "2.1", AUTHOR) for number in range(3)]
IDS = {session: 100 + number for number, session in enumerate(SESSIONS)}


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Write], None]]:
    """Lets something else stand for the transaction, and waits until no thread works with it any more."""
    monkeypatch.setattr(store, "SECONDS_UNTIL_IDLE", 0.05)
    wait_until(lambda: store._writer is None, what="the writer of tests before is idle")
    yield lambda write: monkeypatch.setattr(store, "write", write)
    wait_until(lambda: store._writer is None, what="the writer ends when nothing is to be done")


def reading(count: int = 1) -> Reading:
    return Reading(now=0, events=[EventRow(number, bytes(16), None, 1, b"") for number in range(count)])


def test_requests_that_wait_are_written_together_and_answered_after_that(
    writes: Callable[[Write], None],
) -> None:
    groups: list[int] = []
    durable: set[int] = set()

    def write(requests: Sequence[Received]) -> None:
        time.sleep(0.02)  # the disk
        groups.append(len(requests))
        durable.update(id(request.reading) for request in requests)

    def send(_: int) -> bool:
        one = reading()
        store.store(one, sender=None)
        return id(one) in durable

    writes(write)
    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(send, range(60)))
    assert sum(groups) == 60
    assert max(groups) > 1


def test_a_bad_request_is_told_so_and_the_others_of_its_group_are_stored(writes: Callable[[Write], None]) -> None:
    bad = reading()
    stored: list[int] = []

    def write(requests: Sequence[Received]) -> None:
        time.sleep(0.01)
        if any(request.reading is bad for request in requests):
            raise DataError("no such thing")
        stored.extend(id(request.reading) for request in requests)

    def send(one: Reading) -> bool:
        try:
            store.store(one, sender=None)
        except DataError:
            return False
        return True

    writes(write)
    readings = [reading() for _ in range(20)] + [bad] + [reading() for _ in range(20)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, readings))
    assert [one for one, answer in zip(readings, answers, strict=True) if not answer] == [bad]
    assert sorted(stored) == sorted(id(one) for one in readings if one is not bad)


def test_while_the_database_is_away_nothing_of_a_group_counts_as_stored(
    writes: Callable[[Write], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(requests: Sequence[Received]) -> None:
        raise OperationalError("the server closed the connection")

    writes(write)
    with ThreadPoolExecutor(4) as pool:
        problems = [future.exception() for future in [pool.submit(store.store, reading(), sender=None)] * 8]
    assert {type(problem) for problem in problems} == {OperationalError}


def test_a_thread_that_breaks_off_answers_nobody_with_stored(
    writes: Callable[[Write], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # pytest's own makes a warning of it

    def write(requests: Sequence[Received]) -> None:
        raise SystemExit

    writes(write)
    with pytest.raises(RuntimeError, match="broke off"):
        store.store(reading(), sender=None)
    writes(lambda requests: None)
    store.store(reading(), sender=None)  # by a new thread


def test_a_group_has_a_limit_and_a_larger_request_is_written_alone(
    writes: Callable[[Write], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_ROWS_AT_ONCE", 10)
    groups: list[list[int]] = []

    def write(requests: Sequence[Received]) -> None:
        time.sleep(0.01)
        groups.append([request.rows for request in requests])

    writes(write)
    sizes = [3, 4, 25, 1, 10, 9, 2, 30] * 4
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda size: store.store(reading(size), sender=None), sizes))
    assert sorted(size for group in groups for size in group) == sorted(sizes)
    assert all(sum(group) <= 10 or len(group) == 1 for group in groups)


def test_senders_are_asked_to_wait_where_too_many_wait(
    writes: Callable[[Write], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_WAITING", 2)
    goes_on = threading.Event()
    writes(lambda requests: (goes_on.wait(PATIENCE_SECONDS), None)[1])
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(store.store, reading(), sender=None)
        wait_until(lambda: store._waiting.empty() and store._writer, what="the first is written")
        waiting = [pool.submit(store.store, reading(), sender=None) for _ in range(2)]
        wait_until(lambda: store._waiting.qsize() == 2, what="two wait")
        with pytest.raises(store.OverloadedError):
            store.store(reading(), sender=None)
        goes_on.set()
        assert [future.result() for future in (first, *waiting)] == [None] * 3


@pytest.mark.parametrize("seed", range(20))
def test_copied_events_are_those_received_each_once_and_in_order(seed: int) -> None:
    chance = random.Random(seed)
    requests = [
        [
            EventRow(
                chance.choice([0, 5, 2**32, 10**15]),
                bytes([chance.randrange(4)]) * 16,
                chance.choice([None, *SESSIONS]),
                chance.randrange(10),
                struct.pack(">i", -1) * 15,
            )
            for _ in range(chance.randrange(1, 30))
        ]
        for _ in range(chance.randrange(1, 4))
    ]
    merged = merge_events([encode_events(rows) for rows in requests])
    copied = list(rows_in(copy_of_events(merged, 7, IDS), columns=20))
    times = [int.from_bytes(told[2] or b"", "big") for told in copied]

    received: dict[tuple[int, bytes | None], list[list[bytes | None]]] = {
        (row.at, row.digest): [] for rows in requests for row in rows
    }
    for rows in requests:
        for row in rows:
            session = None if row.session is None else number(IDS[row.session])
            received[row.at, row.digest].append([number(7), session, number(row.at), row.digest, small(row.kind)])
    keys = [(at, told[3]) for at, told in zip(times, copied, strict=True)]
    assert keys == sorted(received)
    assert all(told[:5] in received[key] for key, told in zip(keys, copied, strict=True))
    assert first_times(merged) == {
        session: min(at for at, told in zip(times, copied, strict=True) if told[1] == number(id_))
        for session, id_ in IDS.items()
        if any(told[1] == number(id_) for told in copied)
    }


def test_copied_points_are_those_received_each_once_and_in_order() -> None:
    labels = struct.pack(">i1s", 1, b"m") * 2
    points = [PointRow(at, bytes(16), start, SESSIONS[0], True, labels, 2.5) for at in (9, 3) for start in (3, 1, 3)]
    copied = list(rows_in(copy_of_points(encode_points(points), 7, IDS), columns=9))
    assert [(row[2], row[4]) for row in copied] == [(number(at), number(start)) for at in (3, 9) for start in (1, 3)]
    assert copied[0] == [
        *(number(7), number(100), number(3), bytes(16), number(1), b"\x01", b"m", b"m"),
        struct.pack(">d", 2.5),
    ]


def rows_in(copy: bytes, columns: int) -> Iterator[list[bytes | None]]:
    """PostgreSQL's binary COPY format, read by its description."""
    assert copy[:19] == b"PGCOPY\n\xff\r\n\0" + bytes(8)
    position = 19
    while (count := struct.unpack_from(">h", copy, position)[0]) != -1:
        assert count == columns
        position += 2
        row: list[bytes | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", copy, position)
            position += 4
            row.append(None if length < 0 else copy[position : position + length])
            position += max(length, 0)
        yield row
    assert position + 2 == len(copy)


def number(value: int) -> bytes:
    return value.to_bytes(8, "big")


def small(value: int) -> bytes:
    return value.to_bytes(2, "big")
