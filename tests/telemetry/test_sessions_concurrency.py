"""Several processes fold at the same time, and one may die half-way: nothing is lost or counted twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import DataError, connection

from integrations.models import FactChange, ReceivedBatch
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions import fold
from tests.patience import PATIENCE_SECONDS
from tests.telemetry.raw_rows import Event, Point, at, receive
from tests.telemetry.session_oracle import expected_sessions, stored_sessions

pytestmark = pytest.mark.django_db(transaction=True)

FOLDERS = 3


@pytest.fixture(autouse=True)
def _raw_tables_emptied() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE integrations_agent_event, integrations_agent_point")


@pytest.fixture(autouse=True)
def _few_batches_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "BATCHES_PER_TRANSACTION", 2)


def many_records() -> list[Event | Point]:
    order = random.Random(5)
    records: list[Event | Point] = []
    for number in range(120):
        moment = at("2026-03-02 08:00") + timedelta(minutes=17 * order.randrange(200))
        session, email = f"session-{number % 3}", f"person{number % 2}@example.com"
        if number % 4 == 3:
            start = at("2026-03-02 07:00")
            records.append(
                Point(
                    moment,
                    float(number),
                    start=start,
                    cumulative=True,
                    session=session,
                    email=email,
                    model="claude-sonnet-4-5",
                )
            )
        else:
            kind = EventKind.REQUEST if number % 4 else EventKind.TOOL_CALL
            key, outcome = f"k{order.randrange(30)}", order.choice(["succeeded", "failed"])
            tokens = (number, 1, 2, 3)
            records.append(
                Event(moment, session, email, kind, key, "claude-sonnet-4-5", "Bash", outcome, tokens=tokens)
            )
    order.shuffle(records)
    return list({(record.session, record.email, record.at): record for record in records}.values())


def test_folding_in_several_processes_at_once_gives_the_same_sessions() -> None:
    records = many_records()
    for first in range(0, len(records), 3):
        receive(records[first : first + 3])
    failures: list[BaseException] = []
    start = threading.Barrier(FOLDERS)

    def fold_all() -> None:
        try:
            start.wait(timeout=PATIENCE_SECONDS)
            fold.fold_received_batches()
        except BaseException as problem:
            failures.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=fold_all) for _ in range(FOLDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)

    assert not failures
    assert not ReceivedBatch.objects.exists()
    assert stored_sessions() == expected_sessions(records, ZoneInfo("UTC"))


def test_a_fold_that_dies_before_its_end_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    records = many_records()
    receive(records)
    with monkeypatch.context() as patched:

        def die() -> None:
            raise KeyboardInterrupt

        patched.setattr(fold, "append_changes_of_fold", die)
        with pytest.raises(KeyboardInterrupt):
            fold.fold_received_batches()
    assert ReceivedBatch.objects.count() == 1
    assert not FactChange.objects.exists()

    fold.fold_received_batches()
    assert stored_sessions() == expected_sessions(records, ZoneInfo("UTC"))


def test_a_batch_that_cannot_be_folded_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    records = many_records()
    for first in range(0, len(records), 40):
        receive(records[first : first + 40])
    spoilt = ReceivedBatch.objects.earliest("pk")
    spoilt_at, real_fold = spoilt.received_at, fold._fold

    def fold_unless_spoilt(batches: Sequence[ReceivedBatch]) -> None:
        if spoilt_at in {batch.received_at for batch in batches}:
            raise DataError("numeric field overflow")
        real_fold(batches)

    with monkeypatch.context() as patched:
        patched.setattr(fold, "_fold", fold_unless_spoilt)
        fold.fold_received_batches()
        assert ReceivedBatch.objects.get().problem == "numeric field overflow"
        fold.fold_received_batches()
    assert fold.retry_failed_batches() == 1
    fold.fold_received_batches()
    assert stored_sessions() == expected_sessions(records, ZoneInfo("UTC"))
