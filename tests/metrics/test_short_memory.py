"""What took long to read is given again for a minute, within bounds; of a reading that failed nothing is left."""

from __future__ import annotations

import threading

import pytest

from insights.short_memory import KEPT_SECONDS, ShortMemory
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The one number is the time."""
    now = [1000.0]
    monkeypatch.setattr("insights.short_memory.time.monotonic", lambda: now[0])
    return now


def ask(memory: ShortMemory[str], question: str, answer: str, *, worth_keeping_seconds: float = 0.0) -> str:
    return memory.find(question, lambda: answer, worth_keeping_seconds=worth_keeping_seconds)


def test_what_took_long_is_given_again_for_a_minute(clock: list[float]) -> None:
    memory = ShortMemory[str](len, most=100)
    assert ask(memory, "who", "Ada") == "Ada"
    clock[0] += KEPT_SECONDS
    assert ask(memory, "who", "Grace") == "Ada"
    assert ask(memory, "where", "London") == "London"
    clock[0] += 1
    assert ask(memory, "who", "Grace") == "Grace"


def test_what_is_read_quickly_is_read_each_time(clock: list[float]) -> None:
    memory = ShortMemory[str](len, most=100)
    assert ask(memory, "who", "Ada", worth_keeping_seconds=0.1) == "Ada"
    assert ask(memory, "who", "Grace", worth_keeping_seconds=0.1) == "Grace"


def test_what_is_kept_is_read_again_where_it_does_not_suffice() -> None:
    memory = ShortMemory[str](len, most=100)
    ask(memory, "who", "Ada")
    asked = memory.find("who", lambda: "Ada Example", worth_keeping_seconds=0.0, suffices=lambda known: " " in known)
    assert asked == "Ada Example"
    assert ask(memory, "who", "Grace") == "Ada Example"


def test_the_oldest_make_room_and_what_is_too_great_is_not_kept() -> None:
    memory = ShortMemory[str](len, most=10)
    for question, answer in (("first", "1234"), ("second", "12345"), ("third", "123")):
        ask(memory, question, answer)
    ask(memory, "great", "12345678901")
    assert ask(memory, "second", "other") == "12345"
    assert ask(memory, "third", "other") == "123"
    assert ask(memory, "great", "other") == "other"
    assert ask(memory, "first", "other") == "other"


def test_nothing_is_left_of_a_reading_that_failed() -> None:
    memory = ShortMemory[str](len, most=100)

    def fails() -> str:
        raise LookupError

    for number in range(3):
        with pytest.raises(LookupError):
            memory.find(number, fails, worth_keeping_seconds=0.0)
    assert not memory._turns
    assert ask(memory, "who", "Ada") == "Ada"


def test_whoever_asks_meanwhile_waits_and_reads_nothing() -> None:
    memory, begun, may_end = ShortMemory[str](len, most=100), threading.Event(), threading.Event()
    answers: list[str] = []

    def slowly() -> str:
        begun.set()
        assert may_end.wait(PATIENCE_SECONDS)
        return "Ada"

    def first() -> None:
        answers.append(memory.find("who", slowly, worth_keeping_seconds=0.0))

    def second() -> None:
        answers.append(ask(memory, "who", "Grace"))

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert begun.wait(PATIENCE_SECONDS)
    threads[1].start()
    threads[1].join(0.2)
    assert threads[1].is_alive()
    may_end.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert answers == ["Ada", "Ada"]
