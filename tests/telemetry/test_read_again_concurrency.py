"""Stored records are re-read once, all of them, while more arrive, are folded, re-read elsewhere, or a process dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from integrations.models import AgentRequest, UnreadEvent
from integrations.telemetry import reread
from integrations.telemetry.agents.dictionary import set_value_mapping
from integrations.telemetry.otlp import decoded
from integrations.telemetry.otlp.store_tallies import add_up_tallies
from integrations.telemetry.reread import reprocess_unread_events
from integrations.telemetry.reread_store import store_reprocessed
from integrations.telemetry.sessions import fold
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.patience import PATIENCE_SECONDS
from tests.telemetry.agent_records import tokens
from tests.telemetry.intake import REQUEST, Intake, log_record, logs, rows

pytestmark = pytest.mark.django_db(transaction=True)

OTHER_NAMES = {"input_tokens": "inputTokenCount", "cache_read_tokens": "cacheReadTokenCount"}
READERS = 3


@pytest.fixture
def intake() -> Iterator[Intake]:
    yield Intake()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE integrations_agent_event, integrations_agent_point")


def request(number: int, **attributes: Any) -> dict[str, Any]:
    """As a later version tells of it."""
    renamed = {OTHER_NAMES.get(name, name): value for name, value in REQUEST.items()}
    return log_record({**renamed, "request_id": f"req_{number}", **attributes})


def say(*names: str) -> None:
    add_up_tallies()
    for name in names:
        set_value_mapping(UnreadEvent.objects.get(attribute=OTHER_NAMES[name]), name)


class Beside(threading.Thread):
    """Something that another process does."""

    def __init__(self, do: Callable[[], object]) -> None:
        super().__init__()
        self._do = do
        self.problem: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._do()
        except BaseException as problem:
            self.problem = problem
        finally:
            connection.close()

    def end(self) -> None:
        self.join(timeout=PATIENCE_SECONDS)
        assert not self.is_alive()
        assert self.problem is None

    def end_or_wait_for_a_lock(self) -> None:
        while self.is_alive() and not rows("SELECT FROM pg_locks WHERE NOT granted"):
            self.join(timeout=0.02)


def test_a_fold_at_work_with_a_row_as_it_was_is_waited_for(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fold merges the rows that it has claimed, and a request keeps the maximum of each figure."""
    earlier = {"gen_ai.usage.input_tokens": 100, "gen_ai.operation.name": "chat", "gen_ai.conversation.id": "c1"}
    record = log_record({**earlier, "gen_ai.response.id": "resp_1", "cachedInput": 60})
    intake.send(logs(record, resource={"service.name": "Research assistant"}))
    add_up_tallies()
    set_value_mapping(UnreadEvent.objects.get(), "gen_ai.usage.cache_read.input_tokens")
    reading: list[Beside] = []
    lock_sessions = fold._lock_sessions

    def while_it_is_read_again() -> None:
        if not reading:
            reading.append(Beside(reprocess_unread_events))
            reading[0].end_or_wait_for_a_lock()
        lock_sessions()

    monkeypatch.setattr(fold, "_lock_sessions", while_it_is_read_again)
    fold_received_batches()
    reading[0].end()
    assert tokens() == (40, 60, 0, 0)


def test_what_was_read_by_fewer_words_does_not_replace_what_was_read_by_more(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake.send(logs(request(1)))
    say("input_tokens")
    other: list[Beside] = []

    def say_and_read() -> None:
        say("cache_read_tokens")
        reprocess_unread_events()

    def store_late(again: Any) -> None:
        if not other:
            other.append(Beside(say_and_read))
            other[0].end_or_wait_for_a_lock()
        store_reprocessed(again)

    monkeypatch.setattr(reread, "store_reprocessed", store_late)
    reprocess_unread_events()
    other[0].end()
    reprocess_unread_events()
    assert tokens() == (100, 1000, 50, 10)


def test_what_comes_by_the_old_words_while_it_is_read_again_is_read_the_next_time(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process knows a meaning up to a minute later."""
    intake.send(logs(request(1)))
    say(*OTHER_NAMES)
    list_as_known = reread._list_as_known

    def after_more_came(*arguments: Any) -> None:
        with monkeypatch.context() as other_process:
            other_process.setattr(decoded, "learned", lambda vocabulary: vocabulary)
            intake.send(logs(request(2)))
            add_up_tallies()
        list_as_known(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(reread, "_list_as_known", after_more_came)
        reprocess_unread_events()
    assert tokens() == (100, 1000, 100, 20)
    reprocess_unread_events()
    assert tokens() == (200, 2000, 100, 20)


def test_a_reading_that_is_killed_is_done_to_the_end_the_next_time(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reread, "ROWS_PER_TRANSACTION", 2)
    intake.send(logs(*(request(number) for number in range(5))))
    say(*OTHER_NAMES)
    stored = []

    def die_at_the_second(again: Any) -> None:
        store_reprocessed(again)
        stored.append(again)
        if len(stored) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(reread, "store_reprocessed", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            reprocess_unread_events()
    assert tokens() == (200, 2000, 250, 50)
    assert reprocess_unread_events() == 3
    assert tokens() == (500, 5000, 250, 50)


def test_several_processes_read_fold_and_receive_at_once(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reread, "ROWS_PER_TRANSACTION", 3)
    for first in range(0, 20, 4):
        intake.send(logs(*(request(number) for number in range(first, first + 4))))
    say(*OTHER_NAMES)
    more = [
        *(Beside(reprocess_unread_events) for _ in range(READERS)),
        *(Beside(fold_received_batches) for _ in range(READERS)),
        Beside(lambda: intake.send(logs(*(request(number) for number in range(15, 25))))),
    ]
    for process in more:
        process.end()
    reprocess_unread_events()
    assert tokens() == (2500, 25_000, 1250, 250)
    assert AgentRequest.objects.count() == 25
